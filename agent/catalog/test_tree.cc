#include "agent/catalog/test_tree.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

std::filesystem::path Below(const std::string& folder, absl::string_view path) {
  std::filesystem::path whole = absl::StrCat(folder, "/", path);
  std::filesystem::create_directories(whole.parent_path());
  return whole;
}

}  // namespace

TestTree::TestTree() {
  std::string pattern = absl::StrCat(::testing::TempDir(), "/treeXXXXXX");
  folder_ = mkdtemp(pattern.data());
  MakeFolder("rootfs");
  MakeFolder("loaders");
  MakeFolder("files");
}

TestTree::~TestTree() { std::filesystem::remove_all(folder_); }

void TestTree::MakeFolder(absl::string_view path) const {
  std::filesystem::create_directories(Below(folder_, path));
}

void TestTree::Write(absl::string_view path, absl::string_view bytes) const {
  const std::filesystem::path whole = Below(folder_, path);
  const std::filesystem::path elsewhere = Below(folder_, "being-written");
  WriteNow("being-written", bytes);
  std::filesystem::last_write_time(
      elsewhere, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  std::filesystem::rename(elsewhere, whole);
}

void TestTree::WriteNow(absl::string_view path, absl::string_view bytes) const {
  std::ofstream(Below(folder_, path), std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void TestTree::Link(absl::string_view path, absl::string_view target) const {
  std::filesystem::create_symlink(std::string(target), Below(folder_, path));
}

void TestTree::Remove(absl::string_view path) const {
  std::filesystem::remove_all(Below(folder_, path));
}

void TestTree::AddKernel(absl::string_view release, absl::string_view version) const {
  const std::string boot = absl::StrCat("rootfs/", release, "/boot/");
  Write(absl::StrCat(boot, "vmlinuz-", version), absl::StrCat("kernel ", version));
  Write(absl::StrCat(boot, "initrd.img-", version), absl::StrCat("initrd ", version));
}

}  // namespace autopxe::agent
