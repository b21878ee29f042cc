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
#include "absl/types/optional.h"
#include "agent/catalog/boot_file.h"
#include "agent/catalog/folder.h"
#include "agent/catalog/kernel_list.h"
#include "agent/catalog/kernel_version.h"
#include "agent/catalog/loader_file.h"
#include "agent/catalog/loader_name.h"
#include "common/model/distro.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

using Warnings = std::vector<ScanWarning>;

constexpr absl::string_view kNotAPart =
    "not a name that can be a part of a distro's (1 to 128 letters, digits, '.', '_', '-', '+', "
    "'~', the "
    "first one a letter or a digit)";

// What every file system has, and snapshots of file servers: never meant.
bool IsHidden(absl::string_view name) {
  return absl::StartsWith(name, ".") || name == "lost+found";
}

std::string CantRead(const absl::Status& error) {
  return absl::StrCat("can't be read: ", error.message());
}

// Whether it could be served: OK, or why not.
absl::Status CheckBootFile(const Folder& folder, const std::string& path) {
  ASSIGN_OR_RETURN(const int fd, OpenBootFile(folder, path));
  close(fd);
  return absl::OkStatus();
}

// Names that a kernel has in every release, whatever its version.
bool IsReserved(absl::string_view version) {
  return version == "latest" || version == "previous" || version == "default";
}

// The links that a distribution keeps to its own choice of a kernel.
absl::optional<CatalogKernel> FindDefault(const std::string& distro, const std::string& path,
                                          const Folder& release, Warnings& warnings) {
  absl::string_view below;
  if (distro == "debian") {
    below = "";
  } else if (distro == "ubuntu") {
    below = "boot/";
  } else {
    return absl::nullopt;
  }
  CatalogKernel kernel = {"default", "", absl::StrCat(below, "vmlinuz"),
                          absl::StrCat(below, "initrd.img")};
  for (const std::string& file : {kernel.kernel_path, kernel.initrd_path}) {
    const absl::Status readable = CheckBootFile(release, file);
    if (readable.ok()) continue;
    // That a release has no such links is nothing to tell.
    if (!absl::IsNotFound(readable)) {
      warnings.push_back({absl::StrCat(path, "/", file), CantRead(readable)});
    }
    return absl::nullopt;
  }
  return kernel;
}

// The pairs in a release's boot/ folder, which warnings call `path`.
absl::StatusOr<std::vector<FoundKernel>> FindKernels(const std::string& path, const Folder& boot,
                                                     Warnings& warnings) {
  ASSIGN_OR_RETURN(const std::vector<Folder::Entry> entries, boot.List());
  std::map<std::string, FoundKernel> by_version;
  for (const Folder::Entry& entry : entries) {
    if (entry.kind != Folder::Kind::kFile) continue;
    const absl::optional<BootFileName> file = ParseBootFileName(entry.name);
    if (!file.has_value()) continue;
    const bool is_kernel = file->kind == BootFileName::Kind::kKernel;
    if (!Distro::IsPart(file->version) || IsReserved(file->version)) {
      if (is_kernel) {
        warnings.push_back(
            {absl::StrCat(path, "/", entry.name),
             absl::StrCat("its version ", Quote(file->version), " is ",
                          IsReserved(file->version) ? "a reserved name" : kNotAPart)});
      }
      continue;
    }
    if (const absl::Status readable = CheckBootFile(boot, entry.name); !readable.ok()) {
      warnings.push_back({absl::StrCat(path, "/", entry.name), CantRead(readable)});
      continue;
    }
    FoundKernel& kernel = by_version[file->version];
    kernel.version = file->version;
    const std::string below_release = absl::StrCat("boot/", entry.name);
    if (is_kernel) {
      kernel.kernel_path = below_release;
    } else if (kernel.initrd_path.empty() || file->kind == BootFileName::Kind::kDebianInitrd) {
      // Where both kinds are there, Debian's is taken, whatever comes first.
      kernel.initrd_path = below_release;
      kernel.rpm = file->kind == BootFileName::Kind::kRpmInitrd;
    }
  }
  std::vector<FoundKernel> kernels;
  for (auto& [version, kernel] : by_version) {
    // An initrd alone is what a removed kernel leaves behind.
    if (kernel.kernel_path.empty()) continue;
    if (kernel.initrd_path.empty()) {
      warnings.push_back(
          {absl::StrCat(path, "/vmlinuz-", version), "no initrd of the same version"});
      continue;
    }
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

// The kernels of one release, which warnings call `path`; empty, and a warning, when it offers
// none.
std::vector<CatalogKernel> ScanRelease(const std::string& distro, const std::string& path,
                                       const Folder& release, Warnings& warnings) {
  std::vector<FoundKernel> found;
  std::string lack;
  if (const absl::StatusOr<Folder> boot = release.OpenInside("boot"); !boot.ok()) {
    lack = absl::StrCat("its folder boot ", CantRead(boot.status()));
  } else if (auto kernels = FindKernels(absl::StrCat(path, "/boot"), *boot, warnings);
             !kernels.ok()) {
    lack = absl::StrCat("its folder boot ", CantRead(kernels.status()));
  } else {
    found = *std::move(kernels);
    lack = "no kernel with an initrd of the same version in its folder boot";
  }
  std::vector<CatalogKernel> fallbacks;
  if (auto kernel = FindDefault(distro, path, release, warnings); kernel.has_value()) {
    fallbacks.push_back(*std::move(kernel));
  }
  std::vector<CatalogKernel> kernels = ListKernels(std::move(found), std::move(fallbacks));
  if (kernels.empty()) warnings.push_back({path, lack});
  return kernels;
}

class DistroScan {
 public:
  DistroScan(const std::string& distro, const Folder& folder, Warnings& warnings)
      : name_(distro), folder_(folder), warnings_(warnings) {}

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
    warnings_.push_back({Path(release), std::string(reason)});
  }

  bool CanBeOffered(const std::string& name) {
    if (IsHidden(name)) return false;
    if (Distro::IsPart(name)) return true;
    Warn(name, kNotAPart);
    return false;
  }

  void AddRelease(const std::string& name) {
    const absl::StatusOr<Folder> release = folder_.OpenReal(name);
    if (!release.ok()) {
      Warn(name, CantRead(release.status()));
      return;
    }
    if (const auto identity = release->Identify(); identity.ok()) {
      folders_.try_emplace(*identity, name);
    }
    std::vector<CatalogKernel> kernels = ScanRelease(name_, Path(name), *release, warnings_);
    if (!kernels.empty()) releases_.push_back({name, "", std::move(kernels)});
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
      Warn(name, absl::StrCat("a link to ", folder->second, ", which offers nothing"));
      return;
    }
    CatalogRelease alias = {name, release->name, release->kernels};
    releases_.push_back(std::move(alias));
  }

  const std::string& name_;
  const Folder& folder_;
  Warnings& warnings_;
  absl::flat_hash_map<Folder::Identity, std::string> folders_;  // The releases that are folders.
  std::vector<CatalogRelease> releases_;
};

absl::Status ScanRootfs(const std::string& path, Scan& scan) {
  const absl::StatusOr<Folder> root = Folder::Open(path);
  if (!root.ok()) return root.status();
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
    std::vector<CatalogRelease> found =
        DistroScan(entry.name, *distro, scan.warnings).Run(*releases);
    if (!found.empty()) scan.catalog.distros.push_back({entry.name, std::move(found)});
  }
  return absl::OkStatus();
}

absl::Status ScanLoaders(const std::string& path, Scan& scan) {
  const absl::StatusOr<Folder> folder = Folder::Open(path);
  if (!folder.ok()) return folder.status();
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

absl::StatusOr<Scan> ScanFolders(const std::string& rootfs_folder,
                                 const std::string& loaders_folder) {
  Scan scan;
  RETURN_IF_ERROR(Named("rootfs folder", rootfs_folder, ScanRootfs(rootfs_folder, scan)));
  RETURN_IF_ERROR(Named("loaders folder", loaders_folder, ScanLoaders(loaders_folder, scan)));
  return scan;
}

}  // namespace autopxe::agent
