#include "agent/catalog/release_scan.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

absl::StatusOr<KernelImage> ReadKernelImage(int fd) {
  char prefix[kKernelImagePrefix];
  ssize_t size;
  do {
    size = pread(fd, prefix, sizeof prefix, 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    const int error = errno;
    return absl::Status(absl::ErrnoToStatusCode(error), strerrordesc_np(error));
  }
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
    is_same_ = before_ != nullptr && before_->identity == look_.identity;
    absl::StatusOr<std::vector<FoundKernel>> found = FindKernels();
    std::string lack = "no kernel with an initrd of the same version in its folder boot";
    if (!found.ok()) {
      const absl::Status& error = found.status();
      lack = absl::StrCat("its folder boot ", CantRead(error));
      if (!IsGone(error)) {
        if (is_same_) return KeepLook(*before_, path_, lack, error);
        look_.is_whole = false;
        look_.is_settled = !MayPass(error);
      }
    }
    std::vector<CatalogKernel> fallbacks;
    if (auto kernel = FindDefault(); kernel.has_value()) fallbacks.push_back(*std::move(kernel));
    const bool is_read = found.ok();
    look_.kernels =
        ListKernels(is_read ? *std::move(found) : std::vector<FoundKernel>(), std::move(fallbacks));
    // One that is just being installed is nothing to warn of.
    if (look_.kernels.empty() && (look_.is_settled || !is_read)) {
      look_.warnings.push_back({path_, lack});
    }
    return std::move(look_);
  }

 private:
  void Warn(absl::string_view file, absl::string_view reason, bool is_kept = false) {
    look_.warnings.push_back({absl::StrCat(path_, "/", file), std::string(reason), is_kept});
  }

  const FileLook* LookBefore(const std::string& file) const {
    if (before_ == nullptr) return nullptr;
    const auto found = before_->files.find(file);
    return found == before_->files.end() ? nullptr : &found->second;
  }

  Writer WriterOf(const std::string& file) const {
    const std::string path = absl::StrCat(path_, "/", file);
    if (changes_.closed.contains(path)) return Writer::kDone;
    return changes_.written.contains(path) ? Writer::kWriting : Writer::kUnheard;
  }

  // The look at an open file, or the error with which its header can't be read: then there is no
  // look that the next one could go by.
  absl::StatusOr<const FileLook*> Remember(const std::string& file, int fd, const FileStamp& stamp,
                                           bool is_kernel) {
    FileLook look =
        LookAgain(stamp, LookBefore(file), WriterOf(file), is_same_ && before_->is_whole, now_);
    if (is_kernel && look.image == KernelImage()) {
      ASSIGN_OR_RETURN(look.image, ReadKernelImage(fd));
    }
    return &(look_.files[file] = look);
  }

  absl::StatusOr<const FileLook*> OpenAndLook(const Folder& boot, const std::string& name,
                                              const std::string& file, bool is_kernel) {
    ASSIGN_OR_RETURN(const int fd, OpenBootFile(boot, name));
    const absl::Cleanup closer = [fd] { close(fd); };
    ASSIGN_OR_RETURN(const FileStamp stamp, StampOf(fd));
    return Remember(file, fd, stamp, is_kernel);
  }

  // The look at a regular file of the boot folder, or the error with which it can't be served.
  absl::StatusOr<const FileLook*> LookAt(const Folder& boot, const std::string& name,
                                         const std::string& file, bool is_kernel) {
    const FileLook* before = LookBefore(file);
    bool is_same = false;  // As far as can be told.
    if (before != nullptr && before->is_settled && WriterOf(file) == Writer::kUnheard) {
      const absl::StatusOr<FileStamp> stamp = boot.StampOf(name);
      // Opened then, and the same in every respect: not opened again.
      if (stamp.ok() && *stamp == before->stamp) return &(look_.files[file] = *before);
      is_same = stamp.ok() ? IsSameContent(*stamp, before->stamp) : MayPass(stamp.status());
    }
    absl::StatusOr<const FileLook*> look = OpenAndLook(boot, name, file, is_kernel);
    if (look.ok() || !MayPass(look.status())) return look;
    look_.is_settled = false;
    if (!is_same) {
      look_.is_whole = false;
      return look;
    }
    Warn(file, CantRead(look.status()), /*is_kept=*/true);
    return &(look_.files[file] = *before);
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

  // The pairs in the boot folder. Errors: the system's, if it can't be read.
  absl::StatusOr<std::vector<FoundKernel>> FindKernels() {
    ASSIGN_OR_RETURN(const Folder boot, folder_.OpenInside("boot"));
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
        const CatalogKernel* before = nullptr;
        if (MayPass(look.status())) {
          look_.is_settled = false;
          before = DefaultBefore();
        }
        // That a release has no such links is nothing to tell.
        if (!absl::IsNotFound(look.status())) {
          Warn(file, CantRead(look.status()), /*is_kept=*/before != nullptr);
        }
        if (before != nullptr) return *before;
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
    ASSIGN_OR_RETURN(const FileLook* look, Remember(file, fd, stamp, is_kernel));
    return *look;
  }

  // The kernel named "default" as it was offered last, or null.
  const CatalogKernel* DefaultBefore() const {
    if (!is_same_) return nullptr;
    for (const CatalogKernel& kernel : before_->kernels) {
      if (kernel.name == "default") return &kernel;
    }
    return nullptr;
  }

  const std::string& distro_;
  const std::string path_;
  const Folder& folder_;
  const ReleaseLook* const before_;
  const TreeChanges& changes_;
  const LookTime& now_;
  TreeWatch* const watch_;
  bool is_same_ = false;  // The folder is the one that was looked at before.
  ReleaseLook look_;
};

}  // namespace

ReleaseLook KeepLook(const ReleaseLook& before, const std::string& path, const std::string& reason,
                     const absl::Status& error) {
  ReleaseLook look = before;
  look.warnings.erase(std::remove_if(look.warnings.begin(), look.warnings.end(),
                                     [](const ScanWarning& warning) { return warning.is_kept; }),
                      look.warnings.end());
  look.warnings.push_back({path, reason, /*is_kept=*/true});
  look.is_settled &= !MayPass(error);
  return look;
}

ReleaseLook ScanRelease(const std::string& distro, const std::string& release, const Folder& folder,
                        const ReleaseLook* before, const TreeChanges& changes, const LookTime& now,
                        TreeWatch* watch) {
  return ReleaseScan(distro, release, folder, before, changes, now, watch).Run();
}

}  // namespace autopxe::agent
