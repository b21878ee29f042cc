#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"
#include "common/wire/mutation_wire.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/import/host_batch.h"
#include "ctl/import/host_csv.h"
#include "ctl/import/host_record.h"
#include "ctl/import/host_yaml.h"
#include "ctl/input_file.h"

namespace autopxe::ctl {
namespace {

struct ImportArguments {
  std::string file;
  std::string format;  // "csv" or "yaml"; empty: as the file's name ends.
};

// Errors: a usage error.
absl::StatusOr<std::string> FormatOf(const ImportArguments& arguments) {
  if (!arguments.format.empty()) return arguments.format;
  if (absl::EndsWithIgnoreCase(arguments.file, ".csv")) return "csv";
  for (const char* end : {".yaml", ".yml"}) {
    if (absl::EndsWithIgnoreCase(arguments.file, end)) return "yaml";
  }
  return UsageError(absl::StrCat("host import: can't tell by its name what is in ",
                                 Quote(arguments.file), "; say --format csv or --format yaml"));
}

// More would hide how they begin, and most often have one cause.
constexpr size_t kMaxProblemsTold = 20;

// Tells the first problems, a line each, and says that nothing was changed.
absl::Status Refuse(Session& session, const std::string& file,
                    const std::vector<ImportProblem>& problems) {
  for (size_t i = 0; i < problems.size() && i < kMaxProblemsTold; ++i) {
    const ImportProblem& problem = problems[i];
    session.Note(absl::StrCat(file, ":", problem.place.line, ":", problem.place.column, ": ",
                              problem.message));
  }
  if (problems.size() > kMaxProblemsTold) {
    session.Note(absl::StrCat(file, ": and ", problems.size() - kMaxProblemsTold, " more"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": ", problems.size(), problems.size() == 1 ? " thing" : " things",
                   " can't be taken, so nothing was changed; mend the file and import it again"));
}

// The server's refusal, at the places of the file.
std::vector<ImportProblem> PlacesOf(const std::vector<Problem>& problems, const HostBatch& batch) {
  std::vector<ImportProblem> result;
  for (const Problem& problem : problems) {
    if (problem.mutation < 0 || problem.mutation >= static_cast<int>(batch.places.size())) continue;
    result.push_back({batch.places[problem.mutation], problem.message});
  }
  return result;
}

absl::Status RunImport(Session& session, const ImportArguments& arguments) {
  ASSIGN_OR_RETURN(const std::string format, FormatOf(arguments));
  ASSIGN_OR_RETURN(const std::string text, ReadInput(arguments.file, session.in()));
  const std::string file = arguments.file == "-" ? "standard input" : arguments.file;
  const HostRecords read =
      ReadHostRecords(format == "csv" ? ParseHostCsv(text) : ParseHostYaml(text));
  if (!read.problems.empty()) return Refuse(session, file, read.problems);

  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListHostsResponse current, client->ListHosts(""));
  const HostBatch batch = BuildHostBatch(read.records, current);
  if (!batch.problems.empty()) return Refuse(session, file, batch.problems);
  session.Note(absl::StrCat(file, ": ", batch.created, " new, ", batch.known, " known"));
  if (batch.mutations.empty()) return absl::OkStatus();

  v1::ApplyRequest request;
  for (const Mutation& mutation : batch.mutations) *request.add_mutations() = ToProto(mutation);
  *request.mutable_options() = session.BuildRequestOptions();
  std::vector<Problem> problems;
  const absl::StatusOr<v1::ApplyResponse> response = client->Apply(request, &problems);
  if (!response.ok()) {
    const std::vector<ImportProblem> placed = PlacesOf(problems, batch);
    return placed.empty() ? response.status() : Refuse(session, file, placed);
  }
  return session.PrintChange(*response);
}

}  // namespace

void AddHostImportCommand(CLI::App& host, Session& session) {
  const auto arguments = std::make_shared<ImportArguments>();
  CLI::App& command = AddCommand(
      host, session,
      {"import", "FILE", "Create and update hosts from CSV or YAML, all of them or none",
       "CSV: the first line names the columns: name, macs (several between ';'), distro, note,\n"
       "label.KEY, var.NAME. YAML: a list of mappings with name, macs, labels, variables, distro, "
       "note.\n"
       "What the file does not say, or leaves empty, stays; of macs a known host gets exactly "
       "those "
       "of the file.\n"
       "A host that was known only by its MAC gets its name. Distros that no agent offers yet are\n"
       "taken with a warning. FILE - is standard input.\n\n"
       "Examples:\n"
       "  autopxectl host import hosts.csv --dry-run\n"
       "  autopxectl host import - --format yaml < inventory"},
      [&session, arguments] { return RunImport(session, *arguments); });
  command.add_option("file", arguments->file)->required();
  command.add_option("--format", arguments->format, "csv or yaml, where the name does not tell")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"csv", "yaml"}));
  AddChangeOptions(command, session);
}

}  // namespace autopxe::ctl
