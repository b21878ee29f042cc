#include "boot/boot_files.h"

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
  EXPECT_EQ(RootfsPath(Settings(), Agent("/srv"), "debian", stable), "/srv/debian/bookworm");
}

TEST(BootFilesTest, ThePrefixIsTheSettingsOrElseTheAgentsFolderWithOneSlashBehindIt) {
  const CatalogRelease bookworm = {.name = "bookworm", .alias_of = "", .kernels = {}};
  Settings settings;
  EXPECT_EQ(RootfsPath(settings, Agent("/srv/rootfs/"), "d", bookworm), "/srv/rootfs/d/bookworm");
  settings.rootfs_path_prefix = RootfsPathPrefix::Parse("/pxe/rootfs").value();
  EXPECT_EQ(RootfsPath(settings, Agent("/srv"), "d", bookworm), "/pxe/rootfs/d/bookworm");
  settings.rootfs_path_prefix = RootfsPathPrefix::Parse("/").value();
  EXPECT_EQ(RootfsPath(settings, Agent("/srv"), "d", bookworm), "/d/bookworm");
}

}  // namespace
}  // namespace autopxe
