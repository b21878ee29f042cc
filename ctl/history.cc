#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/difference_fold.h"
#include "ctl/exit_code.h"
#include "ctl/known_agent.h"
#include "ctl/table.h"
#include "ctl/time_text.h"

namespace autopxe::ctl {
namespace {

struct HistoryArguments {
  std::string kind;
  std::string name;
  int count = 20;
  int64_t revision = 0;  // Above 0: this one alone.
};

// A row for each difference; what the revision says stands in each, so that rows can be searched.
class HistoryTable {
 public:
  void Add(const v1::Revision& revision, const std::vector<FoldedDifference>& differences) {
    for (const FoldedDifference& difference : differences) {
      AddRow(revision, absl::StrCat(difference.subject, " ", difference.field), difference.before,
             difference.after);
    }
  }

  void AddRow(const v1::Revision& revision, const std::string& what, const std::string& before,
              const std::string& after) {
    table_.Add({absl::StrCat(revision.id().number()), TimeText(revision.time()), revision.user(),
                revision.origin(), what, before, after});
  }

  std::string Format() const { return table_.Format(); }

 private:
  Table table_{{"REVISION", "TIME", "CLAIMED BY", "FROM", "WHAT", "BEFORE", "AFTER"}};
};

std::string HistoryText(const v1::ListHistoryResponse& history) {
  HistoryTable table;
  for (const v1::HistoryEntry& entry : history.entries()) {
    table.Add(entry.revision(), FoldDifferences(entry.differences()));
    if (entry.more_differences() == 0) continue;
    table.AddRow(entry.revision(),
                 absl::StrCat("and ", entry.more_differences(), " differences more"), "", "");
  }
  return table.Format();
}

// All that one revision changed.
absl::Status RunRevision(Session& session, const HistoryArguments& arguments) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListDifferencesResponse all,
                   client->ListDifferences(arguments.revision, arguments.kind, arguments.name));
  return session.Print(all, [&] {
    HistoryTable table;
    table.Add(all.revision(),
              FoldDifferences(all.differences(), std::numeric_limits<size_t>::max()));
    return table.Format();
  });
}

// That there is what has no history: it was trimmed, or nothing was ever set for the agent.
// Errors: NOT_FOUND; those of Client.
absl::Status CheckThere(Client& client, const std::string& kind, const std::string& name) {
  if (kind == "host") return client.GetHost(name).status();
  if (kind == "group") return client.GetGroup(name).status();
  if (kind == "profile") return client.GetProfile(name).status();
  if (kind == "distro") return client.GetDeclaredDistro(name).status();
  if (kind == "agent") return CheckAgentKnown(client, name);
  return absl::OkStatus();
}

absl::Status RunHistory(Session& session, const HistoryArguments& arguments) {
  if (arguments.revision < 0) return UsageError("--revision: expected the number of a revision");
  if (arguments.revision > 0) return RunRevision(session, arguments);
  if (arguments.count < 0) return UsageError("-n: expected a number of revisions, or 0 for all");
  const int limit = arguments.count == 0 ? std::numeric_limits<int>::max() : arguments.count;
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListHistoryResponse history,
                   client->ListHistory(arguments.kind, arguments.name, limit));
  if (history.entries().empty() && !arguments.name.empty()) {
    RETURN_IF_ERROR(CheckThere(*client, arguments.kind, arguments.name));
  }
  RETURN_IF_ERROR(session.Print(history, [&] { return HistoryText(history); }));
  if (session.is_table() && absl::c_any_of(history.entries(), [](const v1::HistoryEntry& entry) {
        return entry.more_differences() > 0;
      })) {
    session.Note("all that a revision changed: autopxectl history --revision NUMBER");
  }
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
       "which it is asked, for a host also a MAC. Who made a change is what they claimed. Of a\n"
       "revision that changed much, the beginning is told: --revision tells all.\n\n"
       "Examples:\n"
       "  autopxectl history\n"
       "  autopxectl history host cn017 -n 5\n"
       "  autopxectl history settings -o json\n"
       "  autopxectl history --revision 1207"},
      [&session, arguments] { return RunHistory(session, *arguments); });
  command.add_option("kind", arguments->kind)
      ->check(CLI::IsMember({"host", "group", "profile", "distro", "settings", "agent"}));
  command.add_option("name", arguments->name);
  command.add_option("-n,--revisions", arguments->count, "how many revisions (20); 0: all")
      ->type_name("NUMBER");
  command.add_option("--revision", arguments->revision, "all that this revision changed")
      ->type_name("NUMBER")
      ->excludes("--revisions");
}

}  // namespace autopxe::ctl
