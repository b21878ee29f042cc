#include "ctl/command.h"

#include <memory>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"

namespace autopxe::ctl {
namespace {

// The arguments under the names that people know them by, and not a second time as a list.
class CommandFormatter final : public CLI::Formatter {
 public:
  explicit CommandFormatter(std::string usage) : usage_(std::move(usage)) { column_width(28); }

  std::string make_usage(const CLI::App*, std::string) const override {
    return absl::StrCat("Usage: ", usage_, "\n");
  }
  std::string make_positionals(const CLI::App*) const override { return ""; }

 private:
  const std::string usage_;
};

std::string PathOf(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : absl::StrCat(PathOf(*app.get_parent()), " ", app.get_name());
}

}  // namespace

CLI::App& AddCommand(CLI::App& parent, Session& session, const CommandText& text,
                     std::function<absl::Status()> run) {
  CLI::App* command = parent.add_subcommand(text.name, text.summary);
  command->footer(
      absl::StrCat(text.details, "\n\n--server, --user and -o FORMAT: see autopxectl --help."));
  command->formatter(std::make_shared<CommandFormatter>(absl::StrCat(
      PathOf(*command), text.arguments.empty() ? "" : " ", text.arguments, " [OPTIONS]")));
  command->final_callback([&session, run = std::move(run)] { session.action = run; });
  return *command;
}

void AddChangeOptions(CLI::App& command, Session& session) {
  command.add_flag("--dry-run", session.dry_run, "only say what would change");
  command.add_flag("--force", session.force,
                   "change also which distro locked hosts boot; accept that a template's variables "
                   "reach nobody");
}

CLI::App& AddNoun(CLI::App& parent, const std::string& name, const std::string& summary) {
  CLI::App* noun = parent.add_subcommand(name, summary);
  noun->require_subcommand(1);
  noun->formatter(
      std::make_shared<CommandFormatter>(absl::StrCat(PathOf(*noun), " COMMAND [OPTIONS]")));
  noun->footer(absl::StrCat("\"", PathOf(*noun), " COMMAND --help\" shows an example of each."));
  return *noun;
}

}  // namespace autopxe::ctl
