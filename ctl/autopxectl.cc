#include "ctl/autopxectl.h"

#include <algorithm>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/model/quote.h"
#include "common/runtime/version.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/terminal_text.h"

namespace autopxe::ctl {
namespace {

constexpr char kFooter[] =
    R"(HOST is a name or a MAC in any usual form; HOSTS are several, 'cn[001-128]' among them (see autopxectl assign
--help). DISTRO is name/release/kernel/profile, a declared distro's name, or local, menu, wait or ignore. The server is --server, or AUTOPXE_SERVER, or the key server of ~/.config/autopxe/ctl.yaml or
/etc/autopxe/ctl.yaml, or 127.0.0.1:7766.

Exit codes: 0 done, 1 refused, 2 the command line is wrong, 3 no server answered, or what --wait waits for did not come in
time.

Examples:
  autopxectl import autopxe config.yaml
  autopxectl assign 52:54:00:12:34:56 debian/bookworm/latest/overlayfs --wait
  autopxectl assign 'cn[001-128]' debian/bookworm/latest/overlayfs
  autopxectl explain cn017
  autopxectl assign --help)";

int Fail(const Environment& environment, ExitCode code, absl::string_view message) {
  environment.err << "autopxectl: " << TerminalMessage(message) << '\n';
  return code;
}

// CLI11 takes a word in brackets, "[rma 17]", for a list of its own, and drops the brackets. So
// such words pass it with a sign at their end that nobody types.
constexpr char kEndOfWord[] = "\x1f";

std::vector<std::string> MarkBrackets(std::vector<std::string> args) {
  for (std::string& word : args) {
    if (absl::StartsWith(word, "[") && absl::EndsWith(word, "]")) word += kEndOfWord;
  }
  return args;
}

void UnmarkBrackets(CLI::App& app) {
  const CLI::Validator unmark(
      [](std::string& word) {
        if (absl::EndsWith(word, kEndOfWord)) word.pop_back();
        return std::string();
      },
      "");
  for (CLI::Option* option : app.get_options()) option->transform(unmark);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    UnmarkBrackets(*command);
  }
}

// CLI11's message, but for the cases in which it does not name what people see, and where to look.
std::string ExplainParseError(CLI::App& app, const CLI::ParseError& error) {
  std::string path = app.get_name();
  const CLI::App* deepest = &app;
  while (!deepest->get_subcommands().empty()) {
    deepest = deepest->get_subcommands().front();
    absl::StrAppend(&path, " ", deepest->get_name());
  }
  const std::vector<std::string> left = app.remaining(/*recurse=*/true);
  std::string what = error.what();
  if (deepest->get_require_subcommand_min() > 0) {
    what =
        left.empty() ? "a command is missing" : absl::StrCat(Quote(left.front()), " is no command");
  } else if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    what = "an argument is missing";
  }
  return absl::StrReplaceAll(absl::StrCat(what, "; see ", path, " --help"), {{kEndOfWord, ""}});
}

}  // namespace

int Run(const std::vector<std::string>& args, const Environment& environment) {
  Session session(environment);
  CLI::App app("Says which host boots which distro over the network.", "autopxectl");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();  // The common options may stand behind the command; inherited.
  std::string server;
  std::string user;
  const CLI::Option* server_option =
      app.add_option("--server", server, "the server to talk to")->type_name("HOST:PORT");
  const CLI::Option* user_option =
      app.add_option("--user", user, "who you are, for the record ($USER@host)")->type_name("NAME");
  app.add_option("-o,--output", session.output, "table, json or yaml")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  app.set_version_flag("--version", absl::StrCat("autopxectl ", kVersion));
  AddAssignCommands(app, session);
  AddHostCommands(app, session);
  AddGroupCommands(app, session);
  AddDistroCommands(app, session);
  AddProfileCommands(app, session);
  AddSettingsCommands(app, session);
  AddAgentCommands(app, session);
  AddExplainCommands(app, session);
  AddResolveCommand(app, session);
  AddHistoryCommand(app, session);
  AddImportCommands(app, session);
  AddBackupCommand(app, session);
  AddVersionCommand(app, session);
  UnmarkBrackets(app);

  try {
    // CLI11 takes them from the back.
    app.parse(MarkBrackets({args.rbegin(), args.rend()}));
  } catch (const CLI::CallForVersion& version) {
    environment.out << version.what() << '\n';
    return kExitOk;
  } catch (const CLI::CallForHelp&) {
    environment.out << app.help();
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    return Fail(environment, kExitUsage, ExplainParseError(app, error));
  }
  if (server_option->count() > 0) session.server = server;
  if (user_option->count() > 0) session.user = user;

  const absl::Status status = session.action();
  environment.out.flush();
  if (!environment.out.good()) {
    return Fail(environment, kExitRefused, "can't write to standard output");
  }
  if (!status.ok()) return Fail(environment, ExitCodeOf(status), std::string(status.message()));
  return kExitOk;
}

}  // namespace autopxe::ctl
