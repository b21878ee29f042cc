#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"
#include "common/wire/time_wire.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/host_selection.h"
#include "ctl/term_text.h"
#include "ctl/wait.h"

namespace autopxe::ctl {
namespace {

struct AssignArguments {
  HostSelection hosts;  // Of assign, the distro stands behind the words until it is taken.
  bool next = false;
  std::string until;
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

// Errors: a usage error.
absl::Status SetTerm(const AssignArguments& arguments, v1::AssignHostsRequest& request) {
  if (arguments.next) request.set_next_boot(true);
  if (arguments.until.empty()) return absl::OkStatus();
  if (arguments.next) {
    return UsageError("assign: --next and --until exclude each other: leave one out");
  }
  ASSIGN_OR_RETURN(const auto end, ParseEnd(arguments.until, absl::LocalTimeZone()));
  if (const auto* span = std::get_if<absl::Duration>(&end); span != nullptr) {
    *request.mutable_duration() = ToProto(*span);
  } else {
    *request.mutable_until() = ToProto(std::get<absl::Time>(end));
  }
  return absl::OkStatus();
}

// Answers what `response` tells and, if it was asked for, waits until the agents serve it.
absl::Status Finish(Session& session, Client& client, const v1::ApplyResponse& response,
                    const AssignArguments& arguments, absl::Duration timeout) {
  RETURN_IF_ERROR(session.PrintChange(response));
  if (!arguments.wait || session.dry_run) return absl::OkStatus();
  return WaitUntilServed(client, response.revision().id(), timeout,
                         [&](absl::string_view message) { session.Warn(message); });
}

absl::Status RunAssign(Session& session, const AssignArguments& arguments) {
  HostSelection selection = arguments.hosts;
  const std::string distro = selection.words.back();
  selection.words.pop_back();
  if (selection.words.empty() && selection.files.empty() && !selection.has_selector) {
    return UsageError(
        "assign: expected one host or more, then the distro; see autopxectl assign --help");
  }
  ASSIGN_OR_RETURN(const absl::Duration timeout, ParseTimeout(arguments.timeout));
  v1::AssignHostsRequest request;
  RETURN_IF_ERROR(SetTerm(arguments, request));
  ASSIGN_OR_RETURN(const std::vector<std::string> hosts, SelectHosts(session, selection));
  for (const std::string& host : hosts) request.add_hosts(host);
  request.set_distro(distro);
  request.set_allow_missing(arguments.allow_missing);
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->AssignHosts(request));
  return Finish(session, *client, response, arguments, timeout);
}

absl::Status RunUnassign(Session& session, const AssignArguments& arguments) {
  ASSIGN_OR_RETURN(const absl::Duration timeout, ParseTimeout(arguments.timeout));
  ASSIGN_OR_RETURN(const std::vector<std::string> hosts, SelectHosts(session, arguments.hosts));
  v1::UnassignHostsRequest request;
  for (const std::string& host : hosts) request.add_hosts(host);
  request.set_next_boot_only(arguments.next);
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->UnassignHosts(request));
  return Finish(session, *client, response, arguments, timeout);
}

void AddWaitOptions(CLI::App& command, AssignArguments& arguments) {
  command.add_flag("--wait", arguments.wait, "return when every connected agent serves it");
  command
      .add_option("--timeout", arguments.timeout,
                  "how long --wait waits (30s); then the exit code is 3, and the change stands")
      ->type_name("TIME")
      ->needs("--wait");
}

}  // namespace

void AddAssignCommands(CLI::App& app, Session& session) {
  const auto assigned = std::make_shared<AssignArguments>();
  CLI::App& assign = AddCommand(
      app, session,
      {"assign", "HOSTS DISTRO", "Say what hosts boot",
       absl::StrCat(
           kHostsHelp,
           "\nAn unknown MAC becomes a host. All hosts are assigned as one change, or none is.\n\n"
           "DISTRO is name/release/kernel/profile, a declared distro's name (see autopxectl "
           "distro\n"
           "list for both), or local, menu, wait or ignore.\n\n"
           "Examples:\n"
           "  autopxectl assign 52:54:00:12:34:56 debian/bookworm/latest/overlayfs\n"
           "  autopxectl assign 'cn[001-128,200]' debian/bookworm/latest/nfsrw --wait\n"
           "  autopxectl assign -l rack=r1,gpu!=none debian/bookworm/latest/nfsrw --dry-run\n"
           "  autopxectl assign web1 install --next\n"
           "  autopxectl assign web1 memtest --until 2h\n"
           "  squeue -h -o %N | autopxectl assign - local")},
      [&session, assigned] { return RunAssign(session, *assigned); });
  assign.add_option("words", assigned->hosts.words)->required();
  AddSelectionOptions(assign, assigned->hosts);
  assign.add_flag("--next", assigned->next, "for the next boot only");
  assign.add_option("--until", assigned->until, "until then: 2h, 3d, or 2026-12-01T08:00")
      ->type_name("TIME");
  assign.add_flag("--allow-missing", assigned->allow_missing,
                  "assign although no agent offers the distro");
  AddChangeOptions(assign, session);
  AddWaitOptions(assign, *assigned);

  const auto unassigned = std::make_shared<AssignArguments>();
  CLI::App& unassign = AddCommand(
      app, session,
      {"unassign", "HOSTS",
       "Take hosts' assignments away: they boot what a group says, or the default distro",
       absl::StrCat(kHostsHelp,
                    "\n\nExamples:\n"
                    "  autopxectl unassign web1 52:54:00:12:34:56\n"
                    "  autopxectl unassign 'cn[001-128]' --next")},
      [&session, unassigned] { return RunUnassign(session, *unassigned); });
  unassign.add_option("words", unassigned->hosts.words);
  AddSelectionOptions(unassign, unassigned->hosts);
  unassign.add_flag("--next", unassigned->next, "only what is assigned for the next boot");
  AddChangeOptions(unassign, session);
  AddWaitOptions(unassign, *unassigned);
}

}  // namespace autopxe::ctl
