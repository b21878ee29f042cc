#include "agent/catalog/release_scan.h"

#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "agent/catalog/boot_file.h"
#include "agent/catalog/kernel_image.h"
#include "agent/catalog/kernel_list.h"
#include "agent/catalog/kernel_version.h"
#include "common/model/distro.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// Names that a kernel has in every release, whatever its version.
bool IsReserved(absl::string_view version) {
  return version == "latest" || version == "previous" || version == "default";
}

KernelImage ReadKernelImage(int fd) {
  char prefix[kKernelImagePrefix];
  const ssize_t size = pread(fd, prefix, sizeof prefix, 0);
  // What can't be read now tells nothing; serving it will say why.
  if (size <= 0) return {};
  return ParseKernelImage(absl::string_view(prefix, static_cast<size_t>(size)));
}

class ReleaseScan {
 public:
  ReleaseScan(const std::string& distro, const std::string& release, const Folder& folder,
              const ReleaseLook* before, const TreeChanges& changes, const LookTime& now,
              TreeWatch* watch)
      : distro_(distro),
        path_(absl::StrCat(distro, "/", release)),
        folder_(folder),
        before_(before),
        changes_(changes),
        now_(now),
        watch_(watch) {}

  ReleaseLook Run() {
    if (watch_ != nullptr) watch_->Add(folder_, TreeWatch::Level::kRelease, path_);
    if (const auto identity = folder_.Identify(); identity.ok()) look_.identity = *identity;
    std::vector<FoundKernel> found;
    std::string lack;
    if (const absl::StatusOr<Folder> boot = folder_.OpenInside("boot"); !boot.ok()) {
      lack = absl::StrCat("its folder boot ", CantRead(boot.status()));
    } else if (auto kernels = FindKernels(*boot); !kernels.ok()) {
      lack = absl::StrCat("its folder boot ", CantRead(kernels.status()));
    } else {
      found = *std::move(kernels);
      lack = "no kernel with an initrd of the same version in its folder boot";
    }
    std::vector<CatalogKernel> fallbacks;
    if (auto kernel = FindDefault(); kernel.has_value()) fallbacks.push_back(*std::move(kernel));
    look_.kernels = ListKernels(std::move(found), std::move(fallbacks));
    // One that is just being installed is nothing to warn of.
    if (look_.kernels.empty() && look_.is_settled) look_.warnings.push_back({path_, lack});
    return std::move(look_);
  }

 private:
  void Warn(absl::string_view file, absl::string_view reason) {
    look_.warnings.push_back({absl::StrCat(path_, "/", file), std::string(reason)});
  }

  const FileLook* LookBefore(const std::string& file) const {
    if (before_ == nullptr) return nullptr;
    const auto found = before_->files.find(file);
    return found == before_->files.end() ? nullptr : &found->second;
  }

  FileLook& Remember(const std::string& file, const FileStamp& stamp) {
    const bool closed = changes_.closed.contains(absl::StrCat(path_, "/", file));
    return look_.files[file] = LookAgain(stamp, LookBefore(file), closed, now_);
  }

  // The look at a regular file of the boot folder, or the error with which it can't be served.
  absl::StatusOr<const FileLook*> LookAt(const Folder& boot, const std::string& name,
                                         const std::string& file, bool is_kernel) {
    const FileLook* before = LookBefore(file);
    if (before != nullptr && before->is_settled) {
      // Opened then, and the same in every respect: not opened again.
      const absl::StatusOr<FileStamp> stamp = boot.StampOf(name);
      if (stamp.ok() && *stamp == before->stamp) return &(look_.files[file] = *before);
    }
    ASSIGN_OR_RETURN(const int fd, OpenBootFile(boot, name));
    const absl::Cleanup closer = [fd] { close(fd); };
    ASSIGN_OR_RETURN(const FileStamp stamp, StampOf(fd));
    FileLook& look = Remember(file, stamp);
    if (is_kernel && look.image == KernelImage()) look.image = ReadKernelImage(fd);
    return &look;
  }

  // Whether a file is all there; warns if it will hardly ever be.
  bool IsComplete(const std::string& file, const FileLook& look) {
    const auto size = static_cast<uint64_t>(look.stamp.size);
    if (!look.is_settled) {
      look_.is_settled = false;
      return false;
    }
    if (size == 0) {
      Warn(file, "empty");
      return false;
    }
    if (size < look.image.min_size) {
      Warn(file, absl::StrCat("incomplete: by its header it has ", look.image.min_size,
                              " bytes, but there are ", size));
      return false;
    }
    return true;
  }

  // The pairs in the boot folder.
  absl::StatusOr<std::vector<FoundKernel>> FindKernels(const Folder& boot) {
    if (watch_ != nullptr) watch_->Add(boot, TreeWatch::Level::kBoot, path_);
    ASSIGN_OR_RETURN(const std::vector<Folder::Entry> entries, boot.List());
    struct Pair {
      FoundKernel kernel;
      bool is_incomplete = false;  // One of the two is there, but not all of it.
    };
    std::map<std::string, Pair> by_version;
    for (const Folder::Entry& entry : entries) {
      if (entry.kind != Folder::Kind::kFile) continue;
      const absl::optional<BootFileName> name = ParseBootFileName(entry.name);
      if (!name.has_value()) continue;
      const std::string file = absl::StrCat("boot/", entry.name);
      const bool is_kernel = name->kind == BootFileName::Kind::kKernel;
      if (!Distro::IsPart(name->version) || IsReserved(name->version)) {
        if (is_kernel) {
          Warn(file, absl::StrCat("its version ", Quote(name->version), " is ",
                                  IsReserved(name->version) ? "a reserved name" : kNotAPart));
        }
        continue;
      }
      const absl::StatusOr<const FileLook*> look = LookAt(boot, entry.name, file, is_kernel);
      if (!look.ok()) {
        Warn(file, CantRead(look.status()));
        continue;
      }
      Pair& pair = by_version[name->version];
      FoundKernel& kernel = pair.kernel;
      kernel.version = name->version;
      if (!IsComplete(file, **look)) {
        pair.is_incomplete = true;
      } else if (is_kernel) {
        kernel.kernel_path = file;
        kernel.architecture = (*look)->image.architecture;
        kernel.kernel_size = (*look)->stamp.size;
      } else if (kernel.initrd_path.empty() || name->kind == BootFileName::Kind::kDebianInitrd) {
        // Where both kinds are there, Debian's is taken, whatever comes first.
        kernel.initrd_path = file;
        kernel.initrd_size = (*look)->stamp.size;
        kernel.rpm = name->kind == BootFileName::Kind::kRpmInitrd;
      }
    }
    std::vector<FoundKernel> kernels;
    for (auto& [version, pair] : by_version) {
      // An initrd alone is what a removed kernel leaves behind.
      if (pair.kernel.kernel_path.empty()) continue;
      if (!pair.kernel.initrd_path.empty()) {
        kernels.push_back(std::move(pair.kernel));
      } else if (!pair.is_incomplete) {
        Warn(pair.kernel.kernel_path, "no initrd of the same version");
      }
    }
    return kernels;
  }

  // The links that a distribution keeps to its own choice of a kernel.
  absl::optional<CatalogKernel> FindDefault() {
    absl::string_view below;
    if (distro_ == "debian") {
      below = "";
    } else if (distro_ == "ubuntu") {
      below = "boot/";
    } else {
      return absl::nullopt;
    }
    CatalogKernel kernel;
    kernel.name = "default";
    kernel.kernel_path = absl::StrCat(below, "vmlinuz");
    kernel.initrd_path = absl::StrCat(below, "initrd.img");
    for (const std::string& file : {kernel.kernel_path, kernel.initrd_path}) {
      const bool is_kernel = file == kernel.kernel_path;
      std::string target;
      const absl::StatusOr<FileLook> look = LookThrough(file, is_kernel, target);
      if (!look.ok()) {
        // That a release has no such links is nothing to tell.
        if (!absl::IsNotFound(look.status())) Warn(file, CantRead(look.status()));
        return absl::nullopt;
      }
      if (!IsComplete(file, *look)) return absl::nullopt;
      (is_kernel ? kernel.kernel_size : kernel.initrd_size) = look->stamp.size;
      if (!is_kernel) continue;
      kernel.architecture = look->image.architecture;
      const absl::optional<BootFileName> name = ParseBootFileName(target);
      if (name.has_value() && Distro::IsPart(name->version)) kernel.version = name->version;
    }
    return kernel;
  }

  // The look at what a link of the release leads to, and its real name.
  absl::StatusOr<FileLook> LookThrough(const std::string& file, bool is_kernel,
                                       std::string& target) {
    ASSIGN_OR_RETURN(const int fd, OpenBootFile(folder_, file));
    const absl::Cleanup closer = [fd] { close(fd); };
    ASSIGN_OR_RETURN(target, RealNameOf(fd));
    ASSIGN_OR_RETURN(const FileStamp stamp, StampOf(fd));
    // Mostly one of the boot folder's, which has been looked at.
    const auto same = look_.files.find(absl::StrCat("boot/", target));
    if (same != look_.files.end() && same->second.stamp == stamp) return same->second;
    FileLook& look = Remember(file, stamp);
    if (is_kernel && look.image == KernelImage()) look.image = ReadKernelImage(fd);
    return look;
  }

  const std::string& distro_;
  const std::string path_;
  const Folder& folder_;
  const ReleaseLook* const before_;
  const TreeChanges& changes_;
  const LookTime& now_;
  TreeWatch* const watch_;
  ReleaseLook look_;
};

}  // namespace

ReleaseLook ScanRelease(const std::string& distro, const std::string& release, const Folder& folder,
                        const ReleaseLook* before, const TreeChanges& changes, const LookTime& now,
                        TreeWatch* watch) {
  return ReleaseScan(distro, release, folder, before, changes, now, watch).Run();
}

}  // namespace autopxe::agent
