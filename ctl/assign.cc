#include <memory>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/wait.h"

namespace autopxe::ctl {
namespace {

struct AssignArguments {
  std::vector<std::string> words;  // The hosts, then the distro.
  bool allow_missing = false;
  bool wait = false;
  std::string timeout = "30s";
};

// Errors: a usage error.
absl::StatusOr<absl::Duration> ParseTimeout(const std::string& text) {
  absl::Duration timeout;
  if (!absl::ParseDuration(text, &timeout) || timeout <= absl::ZeroDuration()) {
    return UsageError(
        absl::StrCat("--timeout: ", Quote(text), ": expected a time such as 30s or 2m"));
  }
  return timeout;
}

// Answers what `response` tells and, if it was asked for, waits until the agents serve it.
absl::Status Finish(Session& session, Client& client, const v1::ApplyResponse& response,
                    const AssignArguments& arguments, absl::Duration timeout) {
  RETURN_IF_ERROR(session.PrintChange(response));
  if (!arguments.wait) return absl::OkStatus();
  return WaitUntilServed(client, response.revision().id(), timeout,
                         [&](absl::string_view message) { session.Warn(message); });
}

absl::Status RunAssign(Session& session, const AssignArguments& arguments) {
  if (arguments.words.size() < 2) {
    return UsageError(
        "assign: expected one host or more, then the distro; see autopxectl assign --help");
  }
  ASSIGN_OR_RETURN(const absl::Duration timeout, ParseTimeout(arguments.timeout));
  v1::AssignHostsRequest request;
  for (size_t i = 0; i + 1 < arguments.words.size(); ++i) request.add_hosts(arguments.words[i]);
  request.set_distro(arguments.words.back());
  request.set_allow_missing(arguments.allow_missing);
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->AssignHosts(request));
  return Finish(session, *client, response, arguments, timeout);
}

absl::Status RunUnassign(Session& session, const AssignArguments& arguments) {
  ASSIGN_OR_RETURN(const absl::Duration timeout, ParseTimeout(arguments.timeout));
  v1::UnassignHostsRequest request;
  for (const std::string& host : arguments.words) request.add_hosts(host);
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->UnassignHosts(request));
  return Finish(session, *client, response, arguments, timeout);
}

void AddWaitOptions(CLI::App& command, AssignArguments& arguments) {
  command.add_flag("--wait", arguments.wait, "return when every connected agent serves it");
  command.add_option("--timeout", arguments.timeout, "how long --wait waits (30s)")
      ->type_name("TIME");
}

}  // namespace

void AddAssignCommands(CLI::App& app, Session& session) {
  const auto assigned = std::make_shared<AssignArguments>();
  CLI::App& assign = AddCommand(
      app, session,
      {"assign", "HOST... DISTRO", "Say what hosts boot",
       "HOST is a name, or a MAC in any usual form; an unknown MAC becomes a host. DISTRO is\n"
       "name/release/kernel/profile (see autopxectl distro list), or local, menu, wait or "
       "ignore.\n\n"
       "Examples:\n"
       "  autopxectl assign 52:54:00:12:34:56 debian/bookworm/latest/overlayfs\n"
       "  autopxectl assign web1 web2 5254.0012.3456 debian/bookworm/latest/nfsrw --wait\n"
       "  autopxectl assign web1 local"},
      [&session, assigned] { return RunAssign(session, *assigned); });
  assign.add_option("words", assigned->words)->required();
  assign.add_flag("--allow-missing", assigned->allow_missing,
                  "assign although no agent offers the distro");
  AddWaitOptions(assign, *assigned);

  const auto unassigned = std::make_shared<AssignArguments>();
  CLI::App& unassign = AddCommand(
      app, session,
      {"unassign", "HOST...", "Take hosts' assignments away: they boot the default distro",
       "Example:\n  autopxectl unassign web1 52:54:00:12:34:56"},
      [&session, unassigned] { return RunUnassign(session, *unassigned); });
  unassign.add_option("words", unassigned->words)->required();
  AddWaitOptions(unassign, *unassigned);
}

}  // namespace autopxe::ctl
