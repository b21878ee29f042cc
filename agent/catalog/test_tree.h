#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "agent/catalog/catalog_folders.h"

namespace autopxe::agent {

// A folder of its own with a rootfs tree, a loaders folder and a folder of files in it, for tests.
// Removed with the object.
class TestTree {
 public:
  TestTree();
  ~TestTree();
  TestTree(const TestTree&) = delete;
  TestTree& operator=(const TestTree&) = delete;

  // Holds rootfs, loaders and files, and what a test puts outside of them.
  const std::string& folder() const { return folder_; }
  std::string rootfs() const { return folder_ + "/rootfs"; }
  std::string loaders() const { return folder_ + "/loaders"; }
  std::string files() const { return folder_ + "/files"; }
  CatalogFolders folders() const { return {rootfs(), loaders(), files()}; }

  // Paths are below folder(); folders on the way are made. A file comes into its place as a whole
  // and is an hour old, as those of a tree that was installed before.
  void MakeFolder(absl::string_view path) const;
  void Write(absl::string_view path, absl::string_view bytes) const;
  // The same for a file that is written in its place, now.
  void WriteNow(absl::string_view path, absl::string_view bytes) const;
  void Link(absl::string_view path, absl::string_view target) const;
  void Remove(absl::string_view path) const;

  // vmlinuz-<version> and initrd.img-<version> in rootfs/<release>/boot, as "kernel <version>" and
  // "initrd <version>". `release` is "debian/bookworm".
  void AddKernel(absl::string_view release, absl::string_view version) const;

 private:
  std::string folder_;
};

}  // namespace autopxe::agent
