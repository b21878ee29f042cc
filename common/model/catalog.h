#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/model/architecture.h"

namespace autopxe {

// A kernel with its initrd, under the name by which a distro names it.
struct CatalogKernel {
  std::string name;         // A version, "latest", "previous" or "default".
  std::string version;      // The version it stands for; "default" may have none.
  std::string kernel_path;  // Below the release: "boot/vmlinuz-6.1.0-25-amd64".
  std::string initrd_path;  // Below the release: "boot/initrd.img-6.1.0-25-amd64".
  Architecture architecture = Architecture::kUnknown;
  int64_t kernel_size = 0;  // Bytes, as of initrd_size.
  int64_t initrd_size = 0;

  friend bool operator==(const CatalogKernel&, const CatalogKernel&) = default;
};

struct CatalogRelease {
  std::string name;
  std::string alias_of;  // The release that this one is a link to; else empty.
  // In the menu's order: latest, previous, default, then versions from the newest.
  std::vector<CatalogKernel> kernels;

  // The name of the folder that holds the files, and that `rootfs-path` shows.
  const std::string& folder() const { return alias_of.empty() ? name : alias_of; }

  // The kernel, or null.
  const CatalogKernel* FindKernel(absl::string_view kernel) const;

  friend bool operator==(const CatalogRelease&, const CatalogRelease&) = default;
};

struct CatalogDistro {
  std::string name;
  std::vector<CatalogRelease> releases;  // Ascending by name.

  friend bool operator==(const CatalogDistro&, const CatalogDistro&) = default;
};

// More files are no folder of boot files but a mistake, and would fill every report.
inline constexpr size_t kMaxCatalogFiles = 10'000;

// A file of the agent's folder of files, for declared distros.
struct CatalogFile {
  std::string path;  // Below the folder: a path that BootFile::Parse takes.
  int64_t size = 0;  // Bytes.

  friend bool operator==(const CatalogFile&, const CatalogFile&) = default;
};

// What an agent can boot: immutable once it is shared. Every name in it is a part of a distro
// (Distro::IsPart) and every path is relative, printable ASCII without blanks, and has no ".."
// part.
struct Catalog {
  std::vector<CatalogDistro> distros;  // Ascending by name.
  std::vector<std::string> loaders;    // Names of loader files ("undionly.kpxe"), ascending.
  // Ascending by path, each path once; kMaxCatalogFiles at most.
  std::vector<CatalogFile> files;

  // The release, or null.
  const CatalogRelease* FindRelease(absl::string_view distro, absl::string_view release) const;

  // The file, or null.
  const CatalogFile* FindFile(absl::string_view path) const;

  // How many kernels it offers, by whatever name.
  size_t KernelCount() const;

  friend bool operator==(const Catalog&, const Catalog&) = default;
};

}  // namespace autopxe
