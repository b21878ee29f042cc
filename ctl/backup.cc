#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/output_file.h"
#include "ctl/terminal_text.h"

namespace autopxe::ctl {
namespace {

absl::Status RunBackup(Session& session, const std::string& path, bool force) {
  ASSIGN_OR_RETURN(const std::unique_ptr<OutputFile> file, OutputFile::Create(path, force));
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::BackupBegin backup,
                   client->Backup([&file](absl::string_view bytes) { return file->Write(bytes); }));
  RETURN_IF_ERROR(file->Commit());
  return session.Print(backup, [&] {
    return absl::StrCat("revision ", backup.revision().number(), ", ", backup.size(), " bytes in ",
                        TerminalText(path), "\n");
  });
}

}  // namespace

void AddBackupCommand(CLI::App& app, Session& session) {
  struct Options {
    std::string path;
    bool force = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App& command = AddCommand(
      app, session,
      {"backup", "FILE", "Copies the server's database into a file here",
       "The copy is of one revision and whole, or there is none. A server can be started on it;\n"
       "docs/operations.md says how.\n\n"
       "Example:\n  autopxectl backup autopxe-$(date +%F).db"},
      [&session, options] { return RunBackup(session, options->path, options->force); });
  command.add_option("FILE", options->path, "the file to make, with mode 0600")->required();
  command.add_flag("--force", options->force, "replace FILE if it is there");
}

}  // namespace autopxe::ctl
