#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"

namespace autopxe::ctl {

// The settings under the keys of the command line, the variables in the order of their names.
std::vector<std::pair<std::string, std::string>> SettingsByKey(const v1::Settings& settings);
std::vector<std::pair<std::string, std::string>> SettingsByKey(const v1::AgentSettings& settings);

// The change that sets a key. Errors: a usage error for a key that does not exist, naming those
// that do, and for a time that is none.
absl::StatusOr<v1::Mutation::UpdateSettings> SetKey(const std::string& key,
                                                    const std::string& value);
// The same for the hosts of one agent.
absl::StatusOr<v1::Mutation::UpdateAgentSettings> SetAgentKey(const std::string& agent,
                                                              const std::string& key,
                                                              const std::string& value);

// The change that returns a key to its default. Errors: the same.
absl::StatusOr<v1::Mutation::UpdateSettings> UnsetKey(const std::string& key);
// The change that returns a key to what holds for every agent. Errors: the same.
absl::StatusOr<v1::Mutation::UpdateAgentSettings> UnsetAgentKey(const std::string& agent,
                                                                const std::string& key);

}  // namespace autopxe::ctl
