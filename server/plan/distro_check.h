#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/optional.h"
#include "common/model/declared_distro.h"
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

  // What is wrong with a distro.
  struct Finding {
    Problem problem;      // Its field and mutation are for the caller to fill.
    std::string warning;  // The same where a distro may be missing, but for what is meant.
    std::string advice;   // `did you mean "debian/bookworm/latest/nfsrw"?`, or empty.
  };

  // What is wrong with `distro`; nothing if nothing is. Of a kernel: its profile is none of
  // `profiles`, or it is not offered. Of a declared one: it is none of `declared`, or no agent has
  // all its files.
  absl::optional<Finding> Check(const Distro& distro, const Snapshot::Profiles& profiles,
                                const Snapshot::DeclaredDistros& declared);

  // "no agent has its file "memtest/mt86plus""; empty if an agent has all its files.
  const std::string& Lacking(const std::shared_ptr<const DeclaredDistro>& distro);

 private:
  // An agent, and what it offers.
  struct Offer {
    std::string agent;
    const Catalog* catalog;
  };

  absl::optional<Finding> CheckKernel(const Distro& distro, const Snapshot::Profiles& profiles);
  absl::optional<Finding> CheckDeclared(const Distro& distro, const Snapshot::Profiles& profiles,
                                        const Snapshot::DeclaredDistros& declared);
  bool IsOffered(const Distro& distro);
  std::string FindLacking(const DeclaredDistro& distro) const;
  // Fills in the suggestions and the advice of a finding, whose warning is there, by `suggest`.
  template <typename SuggestFor>
  void TakeSuggestions(Finding& finding, SuggestFor suggest);
  std::vector<std::string> KernelSuggestions(const Distro& distro,
                                             const Snapshot::Profiles& profiles);
  // For what is no declared distro's name: one that is, a built-in, or a kernel of whose name this
  // is a part.
  std::vector<std::string> NameSuggestions(const std::string& name,
                                           const Snapshot::Profiles& profiles,
                                           const Snapshot::DeclaredDistros& declared);
  // Gathers offered_names_ as well.
  const std::vector<std::string>& OfferedKernels();

  std::vector<Offer> offers_;
  bool is_of_one_agent_;
  std::string not_offered_;
  std::string nothing_offered_;  // What there is to say if that holds for every kernel.
  bool anything_offered_ = false;
  absl::flat_hash_map<Distro, bool> offered_;
  absl::flat_hash_map<std::shared_ptr<const DeclaredDistro>, std::string> lacking_;
  absl::optional<std::vector<std::string>> offered_kernels_;  // "debian/bookworm/latest".
  std::vector<std::string> offered_names_;  // Of distros and releases, each once: "bookworm".
  // Comparing with everything that is offered is dear, and nobody reads a thousand suggestions.
  int suggestions_left_ = 20;
  // By distro and what is wrong with it: thousands of hosts may be assigned the same typo.
  absl::flat_hash_map<std::string, std::vector<std::string>> suggestions_;
};

}  // namespace autopxe::server
