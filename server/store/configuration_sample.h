#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/model/mutation.h"
#include "common/model/snapshot.h"
#include "server/plan/catalogs.h"

namespace autopxe::server {

// For tests: words become values; the test ends if they can't.
MacAddress SampleMac(int number);
Assign SampleAssign(int mac, absl::string_view distro);
Batch BatchOf(std::vector<Mutation> mutations);

// What one agent, "lab", offers: debian/bookworm/latest.
Catalogs SampleCatalogs();

// Declares a distro of this kernel, without initrds and arguments.
DeclareDistro SampleDeclare(absl::string_view name, absl::string_view kernel);

// Sets the profile "overlayfs" and the variable "nfs-server".
Batch SampleSetup();

// An update of an agent's settings that changes nothing yet.
UpdateAgentSettings SampleAgentUpdate(absl::string_view agent);

// One to five mutations of every kind, some of which can't be made, about a dozen hosts, profiles,
// agents and variables.
Batch RandomBatch(std::mt19937& random);

// All of a configuration as text, etags and ids included: equal for two that are the same.
std::string Describe(const Snapshot& snapshot);
std::string Describe(const Change& change);

}  // namespace autopxe::server
