#include "common/runtime/state_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class StateFolderTest : public testing::Test {
 protected:
  StateFolderTest() {
    std::string pattern = testing::TempDir() + "/state_folder_test.XXXXXX";
    path_ = mkdtemp(pattern.data());
  }

  static StateFolder Opened(const std::string& path) {
    absl::StatusOr<StateFolder> folder = StateFolder::Open(path);
    EXPECT_THAT(folder, IsOk());
    return *std::move(folder);
  }

  std::string Path(const std::string& name) const { return path_ + "/" + name; }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::trunc) << text;
  }

  std::string Slurp(const std::string& name) const {
    std::ifstream file(Path(name));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  std::string path_;
};

TEST_F(StateFolderTest, AFileThatIsMadeIsForItsOwnerOnlyAndReadBack) {
  const StateFolder folder = Opened(path_);
  const absl::StatusOr<int> fd = folder.Make("new");
  ASSERT_THAT(fd, IsOk());
  const std::string bytes(200'000, 'x');
  EXPECT_THAT(WriteAll(*fd, bytes, folder.PathOf("new")), IsOk());
  EXPECT_THAT(WriteAll(*fd, "end", folder.PathOf("new")), IsOk());
  close(*fd);
  struct stat found;
  ASSERT_EQ(stat(Path("new").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  EXPECT_THAT(folder.Rename("new", "file"), IsOk());
  EXPECT_THAT(folder.Sync(), IsOk());
  EXPECT_THAT(folder.Read("file"), IsOkAndHolds(bytes + "end"));
}

TEST_F(StateFolderTest, WhatWasLeftThereIsNotWrittenInto) {
  const StateFolder folder = Opened(path_);
  Write("elsewhere", "kept");
  ASSERT_EQ(symlink("elsewhere", Path("new").c_str()), 0);
  const absl::StatusOr<int> fd = folder.Make("new");
  ASSERT_THAT(fd, IsOk());
  EXPECT_THAT(WriteAll(*fd, "mine", ""), IsOk());
  close(*fd);
  EXPECT_EQ(Slurp("elsewhere"), "kept");
  EXPECT_EQ(Slurp("new"), "mine");
}

TEST_F(StateFolderTest, NothingIsReadThroughALink) {
  Write("elsewhere", "secret");
  ASSERT_EQ(symlink("elsewhere", Path("file").c_str()), 0);
  EXPECT_EQ(Opened(path_).Read("file").status().code(), absl::ErrnoToStatus(ELOOP, "").code());
}

TEST_F(StateFolderTest, AnErrorNamesTheFile) {
  const StateFolder folder = Opened(path_);
  EXPECT_THAT(StateFolder::Open(Path("none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(Path("none"))));
  EXPECT_THAT(folder.Read("none"),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("can't open"), HasSubstr(Path("none")))));
  EXPECT_THAT(folder.Rename("none", "other"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(Path("none"))));
  ASSERT_EQ(mkdir(Path("folder").c_str(), 0700), 0);
  EXPECT_THAT(folder.Make("folder").status().message(), HasSubstr("can't remove"));
  EXPECT_THAT(WriteAll(-1, "x", "the-file").message(), HasSubstr("can't write the-file"));
  EXPECT_THAT(WriteAll(-1, "", "the-file"), IsOk()) << "there is nothing to write";
}

TEST_F(StateFolderTest, OfTheDamagedTheFirstThreeAreNeverReplaced) {
  const StateFolder folder = Opened(path_);
  const std::string asides[] = {"x.damaged", "x.damaged.2", "x.damaged.3", "x.damaged.4",
                                "x.damaged.4"};
  for (size_t i = 0; i < std::size(asides); ++i) {
    Write("file", std::to_string(i));
    EXPECT_EQ(folder.SetAside("file", "x"), asides[i]);
  }
  EXPECT_EQ(Slurp("x.damaged"), "0");
  EXPECT_EQ(Slurp("x.damaged.3"), "2");
  EXPECT_EQ(Slurp("x.damaged.4"), "4");
  EXPECT_EQ(folder.SetAside("none", "y"), "");
}

TEST_F(StateFolderTest, OneThatWasMovedIsStillOpen) {
  StateFolder first = Opened(path_);
  const StateFolder second = std::move(first);
  Write("file", "text");
  EXPECT_THAT(second.Read("file"), IsOkAndHolds(std::string("text")));
  EXPECT_EQ(second.path(), path_);
}

}  // namespace
}  // namespace autopxe
