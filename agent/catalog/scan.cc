#include "agent/catalog/scan.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/catalog/folder.h"
#include "agent/catalog/loader_file.h"
#include "agent/catalog/loader_name.h"
#include "common/model/distro.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// What every file system has, and snapshots of file servers: never meant.
bool IsHidden(absl::string_view name) {
  return absl::StartsWith(name, ".") || name == "lost+found";
}

using ReleaseLooks = std::map<std::string, std::shared_ptr<const ReleaseLook>>;

// What a scan is given.
struct ScanContext {
  const TreeChanges& changes;
  const LookTime& now;
  TreeWatch* watch;
};

class DistroScan {
 public:
  // `before`: the releases as they were looked at last, or null. `looks` takes how they are now.
  DistroScan(const std::string& distro, const Folder& folder, const ReleaseLooks* before,
             const ScanContext& context, ReleaseLooks& looks, Scan& scan)
      : name_(distro),
        folder_(folder),
        before_(before),
        context_(context),
        looks_(looks),
        scan_(scan) {}

  std::vector<CatalogRelease> Run(const std::vector<Folder::Entry>& entries) {
    // Folders before links: an alias may come before its release in the order of names.
    for (const Folder::Entry& entry : entries) {
      if (entry.kind == Folder::Kind::kFolder && CanBeOffered(entry.name)) AddRelease(entry.name);
    }
    const size_t real = releases_.size();
    for (const Folder::Entry& entry : entries) {
      if (entry.kind == Folder::Kind::kLink && CanBeOffered(entry.name)) AddAlias(entry.name, real);
    }
    std::sort(releases_.begin(), releases_.end(),
              [](const CatalogRelease& a, const CatalogRelease& b) { return a.name < b.name; });
    return std::move(releases_);
  }

 private:
  std::string Path(const std::string& release) const { return absl::StrCat(name_, "/", release); }

  void Warn(const std::string& release, absl::string_view reason) {
    scan_.warnings.push_back({Path(release), std::string(reason)});
  }

  bool CanBeOffered(const std::string& name) {
    if (IsHidden(name)) return false;
    if (Distro::IsPart(name)) return true;
    Warn(name, kNotAPart);
    return false;
  }

  std::shared_ptr<const ReleaseLook> LookBefore(const std::string& name) const {
    if (before_ == nullptr) return nullptr;
    const auto found = before_->find(name);
    return found == before_->end() ? nullptr : found->second;
  }

  // Null, and a warning, if it can't be read.
  std::shared_ptr<const ReleaseLook> LookAt(const std::string& name) {
    std::shared_ptr<const ReleaseLook> before = LookBefore(name);
    if (before != nullptr && before->is_settled && !context_.changes.everything &&
        !context_.changes.releases.contains(Path(name))) {
      return before;
    }
    const absl::StatusOr<Folder> release = folder_.OpenReal(name);
    if (!release.ok()) {
      Warn(name, CantRead(release.status()));
      return nullptr;
    }
    return std::make_shared<const ReleaseLook>(ScanRelease(
        name_, name, *release, before.get(), context_.changes, context_.now, context_.watch));
  }

  void AddRelease(const std::string& name) {
    std::shared_ptr<const ReleaseLook> look = LookAt(name);
    if (look == nullptr) return;
    folders_.try_emplace(look->identity, name);
    scan_.warnings.insert(scan_.warnings.end(), look->warnings.begin(), look->warnings.end());
    scan_.is_settled &= look->is_settled;
    if (!look->kernels.empty()) releases_.push_back({name, "", look->kernels});
    looks_.emplace(name, std::move(look));
  }

  // `real`: how many of releases_ are folders, ascending by name.
  void AddAlias(const std::string& name, size_t real) {
    const absl::StatusOr<Folder::Identity> target = folder_.IdentifyTarget(name);
    if (!target.ok()) {
      Warn(name, absl::StrCat("a link that leads nowhere: ", target.status().message()));
      return;
    }
    const auto folder = folders_.find(*target);
    if (folder == folders_.end()) {
      Warn(name, "a link to something else than a release of this distro");
      return;
    }
    const auto end = releases_.begin() + static_cast<std::ptrdiff_t>(real);
    const auto release = std::lower_bound(
        releases_.begin(), end, folder->second,
        [](const CatalogRelease& r, const std::string& wanted) { return r.name < wanted; });
    if (release == end || release->name != folder->second) {
      // Nothing to warn of where it is just being installed.
      if (!looks_.at(folder->second)->is_settled) return;
      Warn(name, absl::StrCat("a link to ", folder->second, ", which offers nothing"));
      return;
    }
    CatalogRelease alias = {name, release->name, release->kernels};
    releases_.push_back(std::move(alias));
  }

  const std::string& name_;
  const Folder& folder_;
  const ReleaseLooks* const before_;
  const ScanContext& context_;
  ReleaseLooks& looks_;
  Scan& scan_;
  absl::flat_hash_map<Folder::Identity, std::string> folders_;  // The releases that are folders.
  std::vector<CatalogRelease> releases_;
};

template <typename Looks>
absl::Status ScanRootfs(const std::string& path, const ScanContext& context, const Looks& before,
                        Looks& looks, Scan& scan) {
  const absl::StatusOr<Folder> root = Folder::Open(path);
  if (!root.ok()) return root.status();
  if (context.watch != nullptr) context.watch->Add(*root, TreeWatch::Level::kRoot, "");
  ASSIGN_OR_RETURN(const std::vector<Folder::Entry> entries, root->List());
  for (const Folder::Entry& entry : entries) {
    const bool link = entry.kind == Folder::Kind::kLink;
    if ((entry.kind != Folder::Kind::kFolder && !link) || IsHidden(entry.name)) continue;
    if (!Distro::IsPart(entry.name)) {
      scan.warnings.push_back({entry.name, std::string(kNotAPart)});
      continue;
    }
    if (link) {
      scan.warnings.push_back({entry.name, "a link; of distros only releases may be links"});
      continue;
    }
    const absl::StatusOr<Folder> distro = root->OpenReal(entry.name);
    if (!distro.ok()) {
      scan.warnings.push_back({entry.name, CantRead(distro.status())});
      continue;
    }
    if (context.watch != nullptr) {
      context.watch->Add(*distro, TreeWatch::Level::kDistro, entry.name);
    }
    const absl::StatusOr<std::vector<Folder::Entry>> releases = distro->List();
    if (!releases.ok()) {
      scan.warnings.push_back({entry.name, CantRead(releases.status())});
      continue;
    }
    if (std::none_of(releases->begin(), releases->end(), [](const Folder::Entry& release) {
          return release.kind == Folder::Kind::kFolder && !IsHidden(release.name);
        })) {
      scan.warnings.push_back({entry.name, "no release in it"});
    }
    const auto looks_before = before.find(entry.name);
    std::vector<CatalogRelease> found =
        DistroScan(entry.name, *distro,
                   looks_before == before.end() ? nullptr : &looks_before->second, context,
                   looks[entry.name], scan)
            .Run(*releases);
    if (!found.empty()) scan.catalog.distros.push_back({entry.name, std::move(found)});
  }
  return absl::OkStatus();
}

absl::Status ScanLoaders(const std::string& path, const ScanContext& context, Scan& scan) {
  const absl::StatusOr<Folder> folder = Folder::Open(path);
  if (!folder.ok()) return folder.status();
  if (context.watch != nullptr) context.watch->Add(*folder, TreeWatch::Level::kLoaders, "");
  ASSIGN_OR_RETURN(const std::vector<Folder::Entry> entries, folder->List());
  for (const Folder::Entry& entry : entries) {
    if (entry.kind != Folder::Kind::kFile && entry.kind != Folder::Kind::kLink) continue;
    if (!IsLoaderName(entry.name)) continue;
    const absl::StatusOr<int> fd = OpenLoader(*folder, entry.name);
    if (!fd.ok()) {
      scan.warnings.push_back({entry.name, CantRead(fd.status())});
      continue;
    }
    close(*fd);
    scan.catalog.loaders.push_back(entry.name);
  }
  return absl::OkStatus();
}

absl::Status Named(absl::string_view what, const std::string& path, const absl::Status& error) {
  if (error.ok()) return error;
  return absl::Status(error.code(), absl::StrCat(what, " ", path, ": ", error.message()));
}

}  // namespace

Scanner::Scanner(std::string rootfs_folder, std::string loaders_folder, TreeWatch* watch)
    : rootfs_folder_(std::move(rootfs_folder)),
      loaders_folder_(std::move(loaders_folder)),
      watch_(watch) {}

absl::StatusOr<Scan> Scanner::Run(const TreeChanges& changes, const LookTime& now) {
  const ScanContext context = {changes, now, watch_};
  Scan scan;
  Looks looks;
  if (changes.everything && watch_ != nullptr) watch_->BeginSweep();
  RETURN_IF_ERROR(Named("rootfs folder", rootfs_folder_,
                        ScanRootfs(rootfs_folder_, context, looks_, looks, scan)));
  RETURN_IF_ERROR(
      Named("loaders folder", loaders_folder_, ScanLoaders(loaders_folder_, context, scan)));
  if (changes.everything && watch_ != nullptr) watch_->EndSweep();
  looks_ = std::move(looks);
  return scan;
}

}  // namespace autopxe::agent
