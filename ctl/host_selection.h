#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ctl/session.h"

namespace CLI {
class App;
}

namespace autopxe::ctl {

// Which hosts a command is for: those that any of these names, without those of a word or line that
// begins with '!'.
struct HostSelection {
  std::vector<std::string> words;  // Hostlists, names and MACs; "-" is standard input.
  std::string selector;            // -l
  bool has_selector = false;
  std::vector<std::string> files;  // -f

  bool empty() const { return words.empty() && files.empty() && !has_selector; }
};

// What a selection says without its selector.
struct NamedHosts {
  std::vector<std::string> names;  // Each once, in the order in which they are named.
  std::set<std::string> excluded;  // Names alone, as the server writes them.
};

// For the --help of commands that take HOSTS.
extern const char kHostsHelp[];

// Adds -l and -f. `selection` outlives the command.
void AddSelectionOptions(CLI::App& command, HostSelection& selection);

// A name or a MAC as the server writes it; `text` itself if it is neither.
std::string CanonicalHost(const std::string& text);

// Errors: a usage error for what is no hostlist, with the file and its line, for an empty selector,
// and for a file that can't be read.
absl::StatusOr<NamedHosts> ReadNamedHosts(Session& session, const HostSelection& selection);

// Whether `excluded` has the host that is called so, in any letter case.
bool IsExcluded(const std::set<std::string>& excluded, const std::string& host);

// The hosts, each once, in the order in which they are named; what a selector adds comes last. What
// is no selector's is not looked up: the server refuses a name that it does not know.
// A name or a MAC as the server writes it; `text` itself if it is neither.
std::string CanonicalHost(const std::string& text);

// Errors: a usage error for what is no hostlist, with the file and its line, for a file that can't
// be read, and when nothing is named at all; NOT_FOUND: what is named selects no host; those of
// Client::ListHosts.
absl::StatusOr<std::vector<std::string>> SelectHosts(Session& session,
                                                     const HostSelection& selection);

}  // namespace autopxe::ctl
