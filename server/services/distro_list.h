#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/model/architecture.h"
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
  // What one agent offers under this name.
  struct Offer {
    std::string agent;    // Its id.
    std::string version;  // Empty where it does not know.
    Architecture architecture = Architecture::kUnknown;
    int64_t kernel_size = 0;  // Bytes, as of initrd_size.
    int64_t initrd_size = 0;

    friend bool operator==(const Offer&, const Offer&) = default;
  };
  std::vector<Offer> offers;  // Ascending by agent.

  friend bool operator==(const OfferedKernel&, const OfferedKernel&) = default;
};

// What all agents together offer, in the menu's order: by distro, release, then latest, previous,
// default and the versions from the newest. Immutable.
class DistroList {
 public:
  static DistroList Build(const Catalogs& catalogs);

  const std::vector<OfferedKernel>& kernels() const { return kernels_; }

  // A distro that can be assigned; both are null for a built-in one.
  struct Item {
    Distro distro;
    const OfferedKernel* kernel;
    std::shared_ptr<const DeclaredDistro> declared;
  };

  // Up to `count` distros after `after` (null: from the first): each kernel with each profile, then
  // the declared ones by name, then the built-in ones. `after` need not be in the list any more.
  std::vector<Item> Take(const Snapshot::Profiles& profiles,
                         const Snapshot::DeclaredDistros& declared, const Distro* after,
                         size_t count) const;

 private:
  std::vector<OfferedKernel> kernels_;
};

}  // namespace autopxe::server
