#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/model/hostlist.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/decision_text.h"
#include "ctl/exit_code.h"
#include "ctl/host_selection.h"
#include "ctl/known_hosts.h"
#include "ctl/table.h"

namespace autopxe::ctl {
namespace {

struct ResolveArguments {
  HostSelection hosts;
  std::string agent;
  bool fold = false;
};

// All that is told of a decision, but whose it is.
std::vector<std::string> CellsOf(const v1::Decision& decision) {
  return {decision.distro(), DistroOriginText(decision), OutcomeText(decision)};
}

std::string DecisionsText(const v1::ListDecisionsResponse& decisions) {
  Table table({"HOST", "DISTRO", "BY", "OUTCOME"});
  for (const v1::Decision& decision : decisions.decisions()) {
    std::vector<std::string> cells = CellsOf(decision);
    cells.insert(cells.begin(), decision.host());
    table.Add(std::move(cells));
  }
  return table.Format();
}

// The same, without the host's name, with which the sentence of one that can't boot begins.
std::vector<std::string> CellsToFold(v1::Decision decision) {
  absl::string_view missing = decision.missing();
  if (absl::ConsumePrefix(&missing, absl::StrCat("Host ", decision.host(), " "))) {
    decision.set_missing(absl::StrCat("the host ", missing));
  }
  return CellsOf(decision);
}

// Hosts alike in one row, where the first of them stands.
std::string FoldedText(const v1::ListDecisionsResponse& decisions) {
  struct Row {
    std::vector<std::string> hosts;
    std::vector<std::string> cells;
  };
  std::vector<Row> rows;
  std::map<std::vector<std::string>, size_t> rows_by_cells;
  for (const v1::Decision& decision : decisions.decisions()) {
    std::vector<std::string> cells = CellsToFold(decision);
    const auto [found, is_new] = rows_by_cells.try_emplace(cells, rows.size());
    if (is_new) rows.push_back({{}, std::move(cells)});
    rows[found->second].hosts.push_back(decision.host());
  }
  Table table({"COUNT", "HOSTS", "DISTRO", "BY", "OUTCOME"});
  for (Row& row : rows) {
    const size_t count = row.hosts.size();
    row.cells.insert(row.cells.begin(),
                     {absl::StrCat(count), Hostlist::Of(std::move(row.hosts)).Format()});
    table.Add(std::move(row.cells));
  }
  return table.Format();
}

absl::Status RunResolve(Session& session, const ResolveArguments& arguments) {
  if (arguments.fold && !session.is_table()) {
    return UsageError("resolve: --fold is for the table only: leave out --fold or -o");
  }
  ASSIGN_OR_RETURN(const Known<v1::ListDecisionsResponse> known,
                   ReadDecisions(session, arguments.hosts, arguments.agent));
  const v1::ListDecisionsResponse& decisions = known.response;
  RETURN_IF_ERROR(session.Print(decisions, [&] {
    return arguments.fold ? FoldedText(decisions) : DecisionsText(decisions);
  }));
  return CheckAllKnown(session, known.unknown);
}

}  // namespace

void AddResolveCommand(CLI::App& app, Session& session) {
  const auto arguments = std::make_shared<ResolveArguments>();
  CLI::App& command = AddCommand(
      app, session,
      {"resolve", "[HOSTS]", "What many hosts boot, and by which rule",
       absl::StrCat(
           kHostsHelp,
           "\nWithout HOSTS every host is told. One that is unknown makes the exit code 1, when "
           "the\n"
           "others have been told.\n\n"
           "BY says which rule: next boot, until a time, assignment, group, agent's default, "
           "default.\n"
           "Without --agent the configuration alone is asked: no agent's default distro, and not\n"
           "whether the files are there. Why in full, for one host: autopxectl explain.\n\n"
           "Examples:\n"
           "  autopxectl resolve 'cn[001-128]!cn[7-8]'\n"
           "  autopxectl resolve -l rack=r1\n"
           "  autopxectl resolve --agent rack1 --fold")},
      [&session, arguments] { return RunResolve(session, *arguments); });
  command.add_option("words", arguments->hosts.words);
  AddSelectionOptions(command, arguments->hosts);
  command.add_option("--agent", arguments->agent, "as this agent decides")->type_name("AGENT");
  command.add_flag("--fold", arguments->fold, "hosts that boot alike in one row of the table");
}

}  // namespace autopxe::ctl
