#include "server/plan/distro_check.h"

#include <algorithm>
#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "boot/suggestion.h"
#include "common/model/quote.h"

namespace autopxe::server {
namespace {

constexpr size_t kMaxSuggestions = 3;

constexpr char kListThem[] = "list the distros to see what can be assigned";

}  // namespace

DistroCheck::DistroCheck(const Catalogs& catalogs)
    : is_of_one_agent_(false),
      not_offered_("no agent offers it"),
      nothing_offered_(
          "no agent has reported yet what it offers; start an agent, or assign it with "
          "--allow-missing") {
  for (const auto& [agent, catalog] : catalogs) {
    offers_.push_back({agent.text(), catalog.get()});
    // Asked until one does: each request asks, and there may be many agents.
    anything_offered_ = anything_offered_ || catalog->KernelCount() > 0;
  }
}

DistroCheck::DistroCheck(const AgentId& agent, const Catalog& catalog)
    : offers_({{agent.text(), &catalog}}),
      is_of_one_agent_(true),
      not_offered_(absl::StrCat("agent ", Quote(agent.text()), " does not offer it")),
      nothing_offered_(absl::StrCat("agent ", Quote(agent.text()),
                                    " offers no kernel at all; fill its rootfs folder, or set it "
                                    "with --allow-missing")),
      anything_offered_(catalog.KernelCount() > 0) {}

bool DistroCheck::IsOffered(const Distro& distro) {
  const auto [known, added] = offered_.try_emplace(distro, false);
  if (added) {
    known->second = std::any_of(offers_.begin(), offers_.end(), [&](const Offer& offer) {
      const CatalogRelease* const release =
          offer.catalog->FindRelease(distro.name(), distro.release());
      return release != nullptr && release->FindKernel(distro.kernel()) != nullptr;
    });
  }
  return known->second;
}

const std::vector<std::string>& DistroCheck::OfferedKernels() {
  if (offered_kernels_) return *offered_kernels_;
  offered_kernels_.emplace();
  absl::flat_hash_set<std::string> seen;
  std::set<std::string> names;
  for (const Offer& offer : offers_) {
    for (const CatalogDistro& distro : offer.catalog->distros) {
      names.insert(distro.name);
      for (const CatalogRelease& release : distro.releases) {
        names.insert(release.name);
        for (const CatalogKernel& kernel : release.kernels) {
          std::string name = absl::StrCat(distro.name, "/", release.name, "/", kernel.name);
          if (seen.insert(name).second) offered_kernels_->push_back(std::move(name));
        }
      }
    }
  }
  offered_names_.assign(names.begin(), names.end());
  return *offered_kernels_;
}

template <typename SuggestFor>
void DistroCheck::TakeSuggestions(Finding& finding, SuggestFor suggest) {
  const auto [known, added] = suggestions_.try_emplace(finding.warning);
  if (added) known->second = suggest();
  finding.problem.suggestions = known->second;
  // With nothing offered at all, nothing is closer than the distro itself.
  if (known->second.empty() || known->second.front() == finding.problem.value) return;
  finding.advice = absl::StrCat("did you mean ", Quote(known->second.front()), "?");
}

std::vector<std::string> DistroCheck::KernelSuggestions(const Distro& distro,
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

std::vector<std::string> DistroCheck::NameSuggestions(const std::string& name,
                                                      const Snapshot::Profiles& profiles,
                                                      const Snapshot::DeclaredDistros& declared) {
  if (suggestions_left_ == 0) return {};
  --suggestions_left_;
  std::vector<std::string> names;
  for (const auto& [other, distro] : declared) names.push_back(other.text());
  for (const Distro& built_in :
       {Distro::Local(), Distro::Menu(), Distro::Wait(), Distro::Ignore()}) {
    names.push_back(built_in.Format());
  }
  std::vector<std::string> suggestions = Suggest(name, names, kMaxSuggestions);
  const std::vector<std::string>& kernels = OfferedKernels();
  const std::vector<std::string> close = Suggest(name, offered_names_, offered_names_.size());
  if (close.empty() || profiles.empty()) return suggestions;
  const absl::flat_hash_set<std::string> close_names(close.begin(), close.end());
  for (const std::string& kernel : kernels) {
    const std::vector<absl::string_view> parts = absl::StrSplit(kernel, '/');
    if (!close_names.contains(parts[0]) && !close_names.contains(parts[1])) continue;
    for (const auto& [profile, unused] : profiles) {
      if (suggestions.size() == kMaxSuggestions) return suggestions;
      suggestions.push_back(absl::StrCat(kernel, "/", profile.text()));
    }
  }
  return suggestions;
}

std::string DistroCheck::FindLacking(const DeclaredDistro& distro) const {
  std::vector<std::string> paths;
  for (const BootFile* const file : FilesOf(distro)) {
    if (!file->is_url()) paths.push_back(file->text());
  }
  if (paths.empty()) return "";
  const Offer* closest = nullptr;  // Which lacks the fewest.
  std::vector<std::string> closest_lacks = paths;
  for (const Offer& offer : offers_) {
    std::vector<std::string> lacks;
    for (const std::string& path : paths) {
      if (offer.catalog->FindFile(path) == nullptr) lacks.push_back(path);
    }
    if (lacks.empty()) return "";
    if (lacks.size() >= closest_lacks.size()) continue;
    closest = &offer;
    closest_lacks = std::move(lacks);
  }
  const std::string& file = closest_lacks.front();
  if (is_of_one_agent_) {
    return absl::StrCat("agent ", Quote(offers_.front().agent), " does not have its file ",
                        Quote(file));
  }
  const bool anybody_has = std::any_of(offers_.begin(), offers_.end(), [&](const Offer& offer) {
    return offer.catalog->FindFile(file) != nullptr;
  });
  if (!anybody_has) return absl::StrCat("no agent has its file ", Quote(file));
  return absl::StrCat("no agent has all its files: agent ", Quote(closest->agent), " lacks ",
                      Quote(file));
}

const std::string& DistroCheck::Lacking(const std::shared_ptr<const DeclaredDistro>& distro) {
  const auto [known, added] = lacking_.try_emplace(distro);
  if (added) known->second = FindLacking(*distro);
  return known->second;
}

absl::optional<DistroCheck::Finding> DistroCheck::CheckDeclared(
    const Distro& distro, const Snapshot::Profiles& profiles,
    const Snapshot::DeclaredDistros& declared) {
  const std::string subject = absl::StrCat("distro ", Quote(distro.name()), ": ");
  Finding finding;
  finding.problem.value = distro.name();
  const auto found = declared.find(*DistroName::Parse(distro.name()));
  if (found == declared.end()) {
    finding.problem.reason = Reason::kDistroUnknown;
    finding.warning = absl::StrCat(subject, "no distro is declared by that name now");
    TakeSuggestions(finding, [&] { return NameSuggestions(distro.name(), profiles, declared); });
    finding.problem.message = absl::StrCat(subject, "no distro is declared by that name; ",
                                           finding.advice.empty() ? kListThem : finding.advice);
    return finding;
  }
  const std::string& lacking = Lacking(found->second);
  if (lacking.empty()) return absl::nullopt;
  finding.problem.reason = Reason::kDistroNotOffered;
  finding.problem.message =
      absl::StrCat(subject, lacking, "; put it into ", is_of_one_agent_ ? "its" : "an agent's",
                   " folder of files, or add --allow-missing");
  finding.warning = absl::StrCat(subject, lacking, " now");
  return finding;
}

absl::optional<DistroCheck::Finding> DistroCheck::CheckKernel(const Distro& distro,
                                                              const Snapshot::Profiles& profiles) {
  const absl::StatusOr<ProfileName> profile = ProfileName::Parse(distro.profile());
  const bool has_profile = profile.ok() && profiles.count(*profile) > 0;
  const bool is_offered = IsOffered(distro);
  if (has_profile && is_offered) return absl::nullopt;

  Finding finding;
  Problem& problem = finding.problem;
  problem.value = distro.Format();
  const std::string subject = absl::StrCat("distro ", Quote(problem.value), ": ");
  const std::string what =
      has_profile ? absl::StrCat(subject, not_offered_)
                  : absl::StrCat(subject, "there is no profile ", Quote(distro.profile()));
  finding.warning = absl::StrCat(what, " now");
  TakeSuggestions(finding, [&] { return KernelSuggestions(distro, profiles); });
  const std::string advice = finding.advice.empty() ? kListThem : finding.advice;
  if (!has_profile) {
    problem.reason = Reason::kProfileUnknown;
    problem.message = absl::StrCat(
        what, "; ", profiles.empty() ? "there are none at all: set a profile first" : advice);
    return finding;
  }
  problem.reason = Reason::kDistroNotOffered;
  problem.message = anything_offered_ ? absl::StrCat(what, "; ", advice)
                                      : absl::StrCat(subject, nothing_offered_);
  return finding;
}

absl::optional<DistroCheck::Finding> DistroCheck::Check(const Distro& distro,
                                                        const Snapshot::Profiles& profiles,
                                                        const Snapshot::DeclaredDistros& declared) {
  switch (distro.kind()) {
    case Distro::Kind::kKernel:
      return CheckKernel(distro, profiles);
    case Distro::Kind::kDeclared:
      return CheckDeclared(distro, profiles, declared);
    case Distro::Kind::kLocal:
    case Distro::Kind::kMenu:
    case Distro::Kind::kWait:
    case Distro::Kind::kIgnore:
      break;
  }
  return absl::nullopt;
}

}  // namespace autopxe::server
