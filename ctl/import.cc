#include <algorithm>
#include <fstream>
#include <memory>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"
#include "common/wire/mutation_wire.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/import/autopxe_config.h"
#include "ctl/terminal_text.h"

namespace autopxe::ctl {
namespace {

struct ImportArguments {
  std::string file;
  bool dry_run = false;
};

constexpr size_t kMaxSize = 16 << 20;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxSize + 1, '\0');
  if (!file.is_open() || !file.read(text.data(), text.size()).eof()) {
    return UsageError(absl::StrCat("import: can't read ", Quote(path), ", or it is larger than ",
                                   kMaxSize >> 20, " MiB"));
  }
  text.resize(file.gcount());
  return text;
}

std::string LineText(const std::string& file, const ImportedKey& key) {
  return absl::StrCat(TerminalText(file), ":", key.line, ": ", TerminalText(key.key), ": ",
                      TerminalMessage(key.outcome));
}

absl::Status RunImport(Session& session, const ImportArguments& arguments) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(arguments.file));
  ASSIGN_OR_RETURN(const Import import, ParseAutopxeConfig(text, arguments.file));

  // The report is the answer for people; a script's answer is the change, and the report goes
  // beside it.
  std::vector<ImportedKey> keys = import.keys;
  keys.insert(keys.end(), import.unknown.begin(), import.unknown.end());
  std::stable_sort(keys.begin(), keys.end(),
                   [](const ImportedKey& a, const ImportedKey& b) { return a.line < b.line; });
  const auto refused = [&](size_t count) {
    return absl::InvalidArgumentError(
        absl::StrCat(arguments.file, ": ", count, count == 1 ? " key" : " keys",
                     " can't be taken, so nothing was changed; mend the file and import it again"));
  };
  if (!import.refused.empty()) {
    for (const ImportedKey& key : import.refused) session.Note(LineText(arguments.file, key));
    return refused(import.refused.size());
  }

  absl::StatusOr<v1::ApplyResponse> response = v1::ApplyResponse();
  if (!import.mutations.empty()) {
    v1::ApplyRequest request;
    for (const Mutation& mutation : import.mutations) *request.add_mutations() = ToProto(mutation);
    *request.mutable_options() = session.BuildRequestOptions();
    request.mutable_options()->set_validate_only(arguments.dry_run);
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
        session.Note(LineText(arguments.file, key));
        ++named;
      }
      return named > 0 ? refused(named) : response.status();
    }
  }
  for (const ImportedKey& key : keys) {
    const std::string line = LineText(arguments.file, key);
    if (session.is_table()) {
      session.out() << line << '\n';
    } else {
      session.Note(line);
    }
  }
  return session.PrintChange(*response, arguments.dry_run);
}

}  // namespace

void AddImportCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "import", "Take over the configuration of another program");
  const auto arguments = std::make_shared<ImportArguments>();
  CLI::App& command =
      AddCommand(noun, session,
                 {"autopxe", "FILE", "Take a config.yaml of AutoPXE, whole or not at all",
                  "Says what it does with each key: Env becomes variables, CmdlineTemplates "
                  "profiles, HostDefaults\n"
                  "assignments, DefaultDistro the default distro, RootfsPath the "
                  "rootfs-path-prefix. Distros that no agent offers\n"
                  "yet are taken with a warning.\n\n"
                  "Example:\n  autopxectl import autopxe /config.yaml --dry-run"},
                 [&session, arguments] { return RunImport(session, *arguments); });
  command.add_option("file", arguments->file)->required();
  command.add_flag("--dry-run", arguments->dry_run, "only say what would change");
}

}  // namespace autopxe::ctl
