#include "boot/boot_files.h"

#include "boot/sample.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

AgentContext Agent(const char* rootfs_folder) {
  return {.id = AgentId::Parse("a1").value(), .rootfs_folder = rootfs_folder, .advertise = {}};
}

TEST(BootFilesTest, AnAliasShowsTheFolderThatItLinksTo) {
  const CatalogRelease bookworm = {.name = "bookworm", .alias_of = "", .kernels = {}};
  const CatalogRelease stable = {.name = "stable", .alias_of = "bookworm", .kernels = {}};
  EXPECT_EQ(BootFilePath("debian", bookworm, "boot/vmlinuz-1"),
            "boot/debian/bookworm/boot/vmlinuz-1");
  EXPECT_EQ(BootFilePath("debian", stable, "vmlinuz"), "boot/debian/bookworm/vmlinuz");
  EXPECT_EQ(RootfsPath(*Snapshot::Empty(Revision()), Agent("/srv"), "debian", stable),
            "/srv/debian/bookworm");
}

TEST(BootFilesTest, OnlyFilesOfTheAgentsCanBeMissing) {
  EXPECT_EQ(BootFilePath(BootFile::Parse("memtest/mt86plus").value()), "files/memtest/mt86plus");
  Sample sample;
  sample.DeclareKernel("d", "http://x/k", {"a", "b/c", "http://x/i"}, "");
  sample.DeclareChain("e", "http://x/e");
  const auto missing = [&](size_t i) {
    const BootFile* const file = FindMissingFile(*sample.declared[i], sample.catalog);
    return file == nullptr ? "" : file->text();
  };
  EXPECT_EQ(missing(0), "a");
  EXPECT_EQ(missing(1), "");
  sample.SetFiles({"a", "b"});
  EXPECT_EQ(missing(0), "b/c");
  sample.SetFiles({"a", "b/c"});
  EXPECT_EQ(missing(0), "");
}

TEST(BootFilesTest, ThePrefixIsTheAgentsOrElseTheGlobalOneOrElseTheAgentsFolder) {
  const CatalogRelease bookworm = {.name = "bookworm", .alias_of = "", .kernels = {}};
  const auto path = [&](const Sample& sample, const char* rootfs_folder) {
    return RootfsPath(*sample.Build(), Agent(rootfs_folder), "d", bookworm);
  };
  Sample sample;
  sample.settings.rootfs_path_prefix.reset();
  // One slash behind it.
  EXPECT_EQ(path(sample, "/srv/rootfs/"), "/srv/rootfs/d/bookworm");
  sample.settings.rootfs_path_prefix = RootfsPathPrefix::Parse("/").value();
  EXPECT_EQ(path(sample, "/srv"), "/d/bookworm");
  sample.settings.rootfs_path_prefix = RootfsPathPrefix::Parse("/pxe/rootfs").value();
  EXPECT_EQ(path(sample, "/srv"), "/pxe/rootfs/d/bookworm");
  sample.agent_settings = {SettingsFor("a2"), SettingsFor("a1")};
  sample.agent_settings[0].rootfs_path_prefix = RootfsPathPrefix::Parse("/other").value();
  EXPECT_EQ(path(sample, "/srv"), "/pxe/rootfs/d/bookworm");
  sample.agent_settings[1].rootfs_path_prefix = RootfsPathPrefix::Parse("/rack1").value();
  EXPECT_EQ(path(sample, "/srv"), "/rack1/d/bookworm");
}

}  // namespace
}  // namespace autopxe
