#include "agent/catalog/files_scan.h"

#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/catalog/scan.h"
#include "agent/catalog/test_scan.h"
#include "agent/catalog/test_tree.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FilesScanTest : public testing::Test {
 protected:
  // Looks once more; the next look compares with this one.
  FilesLook Look(const TreeChanges& changes = Everything(),
                 absl::Duration later = absl::ZeroDuration()) {
    const auto folder = Folder::Open(tree_.files());
    EXPECT_THAT(folder, IsOk());
    auto look = ScanFiles(*folder, is_known_ ? &look_ : nullptr, changes, Now(later), nullptr);
    EXPECT_THAT(look, IsOk());
    look_ = *std::move(look);
    is_known_ = true;
    return look_;
  }

  static std::vector<std::string> Listed(const FilesLook& look) {
    std::vector<std::string> lines;
    for (const CatalogFile& file : ListFiles(look)) {
      lines.push_back(absl::StrCat(file.path, " ", file.size));
    }
    return lines;
  }

  static std::vector<std::string> Warned(const FilesLook& look) {
    Scan scan;
    scan.warnings = look.warnings;
    return agent::Warned(scan);
  }

  TestTree tree_;
  FilesLook look_;
  bool is_known_ = false;
};

TEST_F(FilesScanTest, AllFilesAreOfferedByTheirPathsInOrder) {
  tree_.Write("files/memtest/mt86plus", "12345");
  tree_.Write("files/memtest-old", "1");
  tree_.Write("files/a/b/c/linux", "");
  tree_.Write("files/zz", "123");
  tree_.MakeFolder("files/empty");
  const FilesLook look = Look();
  EXPECT_THAT(Listed(look),
              ElementsAre("a/b/c/linux 0", "memtest-old 1", "memtest/mt86plus 5", "zz 3"));
  EXPECT_THAT(look.warnings, IsEmpty());
  EXPECT_TRUE(look.is_settled);
}

TEST_F(FilesScanTest, WhatCantBeOfferedIsLeftOutAndSaysWhyUnlessItIsHidden) {
  tree_.Write("files/good", "1");
  tree_.Write("files/.hidden", "1");
  tree_.Write("files/.git/config", "1");
  tree_.Write("files/lost+found/1", "1");
  tree_.Write("files/a blank", "1");
  tree_.Write("files/in a/folder", "1");
  tree_.Write("files/${net0}", "1");
  tree_.Write("files/caf\xc3\xa9", "1");
  tree_.Write(absl::StrCat("files/", std::string(128, 'x'), "/", std::string(128, 'y')), "1");
  ASSERT_EQ(mkfifo((tree_.files() + "/pipe").c_str(), 0600), 0);
  const FilesLook look = Look();
  EXPECT_THAT(Listed(look), ElementsAre("good 1"));
  EXPECT_THAT(
      Warned(look),
      ElementsAre(HasSubstr("files/${net0}: not a path that a file of a distro can have"),
                  HasSubstr("files/a blank: not a path"),
                  HasSubstr("files/caf\xc3\xa9: not a path"), HasSubstr("files/in a: not a path"),
                  "files/pipe: neither a file nor a folder",
                  AllOf(HasSubstr("xx/yy"), HasSubstr("up to 256"))));
}

TEST_F(FilesScanTest, LinksAreFollowedInsideTheFolder) {
  tree_.Write("files/memtest-7.00/mt86plus", "12345");
  tree_.Link("files/memtest", "memtest-7.00");
  tree_.Link("files/current", "memtest/mt86plus");
  // From the folder's root, as when it is served.
  tree_.Link("files/memtest-7.00/absolute", "/memtest-7.00/mt86plus");
  const FilesLook look = Look();
  EXPECT_THAT(Listed(look),
              ElementsAre("current 5", "memtest-7.00/absolute 5", "memtest-7.00/mt86plus 5",
                          "memtest/absolute 5", "memtest/mt86plus 5"));
  EXPECT_THAT(look.warnings, IsEmpty());
}

// Faults, case 2.
TEST_F(FilesScanTest, NoLinkLeadsOut) {
  tree_.Write("secret", "outside");
  tree_.Write("outside/file", "outside");
  tree_.Link("files/absolute", tree_.folder() + "/secret");
  tree_.Link("files/dangling", "gone");
  tree_.Link("files/folder", tree_.folder() + "/outside");
  tree_.Link("files/self", "self");
  tree_.Link("files/proc", "/proc/self/root/etc/passwd");
  tree_.Link("files/up", "../secret");
  const FilesLook look = Look();
  EXPECT_THAT(Listed(look), IsEmpty());
  EXPECT_THAT(Warned(look), SizeIs(6));
  for (const char* name : {"absolute", "dangling", "folder", "self", "proc", "up"}) {
    EXPECT_THAT(Warned(look),
                Contains(absl::StrCat("files/", name,
                                      ": a link that leads to no file in the folder of files")));
  }
  EXPECT_TRUE(look.is_settled);
}

TEST_F(FilesScanTest, LinksInACircleEnd) {
  tree_.Write("files/a/one", "1");
  tree_.Write("files/b/two", "2");
  tree_.Link("files/a/b", "../b");
  tree_.Link("files/b/a", "../a");
  tree_.Link("files/a/root", "/");
  const FilesLook look = Look();
  EXPECT_THAT(Listed(look), ElementsAre("a/b/two 1", "a/one 1", "b/a/one 1", "b/two 1"));
  EXPECT_THAT(Warned(look), ElementsAre("files/a/b/a: a link to a folder that it is in itself",
                                        "files/a/root: a link to a folder that it is in itself",
                                        "files/b/a/b: a link to a folder that it is in itself",
                                        "files/b/a/root: a link to a folder that it is in itself"));
}

TEST_F(FilesScanTest, FoldersThatAreTooDeepAreLeftOut) {
  std::string path = "files";
  for (int i = 0; i < kMaxFilesDepth; ++i) path += "/d";
  tree_.Write(path + "/file", "1");
  tree_.Write(path + "/d/file", "1");
  const FilesLook look = Look();
  EXPECT_THAT(Listed(look), ElementsAre(HasSubstr("d/d/file 1")));
  EXPECT_THAT(Warned(look), ElementsAre(HasSubstr("d/d: more than 16 folders deep")));
}

TEST_F(FilesScanTest, WhatIsTooManyIsLeftOutWithOneWarning) {
  for (size_t i = 0; i <= kMaxCatalogFiles; ++i) tree_.WriteNow(absl::StrCat("files/a/", i), "1");
  tree_.Write("files/b", "1");
  const FilesLook look = Look(Everything(), absl::Hours(1));
  // The folder counts, too.
  EXPECT_THAT(ListFiles(look), SizeIs(kMaxCatalogFiles - 1));
  EXPECT_THAT(Warned(look), ElementsAre(HasSubstr(": more than 10,000 files, folders and links")));
}

TEST_F(FilesScanTest, WhatIsBeingWrittenIsLeftOutUntilItsWriterHasClosedItOrItHasBeenQuiet) {
  tree_.Write("files/old", "1");
  tree_.WriteNow("files/new", "1");
  tree_.Link("files/link", "new");
  EXPECT_THAT(Listed(Look()), ElementsAre("old 1"));
  EXPECT_FALSE(look_.is_settled);
  TreeChanges written;
  written.files = true;
  written.written_files = {"new"};
  EXPECT_THAT(Listed(Look(written, 2 * kQuiet)), ElementsAre("old 1"));
  TreeChanges closed;
  closed.files = true;
  closed.closed_files = {"new"};
  EXPECT_THAT(Listed(Look(closed, 2 * kQuiet)), ElementsAre("link 1", "new 1", "old 1"));
  EXPECT_TRUE(look_.is_settled);

  // Where nobody tells.
  tree_.WriteNow("files/old", "12");
  EXPECT_THAT(Listed(Look(Everything(), 3 * kQuiet)), ElementsAre("link 1", "new 1"));
  EXPECT_FALSE(look_.is_settled);
  EXPECT_THAT(Listed(Look(TreeChanges(), 4 * kQuiet)), ElementsAre("link 1", "new 1", "old 2"));
}

TEST_F(FilesScanTest, AFolderThatCantBeReadNowIsOfferedAsItWas) {
  tree_.Write("files/a/deep/er", "1");
  tree_.Write("files/a-b", "1");
  tree_.Write("files/b", "1");
  const std::vector<std::string> before = Listed(Look());
  ASSERT_THAT(before, SizeIs(3));
  // Descriptors for the folder of files and for the folder a, and none for its list.
  WithDescriptors(2, [&] { Look(); });
  EXPECT_EQ(Listed(look_), before);
  EXPECT_THAT(Warned(look_), ElementsAre("files/a: can't be read: Too many open files (kept)"));
  EXPECT_FALSE(look_.is_settled);
  EXPECT_EQ(Listed(Look(TreeChanges())), before);
  EXPECT_THAT(look_.warnings, IsEmpty());

  ASSERT_EQ(chmod((tree_.files() + "/a/deep").c_str(), 0), 0);
  WithoutPrivileges([&] { Look(); });
  EXPECT_EQ(Listed(look_), before);
  EXPECT_THAT(Warned(look_), ElementsAre("files/a/deep: can't be read: Permission denied (kept)"));
  EXPECT_TRUE(look_.is_settled);
  ASSERT_EQ(chmod((tree_.files() + "/a/deep").c_str(), 0700), 0);

  tree_.Remove("files/a");
  EXPECT_THAT(Listed(Look()), ElementsAre("a-b 1", "b 1"));
  EXPECT_THAT(look_.warnings, IsEmpty());
}

TEST_F(FilesScanTest, AFileThatForbidsToBeReadIsNotOffered) {
  tree_.Write("files/a", "1");
  tree_.Write("files/b", "1");
  ASSERT_EQ(chmod((tree_.files() + "/a").c_str(), 0), 0);
  WithoutPrivileges([&] { Look(); });
  EXPECT_THAT(Listed(look_), ElementsAre("b 1"));
  EXPECT_THAT(Warned(look_), ElementsAre("files/a: can't be read: Permission denied"));
}

TEST_F(FilesScanTest, AScanOffersItsFilesAndReadsThemAgainOnlyWhenTheyMayHaveChanged) {
  tree_.Write("files/a", "1");
  Scanner scanner(tree_.folders(), nullptr);
  const auto files = [&](const TreeChanges& changes) {
    return scanner.Run(changes, Now())->catalog.files;
  };
  EXPECT_THAT(files(Everything()), ElementsAre(CatalogFile{"a", 1}));
  tree_.Write("files/a", "12");
  tree_.Remove("files");
  EXPECT_THAT(files(TreeChanges()), ElementsAre(CatalogFile{"a", 1}));
  TreeChanges changes;
  changes.files = true;
  EXPECT_THAT(scanner.Run(changes, Now()),
              StatusIs(absl::StatusCode::kNotFound, absl::StrCat("folder of files ", tree_.files(),
                                                                 ": No such file or directory")));
  tree_.MakeFolder("files");
  EXPECT_THAT(files(changes), IsEmpty());
}

TEST_F(FilesScanTest, WithoutAFolderOfFilesThereAreNone) {
  tree_.Write("files/a", "1");
  Scanner scanner({.rootfs = tree_.rootfs(), .loaders = tree_.loaders(), .files = ""}, nullptr);
  EXPECT_THAT(scanner.Run(Everything(), Now())->catalog.files, IsEmpty());
}

}  // namespace
}  // namespace autopxe::agent
