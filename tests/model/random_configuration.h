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
  struct Agent {
    std::string default_distro, rootfs_path_prefix;
    PlainVariables variables;
  };

  std::string default_distro, unknown_hosts, rootfs_path_prefix;
  int menu_timeout = 0;  // In seconds; 0: the default.
  PlainVariables variables;
  std::map<std::string, std::string> profiles;  // Name -> template.
  std::vector<Group> groups;
  std::vector<Host> hosts;
  std::map<std::string, Agent> agents;  // By id.
};

// Of every kind of part there are some, or none. `agents`: ids.
PlainConfiguration RandomConfiguration(Random& random, const std::vector<std::string>& agents);

// MACs that hosts of a random configuration have or could have.
std::vector<std::string> PlainMacs();

// The batch that makes `next` of `before`: hosts and groups are all new. What ends by itself ends
// in 30 days, or did so an hour before `now`.
v1::ApplyRequest BatchOf(const PlainConfiguration& before, const PlainConfiguration& next,
                         absl::Time now);

// What the host of this MAC boots at that agent, written straight from the rules: next boot, timed
// and standing assignment, groups by descending priority then name, the agent's default, the
// global one; a host that nobody has named by the setting unknown-hosts, or else by the defaults.
std::string NaiveDistro(const PlainConfiguration& configuration, const std::string& agent,
                        const std::string& mac);

}  // namespace autopxe::tests
