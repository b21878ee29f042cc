#include <limits>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/difference_fold.h"
#include "ctl/exit_code.h"
#include "ctl/table.h"
#include "ctl/time_text.h"

namespace autopxe::ctl {
namespace {

struct HistoryArguments {
  std::string kind;
  std::string name;
  int count = 20;
};

// A row for each difference; what the revision says stands in each, so that rows can be searched.
std::string HistoryText(const v1::ListHistoryResponse& history) {
  Table table({"REVISION", "TIME", "CLAIMED BY", "FROM", "WHAT", "BEFORE", "AFTER"});
  for (const v1::HistoryEntry& entry : history.entries()) {
    const v1::Revision& revision = entry.revision();
    for (const FoldedDifference& difference : FoldDifferences(entry.differences())) {
      table.Add({absl::StrCat(revision.id().number()), TimeText(revision.time()), revision.user(),
                 revision.origin(), absl::StrCat(difference.subject, " ", difference.field),
                 difference.before, difference.after});
    }
  }
  return table.Format();
}

absl::Status RunHistory(Session& session, const HistoryArguments& arguments) {
  if (arguments.count < 0) return UsageError("-n: expected a number of revisions, or 0 for all");
  const int limit = arguments.count == 0 ? std::numeric_limits<int>::max() : arguments.count;
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListHistoryResponse history,
                   client->ListHistory(arguments.kind, arguments.name, limit));
  RETURN_IF_ERROR(session.Print(history, [&] { return HistoryText(history); }));
  if (!history.next_page_token().empty()) {
    session.Note("there are older revisions: -n NUMBER shows more, -n 0 all");
  } else if (history.trimmed()) {
    session.Note("what is older is no longer kept: see --keep-history of autopxe-server");
  }
  return absl::OkStatus();
}

}  // namespace

void AddHistoryCommand(CLI::App& app, Session& session) {
  const auto arguments = std::make_shared<HistoryArguments>();
  CLI::App& command = AddCommand(
      app, session,
      {"history", "[KIND [NAME]]", "What was changed, by whom and from where, the latest first",
       "KIND is host, group, profile, distro (a declared one), settings or agent; NAME the one of\n"
       "which it is asked, for a host also a MAC. Who made a change is what they claimed.\n\n"
       "Examples:\n"
       "  autopxectl history\n"
       "  autopxectl history host cn017 -n 5\n"
       "  autopxectl history settings -o json"},
      [&session, arguments] { return RunHistory(session, *arguments); });
  command.add_option("kind", arguments->kind)
      ->check(CLI::IsMember({"host", "group", "profile", "distro", "settings", "agent"}));
  command.add_option("name", arguments->name);
  command.add_option("-n,--revisions", arguments->count, "how many revisions (20); 0: all")
      ->type_name("NUMBER");
}

}  // namespace autopxe::ctl
