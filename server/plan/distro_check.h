#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/optional.h"
#include "common/model/distro.h"
#include "common/model/snapshot.h"
#include "common/status/problem.h"
#include "server/plan/catalogs.h"

namespace autopxe::server {

// Tells whether distros can be booted, for one batch: asking for the same one again costs next to
// nothing.
class DistroCheck {
 public:
  // By any agent. `catalogs` must outlive it.
  explicit DistroCheck(const Catalogs& catalogs);
  // By this agent. `catalog` must outlive it.
  DistroCheck(const AgentId& agent, const Catalog& catalog);

  // What is wrong with `distro`: its profile is none of `profiles`, or its kernel is not offered.
  // The problem's field and mutation are for the caller to fill. Empty if nothing is.
  absl::optional<Problem> Check(const Distro& distro, const Snapshot::Profiles& profiles);

  // "no agent offers it".
  const std::string& not_offered() const { return not_offered_; }

 private:
  bool IsOffered(const Distro& distro);
  std::vector<std::string> Suggestions(const Distro& distro, const Snapshot::Profiles& profiles);
  const std::vector<std::string>& OfferedKernels();

  std::vector<const Catalog*> catalogs_;
  std::string not_offered_;
  std::string nothing_offered_;  // What there is to say if that holds for every kernel.
  bool anything_offered_ = false;
  absl::flat_hash_map<Distro, bool> offered_;
  absl::optional<std::vector<std::string>> offered_kernels_;  // "debian/bookworm/latest".
  // Comparing with everything that is offered is dear, and nobody reads a thousand suggestions.
  int suggestions_left_ = 20;
};

}  // namespace autopxe::server
