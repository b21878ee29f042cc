#include "common/runtime/version.h"

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/terminal_text.h"
#include "google/protobuf/struct.pb.h"

namespace autopxe::ctl {
namespace {

absl::Status RunVersion(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  const absl::StatusOr<std::string> server = client->ServerVersion();
  google::protobuf::Struct versions;
  (*versions.mutable_fields())["autopxectl"].set_string_value(kVersion);
  if (server.ok()) (*versions.mutable_fields())["autopxe-server"].set_string_value(*server);
  RETURN_IF_ERROR(session.Print(versions, [&] {
    std::string text = absl::StrCat("autopxectl ", kVersion, "\n");
    if (server.ok()) {
      absl::StrAppend(&text, "autopxe-server ",
                      server->empty() ? "(it does not say)" : TerminalText(*server), " at ",
                      client->address(), "\n");
    }
    return text;
  }));
  return server.status();
}

}  // namespace

void AddVersionCommand(CLI::App& app, Session& session) {
  AddCommand(
      app, session,
      {"version", "", "This program's version, and the server's", "Example:\n  autopxectl version"},
      [&session] { return RunVersion(session); });
}

}  // namespace autopxe::ctl
