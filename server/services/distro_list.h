#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/model/distro.h"
#include "common/model/snapshot.h"
#include "server/plan/catalogs.h"

namespace autopxe::server {

// A kernel that some agents offer, under the name by which a distro names it.
struct OfferedKernel {
  std::string distro;
  std::string release;
  std::string kernel;
  std::vector<std::string>
      versions;  // Those it stands for, newest first: several when agents differ.
  std::vector<std::string> agents;  // Ids of those that offer it, ascending.

  friend bool operator==(const OfferedKernel&, const OfferedKernel&) = default;
};

// What all agents together offer, in the menu's order: by distro, release, then latest, previous,
// default and the versions from the newest. Immutable.
class DistroList {
 public:
  static DistroList Build(const Catalogs& catalogs);

  const std::vector<OfferedKernel>& kernels() const { return kernels_; }

  // A distro that can be assigned; kernel is null for a built-in one.
  struct Item {
    Distro distro;
    const OfferedKernel* kernel;
  };

  // Up to `count` distros after `after` (null: from the first): each kernel with each profile, then
  // the built-in ones. `after` need not be in the list any more.
  std::vector<Item> Take(const Snapshot::Profiles& profiles, const Distro* after,
                         size_t count) const;

 private:
  std::vector<OfferedKernel> kernels_;
};

}  // namespace autopxe::server
