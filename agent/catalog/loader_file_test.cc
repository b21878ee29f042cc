#include "agent/catalog/loader_file.h"

#include <unistd.h>

#include "agent/catalog/test_tree.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent {
namespace {

using ::testing::HasSubstr;

class LoaderFileTest : public testing::Test {
 protected:
  absl::StatusOr<int> OpenNamed(const std::string& name) {
    auto folder = Folder::Open(tree_.loaders());
    if (!folder.ok()) return folder.status();
    absl::StatusOr<int> fd = OpenLoader(*folder, name);
    if (fd.ok()) close(*fd);
    return fd;
  }

  TestTree tree_;
};

TEST_F(LoaderFileTest, AFileAndALinkToALoaderAnywhereAreOpened) {
  tree_.Write("loaders/undionly.kpxe", "bios");
  tree_.Write("boot/ipxe.efi", "uefi");
  tree_.Link("loaders/ipxe.efi", tree_.folder() + "/boot/ipxe.efi");
  tree_.Link("loaders/other.efi", "ipxe.efi");
  for (const char* name : {"undionly.kpxe", "ipxe.efi", "other.efi"}) {
    EXPECT_THAT(OpenNamed(name), IsOk()) << name;
  }
}

// Faults, case 2.
TEST_F(LoaderFileTest, ALinkToAnythingElseIsRefused) {
  tree_.Write("secret", "outside");
  tree_.MakeFolder("loaders/folder.efi");
  tree_.Link("loaders/shadow.efi", "/etc/passwd");
  tree_.Link("loaders/secret.efi", "../secret");
  tree_.Link("loaders/process.efi", "/proc/self/root/etc/passwd");
  tree_.Link("loaders/null.efi", "/dev/null");
  for (const char* name : {"shadow.efi", "secret.efi", "process.efi"}) {
    EXPECT_THAT(OpenNamed(name), testing::Not(IsOk())) << name;
  }
  for (const char* name : {"folder.efi", "null.efi"}) {
    EXPECT_THAT(OpenNamed(name),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not a regular file")))
        << name;
  }
  EXPECT_THAT(OpenNamed("none.efi"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace autopxe::agent
