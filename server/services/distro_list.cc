#include "server/services/distro_list.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/model/version_order.h"

namespace autopxe::server {
namespace {

// The order of dpkg, or of RPM where initrds are named as the RHEL family names them.
using CompareVersions = int (*)(absl::string_view, absl::string_view);

struct ByVersion {
  CompareVersions compare = CompareDebianVersions;

  // Newest first; versions that compare equal ("1.0" and "1.00") by their text.
  bool operator()(const std::string& a, const std::string& b) const {
    const int order = compare(a, b);
    return order != 0 ? order > 0 : a < b;
  }
};

struct Merged {
  std::set<std::string> versions;
  std::vector<OfferedKernel::Offer> offers;
};

struct MergedRelease {
  bool rpm = false;
  std::map<std::string, Merged> kernels;
};

// latest, previous and default stand before every version.
int Rank(const std::string& kernel) {
  constexpr std::array<const char*, 3> kFirst = {"latest", "previous", "default"};
  return static_cast<int>(std::find(kFirst.begin(), kFirst.end(), kernel) - kFirst.begin());
}

std::array<Distro, 4> BuiltIns() {
  return {Distro::Local(), Distro::Menu(), Distro::Wait(), Distro::Ignore()};
}

}  // namespace

DistroList DistroList::Build(const Catalogs& catalogs) {
  std::map<std::pair<std::string, std::string>, MergedRelease> releases;
  for (const auto& [agent, catalog] : catalogs) {
    for (const CatalogDistro& distro : catalog->distros) {
      for (const CatalogRelease& release : distro.releases) {
        MergedRelease& merged = releases[{distro.name, release.name}];
        for (const CatalogKernel& kernel : release.kernels) {
          Merged& entry = merged.kernels[kernel.name];
          if (!kernel.version.empty()) entry.versions.insert(kernel.version);
          entry.offers.push_back({.agent = agent.text(),
                                  .version = kernel.version,
                                  .architecture = kernel.architecture,
                                  .kernel_size = kernel.kernel_size,
                                  .initrd_size = kernel.initrd_size});
          if (absl::StrContains(kernel.initrd_path, "initramfs-")) merged.rpm = true;
        }
      }
    }
  }
  DistroList list;
  for (auto& [name, release] : releases) {
    const ByVersion newer{release.rpm ? CompareRpmVersions : CompareDebianVersions};
    const size_t first = list.kernels_.size();
    for (auto& [kernel, merged] : release.kernels) {
      OfferedKernel offered;
      offered.distro = name.first;
      offered.release = name.second;
      offered.kernel = kernel;
      offered.versions.assign(merged.versions.begin(), merged.versions.end());
      std::sort(offered.versions.begin(), offered.versions.end(), newer);
      offered.offers = std::move(merged.offers);
      list.kernels_.push_back(std::move(offered));
    }
    std::sort(list.kernels_.begin() + static_cast<ptrdiff_t>(first), list.kernels_.end(),
              [&](const OfferedKernel& a, const OfferedKernel& b) {
                const int rank_a = Rank(a.kernel), rank_b = Rank(b.kernel);
                return rank_a != rank_b ? rank_a < rank_b : newer(a.kernel, b.kernel);
              });
  }
  return list;
}

std::vector<DistroList::Item> DistroList::Take(const Snapshot::Profiles& profiles,
                                               const Snapshot::DeclaredDistros& declared,
                                               const Distro* after, size_t count) const {
  std::vector<Item> items;
  size_t row = 0;
  const std::string* after_profile = nullptr;  // Within the first row.
  if (after != nullptr && after->kind() != Distro::Kind::kKernel) {
    row = kernels_.size();
  } else if (after != nullptr) {
    // A kernel that is gone leaves the order of versions to guess from; then the page begins at its
    // release, so that nothing is left out.
    const auto key = std::tie(after->name(), after->release());
    const auto first = std::lower_bound(kernels_.begin(), kernels_.end(), key,
                                        [](const OfferedKernel& offered, const auto& wanted) {
                                          return std::tie(offered.distro, offered.release) < wanted;
                                        });
    row = static_cast<size_t>(first - kernels_.begin());
    for (size_t i = row; i < kernels_.size(); ++i) {
      if (std::tie(kernels_[i].distro, kernels_[i].release) != key) break;
      if (kernels_[i].kernel != after->kernel()) continue;
      row = i;
      after_profile = &after->profile();
      break;
    }
  }
  for (; row < kernels_.size() && items.size() < count; ++row) {
    const OfferedKernel& offered = kernels_[row];
    for (const auto& [profile, unused] : profiles) {
      if (items.size() == count) break;
      if (after_profile != nullptr && profile.text() <= *after_profile) continue;
      // Every part is one that a distro can have: the catalog's by its own rule, the profile's by a
      // narrower one.
      absl::StatusOr<Distro> distro = Distro::Parse(absl::StrCat(
          offered.distro, "/", offered.release, "/", offered.kernel, "/", profile.text()));
      if (distro.ok()) items.push_back({*std::move(distro), &offered, nullptr});
    }
    after_profile = nullptr;
  }
  const bool is_built_in = after != nullptr && after->kind() != Distro::Kind::kKernel &&
                           after->kind() != Distro::Kind::kDeclared;
  for (const auto& [name, one] : declared) {
    if (is_built_in || items.size() == count) break;
    const bool is_behind =
        after == nullptr || after->kind() != Distro::Kind::kDeclared || after->name() < name.text();
    if (is_behind) items.push_back({Distro::Declared(name), nullptr, one});
  }
  bool reached = !is_built_in;
  for (const Distro& built_in : BuiltIns()) {
    if (reached && items.size() < count) items.push_back({built_in, nullptr, nullptr});
    if (!reached && built_in == *after) reached = true;
  }
  return items;
}

}  // namespace autopxe::server
