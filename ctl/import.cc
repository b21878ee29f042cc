#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "common/wire/mutation_wire.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/import/autopxe_config.h"
#include "ctl/input_file.h"
#include "ctl/terminal_text.h"

namespace autopxe::ctl {
namespace {

std::string LineText(const std::string& file, const ImportedKey& key) {
  return absl::StrCat(TerminalText(file), ":", key.line, ": ", TerminalText(key.key), ": ",
                      TerminalMessage(key.outcome));
}

absl::Status RunImport(Session& session, const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadInput(file, session.in()));
  ASSIGN_OR_RETURN(const Import import, ParseAutopxeConfig(text, file));

  // The report is the answer for people; a script's answer is the change, and the report goes
  // beside it.
  std::vector<ImportedKey> keys = import.keys;
  keys.insert(keys.end(), import.unknown.begin(), import.unknown.end());
  std::stable_sort(keys.begin(), keys.end(),
                   [](const ImportedKey& a, const ImportedKey& b) { return a.line < b.line; });
  const auto refused = [&](size_t count) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", count, count == 1 ? " key" : " keys",
                     " can't be taken, so nothing was changed; mend the file and import it again"));
  };
  if (!import.refused.empty()) {
    for (const ImportedKey& key : import.refused) session.Note(LineText(file, key));
    return refused(import.refused.size());
  }

  absl::StatusOr<v1::ApplyResponse> response = v1::ApplyResponse();
  if (!import.mutations.empty()) {
    v1::ApplyRequest request;
    for (const Mutation& mutation : import.mutations) *request.add_mutations() = ToProto(mutation);
    *request.mutable_options() = session.BuildRequestOptions();
    ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
    std::vector<Problem> problems;
    response = client->Apply(request, &problems);
    if (!response.ok()) {
      size_t named = 0;
      for (const Problem& problem : problems) {
        if (problem.mutation < 0 ||
            problem.mutation >= static_cast<int>(import.mutation_keys.size())) {
          continue;
        }
        ImportedKey key = import.mutation_keys[problem.mutation];
        key.outcome = problem.message;
        session.Note(LineText(file, key));
        ++named;
      }
      return named > 0 ? refused(named) : response.status();
    }
  }
  for (const ImportedKey& key : keys) {
    const std::string line = LineText(file, key);
    if (session.is_table()) {
      session.out() << line << '\n';
    } else {
      session.Note(line);
    }
  }
  return session.PrintChange(*response);
}

}  // namespace

void AddImportCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "import", "Take over the configuration of another program");
  const auto file = std::make_shared<std::string>();
  CLI::App& command =
      AddCommand(noun, session,
                 {"autopxe", "FILE", "Take a config.yaml of AutoPXE, whole or not at all",
                  "Says what it does with each key: Env becomes variables, CmdlineTemplates "
                  "profiles, HostDefaults\n"
                  "assignments, DefaultDistro the default distro, RootfsPath the "
                  "rootfs-path-prefix. Distros that no agent offers\n"
                  "yet are taken with a warning.\n\n"
                  "Example:\n  autopxectl import autopxe /config.yaml --dry-run"},
                 [&session, file] { return RunImport(session, *file); });
  command.add_option("file", *file)->required();
  AddChangeOptions(command, session);
}

}  // namespace autopxe::ctl
