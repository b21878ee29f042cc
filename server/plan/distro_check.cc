#include "server/plan/distro_check.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "boot/suggestion.h"
#include "common/model/quote.h"

namespace autopxe::server {
namespace {

constexpr size_t kMaxSuggestions = 3;

}  // namespace

DistroCheck::DistroCheck(const Catalogs& catalogs)
    : not_offered_("no agent offers it"),
      nothing_offered_(
          "no agent has reported yet what it offers; start an agent, or assign it with "
          "--allow-missing") {
  for (const auto& [agent, catalog] : catalogs) {
    catalogs_.push_back(catalog.get());
    // Asked until one does: each request asks, and there may be many agents.
    anything_offered_ = anything_offered_ || catalog->KernelCount() > 0;
  }
}

DistroCheck::DistroCheck(const AgentId& agent, const Catalog& catalog)
    : catalogs_({&catalog}),
      not_offered_(absl::StrCat("agent ", Quote(agent.text()), " does not offer it")),
      nothing_offered_(absl::StrCat("agent ", Quote(agent.text()),
                                    " offers no kernel at all; fill its rootfs folder, or set it "
                                    "with --allow-missing")),
      anything_offered_(catalog.KernelCount() > 0) {}

bool DistroCheck::IsOffered(const Distro& distro) {
  const auto [known, added] = offered_.try_emplace(distro, false);
  if (added) {
    known->second = std::any_of(catalogs_.begin(), catalogs_.end(), [&](const Catalog* catalog) {
      const CatalogRelease* const release = catalog->FindRelease(distro.name(), distro.release());
      return release != nullptr && release->FindKernel(distro.kernel()) != nullptr;
    });
  }
  return known->second;
}

const std::vector<std::string>& DistroCheck::OfferedKernels() {
  if (offered_kernels_) return *offered_kernels_;
  offered_kernels_.emplace();
  absl::flat_hash_set<std::string> seen;
  for (const Catalog* const catalog : catalogs_) {
    for (const CatalogDistro& distro : catalog->distros) {
      for (const CatalogRelease& release : distro.releases) {
        for (const CatalogKernel& kernel : release.kernels) {
          std::string name = absl::StrCat(distro.name, "/", release.name, "/", kernel.name);
          if (seen.insert(name).second) offered_kernels_->push_back(std::move(name));
        }
      }
    }
  }
  return *offered_kernels_;
}

std::vector<std::string> DistroCheck::Suggestions(const Distro& distro,
                                                  const Snapshot::Profiles& profiles) {
  if (suggestions_left_ == 0) return {};
  --suggestions_left_;
  // Kernel and profile apart: together they would be as many candidates as kernels times profiles.
  const std::string kernel =
      absl::StrCat(distro.name(), "/", distro.release(), "/", distro.kernel());
  std::vector<std::string> kernels{kernel};
  if (anything_offered_ && !IsOffered(distro)) {
    kernels = Suggest(kernel, OfferedKernels(), kMaxSuggestions);
  }

  std::vector<std::string> names;
  for (const auto& [name, profile] : profiles) names.push_back(name.text());
  std::vector<std::string> close_profiles{distro.profile()};
  if (std::find(names.begin(), names.end(), distro.profile()) == names.end()) {
    close_profiles = Suggest(distro.profile(), names, kMaxSuggestions);
    // Nothing is close, but whatever follows must be one of few.
    if (close_profiles.empty() && names.size() <= kMaxSuggestions) close_profiles = names;
  }

  std::vector<std::string> suggestions;
  for (const std::string& close_kernel : kernels) {
    for (const std::string& profile : close_profiles) {
      if (suggestions.size() < kMaxSuggestions) {
        suggestions.push_back(absl::StrCat(close_kernel, "/", profile));
      }
    }
  }
  return suggestions;
}

absl::optional<Problem> DistroCheck::Check(const Distro& distro,
                                           const Snapshot::Profiles& profiles) {
  if (distro.kind() != Distro::Kind::kKernel) return absl::nullopt;
  const absl::StatusOr<ProfileName> profile = ProfileName::Parse(distro.profile());
  const bool has_profile = profile.ok() && profiles.count(*profile) > 0;
  const bool is_offered = IsOffered(distro);
  if (has_profile && is_offered) return absl::nullopt;

  Problem problem;
  problem.value = distro.Format();
  problem.suggestions = Suggestions(distro, profiles);
  const std::string subject = absl::StrCat("distro ", Quote(problem.value), ": ");
  const std::string advice =
      problem.suggestions.empty()
          ? std::string("list the distros to see what can be assigned")
          : absl::StrCat("did you mean ", Quote(problem.suggestions.front()), "?");
  if (!has_profile) {
    problem.reason = Reason::kProfileUnknown;
    problem.message =
        absl::StrCat(subject, "there is no profile ", Quote(distro.profile()), "; ",
                     profiles.empty() ? "there are none at all: set a profile first" : advice);
  } else if (!anything_offered_) {
    problem.reason = Reason::kDistroNotOffered;
    problem.message = absl::StrCat(subject, nothing_offered_);
  } else {
    problem.reason = Reason::kDistroNotOffered;
    problem.message = absl::StrCat(subject, not_offered_, "; ", advice);
  }
  return problem;
}

}  // namespace autopxe::server
