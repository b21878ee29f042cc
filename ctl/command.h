#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "ctl/session.h"

namespace CLI {
class App;
}

namespace autopxe::ctl {

// How a command is described by --help.
struct CommandText {
  std::string name;       // "assign".
  std::string arguments;  // "HOST... DISTRO".
  std::string summary;
  std::string details;  // Further lines, the examples among them.
};

// Adds a command below `parent`. `run` is the session's action if the command is named, after its
// options have been read.
CLI::App& AddCommand(CLI::App& parent, Session& session, const CommandText& text,
                     std::function<absl::Status()> run);

// Gives a command that changes something --dry-run and --force; see Session::BuildRequestOptions().
void AddChangeOptions(CLI::App& command, Session& session);

// Adds a word that only groups commands: "host".
CLI::App& AddNoun(CLI::App& parent, const std::string& name, const std::string& summary);

}  // namespace autopxe::ctl
