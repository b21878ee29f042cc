#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ctl/session.h"

namespace CLI {
class App;
}

namespace autopxe::ctl {

// Which hosts a command is for: those that any of these names.
struct HostSelection {
  std::vector<std::string> words;  // Hostlists, names and MACs; "-" is standard input.
  std::string selector;            // -l
  bool has_selector = false;
  std::vector<std::string> files;  // -f
};

// For the --help of commands that take HOSTS.
extern const char kHostsHelp[];

// Adds -l and -f. `selection` outlives the command.
void AddSelectionOptions(CLI::App& command, HostSelection& selection);

// The hosts, each once, in the order in which they are named; what a selector adds comes last. What
// is no selector's is not looked up: the server refuses a name that it does not know.
// Errors: a usage error for what is no hostlist, with the file and its line, for a file that can't
// be read, and when nothing is named at all; NOT_FOUND: what is named selects no host; those of
// Client::ListHosts.
absl::StatusOr<std::vector<std::string>> SelectHosts(Session& session,
                                                     const HostSelection& selection);

}  // namespace autopxe::ctl
