#include "agent/catalog/scan.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/catalog/folder.h"
#include "agent/catalog/loader_file.h"
#include "agent/catalog/loader_name.h"
#include "common/model/distro.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// What a scan is given.
struct ScanContext {
  const TreeChanges& changes;
  const LookTime& now;
  TreeWatch* watch;
};

// What a distro offers, ascending by name.
std::vector<CatalogRelease> ListReleases(const DistroLook& look) {
  std::vector<CatalogRelease> releases;
  for (const auto& [name, release] : look.releases) {
    if (!release->kernels.empty()) releases.push_back({name, "", release->kernels});
  }
  for (const auto& [name, target] : look.aliases) {
    const auto release = look.releases.find(target);
    if (release == look.releases.end() || release->second->kernels.empty()) continue;
    releases.push_back({name, target, release->second->kernels});
  }
  std::sort(releases.begin(), releases.end(),
            [](const CatalogRelease& a, const CatalogRelease& b) { return a.name < b.name; });
  return releases;
}

class DistroScan {
 public:
  // `before`: the distro as it was looked at last, or null. `look` takes how it is now.
  DistroScan(const std::string& distro, const Folder& folder, const DistroLook* before,
             const ScanContext& context, DistroLook& look, Scan& scan)
      : name_(distro),
        folder_(folder),
        before_(before),
        context_(context),
        look_(look),
        scan_(scan) {}

  std::vector<CatalogRelease> Run(const std::vector<Folder::Entry>& entries) {
    // Folders before links: an alias may come before its release in the order of names.
    for (const Folder::Entry& entry : entries) {
      if (entry.kind == Folder::Kind::kFolder && CanBeOffered(entry.name)) AddRelease(entry.name);
    }
    for (const Folder::Entry& entry : entries) {
      if (entry.kind == Folder::Kind::kLink && CanBeOffered(entry.name)) AddAlias(entry.name);
    }
    return ListReleases(look_);
  }

 private:
  std::string Path(const std::string& release) const { return absl::StrCat(name_, "/", release); }

  void Warn(const std::string& release, absl::string_view reason, bool is_kept = false) {
    scan_.warnings.push_back({Path(release), std::string(reason), is_kept});
  }

  bool CanBeOffered(const std::string& name) {
    if (IsHidden(name)) return false;
    if (Distro::IsPart(name)) return true;
    Warn(name, kNotAPart);
    return false;
  }

  std::shared_ptr<const ReleaseLook> LookBefore(const std::string& name) const {
    if (before_ == nullptr) return nullptr;
    const auto found = before_->releases.find(name);
    return found == before_->releases.end() ? nullptr : found->second;
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
      const std::string reason = CantRead(release.status());
      if (before != nullptr && !IsGone(release.status())) {
        return std::make_shared<const ReleaseLook>(
            KeepLook(*before, Path(name), reason, release.status()));
      }
      Warn(name, reason);
      scan_.is_settled &= !MayPass(release.status());
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
    look_.releases.emplace(name, std::move(look));
  }

  void AddAlias(const std::string& name) {
    const absl::StatusOr<Folder::Identity> target = folder_.IdentifyTarget(name);
    if (!target.ok() && !IsGone(target.status())) {
      scan_.is_settled &= !MayPass(target.status());
      const bool is_kept = before_ != nullptr && before_->aliases.contains(name);
      if (is_kept) look_.aliases.emplace(name, before_->aliases.at(name));
      Warn(name, CantRead(target.status()), is_kept);
      return;
    }
    if (!target.ok()) {
      Warn(name, absl::StrCat("a link that leads nowhere: ", target.status().message()));
      return;
    }
    const auto folder = folders_.find(*target);
    if (folder == folders_.end()) {
      Warn(name, "a link to something else than a release of this distro");
      return;
    }
    const ReleaseLook& release = *look_.releases.at(folder->second);
    // Nothing to warn of where it is just being installed.
    if (release.kernels.empty() && release.is_settled) {
      Warn(name, absl::StrCat("a link to ", folder->second, ", which offers nothing"));
    }
    look_.aliases.emplace(name, folder->second);
  }

  const std::string& name_;
  const Folder& folder_;
  const DistroLook* const before_;
  const ScanContext& context_;
  DistroLook& look_;
  Scan& scan_;
  absl::flat_hash_map<Folder::Identity, std::string> folders_;  // The releases that are folders.
};

// A distro that can't be read because of `error`: nothing of it, or as it was before (null: it was
// not there) if the error may pass.
std::vector<CatalogRelease> KeepDistro(const std::string& name, const DistroLook* before,
                                       const absl::Status& error, DistroLooks& looks, Scan& scan) {
  const bool is_kept = before != nullptr && !IsGone(error);
  scan.warnings.push_back({name, CantRead(error), is_kept});
  scan.is_settled &= !MayPass(error);
  if (!is_kept) return {};
  for (const auto& [release, look] : before->releases) {
    scan.warnings.insert(scan.warnings.end(), look->warnings.begin(), look->warnings.end());
    scan.is_settled &= look->is_settled;
  }
  return ListReleases(looks[name] = *before);
}

absl::Status ScanRootfs(const std::string& path, const ScanContext& context,
                        const DistroLooks& before, DistroLooks& looks, Scan& scan) {
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
    const auto known = before.find(entry.name);
    const DistroLook* const look_before = known == before.end() ? nullptr : &known->second;
    const auto offer = [&](std::vector<CatalogRelease> found) {
      if (!found.empty()) scan.catalog.distros.push_back({entry.name, std::move(found)});
    };
    const absl::StatusOr<Folder> distro = root->OpenReal(entry.name);
    if (!distro.ok()) {
      offer(KeepDistro(entry.name, look_before, distro.status(), looks, scan));
      continue;
    }
    if (context.watch != nullptr) {
      context.watch->Add(*distro, TreeWatch::Level::kDistro, entry.name);
    }
    const absl::StatusOr<std::vector<Folder::Entry>> releases = distro->List();
    if (!releases.ok()) {
      offer(KeepDistro(entry.name, look_before, releases.status(), looks, scan));
      continue;
    }
    if (std::none_of(releases->begin(), releases->end(), [](const Folder::Entry& release) {
          return release.kind == Folder::Kind::kFolder && !IsHidden(release.name);
        })) {
      scan.warnings.push_back({entry.name, "no release in it"});
    }
    offer(DistroScan(entry.name, *distro, look_before, context, looks[entry.name], scan)
              .Run(*releases));
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

absl::StatusOr<FilesLook> ReadFiles(const std::string& path, const ScanContext& context,
                                    const FilesLook* before) {
  ASSIGN_OR_RETURN(const Folder folder, Folder::Open(path));
  return ScanFiles(folder, before, context.changes, context.now, context.watch);
}

// The look at the folder of files: `before` where nothing has changed in it. If it can't be read,
// and is not known to be gone, what was found before (null: nothing was looked at) is offered
// still: new kernels show while the file server is away that only installers lie on.
absl::StatusOr<std::shared_ptr<const FilesLook>> LookAtFiles(
    const std::string& path, const ScanContext& context,
    const std::shared_ptr<const FilesLook>& before) {
  if (before != nullptr && before->is_settled && !context.changes.everything &&
      !context.changes.files) {
    return before;
  }
  absl::StatusOr<FilesLook> look = ReadFiles(path, context, before.get());
  if (!look.ok() && before != nullptr && !IsGone(look.status())) {
    return std::make_shared<const FilesLook>(KeepFiles(*before, look.status()));
  }
  if (!look.ok()) return look.status();
  return std::make_shared<const FilesLook>(*std::move(look));
}

absl::Status Named(absl::string_view what, const std::string& path, const absl::Status& error) {
  if (error.ok()) return error;
  return absl::Status(error.code(), absl::StrCat(what, " ", path, ": ", error.message()));
}

}  // namespace

Scanner::Scanner(CatalogFolders folders, TreeWatch* watch)
    : folders_(std::move(folders)), watch_(watch) {}

absl::StatusOr<Scan> Scanner::Run(const TreeChanges& changes, const LookTime& now) {
  const ScanContext context = {changes, now, watch_};
  Scan scan;
  DistroLooks looks;
  if (changes.everything && watch_ != nullptr) watch_->BeginSweep();
  RETURN_IF_ERROR(Named("rootfs folder", folders_.rootfs,
                        ScanRootfs(folders_.rootfs, context, looks_, looks, scan)));
  RETURN_IF_ERROR(
      Named("loaders folder", folders_.loaders, ScanLoaders(folders_.loaders, context, scan)));
  std::shared_ptr<const FilesLook> files;
  if (!folders_.files.empty()) {
    absl::StatusOr<std::shared_ptr<const FilesLook>> look =
        LookAtFiles(folders_.files, context, files_);
    if (!look.ok()) return Named("folder of files", folders_.files, look.status());
    files = *std::move(look);
    scan.catalog.files = ListFiles(*files);
    scan.warnings.insert(scan.warnings.end(), files->warnings.begin(), files->warnings.end());
    scan.is_settled &= files->is_settled;
  }
  // Where something could not be read, its folders have not been seen and are still watched.
  const bool is_whole = std::none_of(scan.warnings.begin(), scan.warnings.end(),
                                     [](const ScanWarning& warning) { return warning.is_kept; });
  if (changes.everything && watch_ != nullptr && is_whole) watch_->EndSweep();
  looks_ = std::move(looks);
  files_ = std::move(files);
  return scan;
}

}  // namespace autopxe::agent
