#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "autopxe/v1/configuration.pb.h"
#include "tests/model/random_request.h"

namespace autopxe::tests {

using PlainVariables = std::map<std::string, std::string>;

// A whole configuration as texts; a distro may be empty, which says nothing.
struct PlainConfiguration {
  struct Host {
    std::string name;               // Empty: it is named by its first MAC.
    std::vector<std::string> macs;  // One at least.
    std::string standing, timed, next;
    bool timed_is_over = false;
    std::map<std::string, std::string> labels;
    PlainVariables variables;
  };
  struct Group {
    std::string name, key, value;  // The hosts whose label `key` is `value`,
    bool is_negated = false;       // or those for which it is not.
    int priority = 0;
    std::string distro;
    PlainVariables variables;
  };
  // A kernel with its initrds and its arguments, or what is chained. Files of PlainFiles, or URLs.
  struct Declared {
    std::string kernel, chain;  // One of them is empty.
    std::vector<std::string> initrds;
    std::string arguments, architecture;
  };
  struct Agent {
    std::string default_distro, rootfs_path_prefix;
    PlainVariables variables;
  };

  std::string default_distro, unknown_hosts, rootfs_path_prefix;
  int menu_timeout = 0;  // In seconds; 0: the default.
  PlainVariables variables;
  std::map<std::string, std::string> profiles;  // Name -> template.
  std::map<std::string, Declared> declared;     // By name.
  std::vector<Group> groups;
  std::vector<Host> hosts;
  std::map<std::string, Agent> agents;  // By id.
};

// Of every kind of part there are some, or none. `agents`: ids.
PlainConfiguration RandomConfiguration(Random& random, const std::vector<std::string>& agents);

// MACs that hosts of a random configuration have or could have.
std::vector<std::string> PlainMacs();

// What the files of declared distros are, ascending.
std::vector<std::string> PlainFiles();

// The batch that makes `next` of `before`: hosts and groups are all new. What ends by itself ends
// in 30 days, or did so an hour before `now`. REQUIRES: `next` declares what `before` does, as all
// random ones do.
v1::ApplyRequest BatchOf(const PlainConfiguration& before, const PlainConfiguration& next,
                         absl::Time now);

// What the host of this MAC boots at that agent, written straight from the rules: next boot, timed
// and standing assignment, groups by descending priority then name, the agent's default, the
// global one; a host that nobody has named by the setting unknown-hosts, or else by the defaults.
std::string NaiveDistro(const PlainConfiguration& configuration, const std::string& agent,
                        const std::string& mac);

// Whether `distro` is the bare name of a declared one that an agent without `lacked` (a file, or
// empty: it has all) can't boot: nobody has declared it, or that file is one of its own.
bool NaivelyLacks(const PlainConfiguration& configuration, const std::string& distro,
                  const std::string& lacked);

}  // namespace autopxe::tests
