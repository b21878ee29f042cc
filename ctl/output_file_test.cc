#include "ctl/output_file.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class OutputFileTest : public testing::Test {
 protected:
  OutputFileTest() : folder_(testing::TempDir() + "/output_file.XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/backup.db";
  }
  ~OutputFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Content() const {
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  int FilesInFolder() const {
    return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::string folder_;
  std::string path_;
};

TEST_F(OutputFileTest, ItAppearsWholeAndForItsOwnerAlone) {
  const mode_t before = umask(0);
  {
    auto file = OutputFile::Create(path_, false);
    umask(before);
    ASSERT_THAT(file, IsOk());
    EXPECT_THAT((*file)->Write("one "), IsOk());
    EXPECT_THAT((*file)->Write("two"), IsOk());
    EXPECT_FALSE(std::filesystem::exists(path_));
    EXPECT_THAT((*file)->Commit(), IsOk());
  }
  EXPECT_EQ(Content(), "one two");
  struct stat found;
  ASSERT_EQ(stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600u);
  EXPECT_EQ(FilesInFolder(), 1);
}

TEST_F(OutputFileTest, WhatIsNotCommittedLeavesNothing) {
  {
    auto file = OutputFile::Create(path_, false);
    ASSERT_THAT(file, IsOk());
    EXPECT_THAT((*file)->Write("one"), IsOk());
  }
  EXPECT_EQ(FilesInFolder(), 0);
}

TEST_F(OutputFileTest, WhatIsThereGivesWayOnlyWhenAsked) {
  std::ofstream(path_) << "precious";
  const auto is_there = StatusIs(absl::StatusCode::kFailedPrecondition,
                                 AllOf(HasSubstr(path_), HasSubstr("--force")));
  EXPECT_THAT(OutputFile::Create(path_, false), is_there);
  {
    auto file = OutputFile::Create(path_, true);
    ASSERT_THAT(file, IsOk());
    EXPECT_THAT((*file)->Write("new"), IsOk());
    EXPECT_EQ(Content(), "precious");
    EXPECT_THAT((*file)->Commit(), IsOk());
  }
  EXPECT_EQ(Content(), "new");
  // Nor if it came meanwhile.
  std::filesystem::remove(path_);
  auto file = OutputFile::Create(path_, false);
  ASSERT_THAT(file, IsOk());
  std::ofstream(path_) << "precious";
  EXPECT_THAT((*file)->Commit(), is_there);
  file->reset();
  EXPECT_EQ(Content(), "precious");
  EXPECT_EQ(FilesInFolder(), 1);
}

TEST_F(OutputFileTest, AFolderThatIsMissingIsNamed) {
  EXPECT_THAT(OutputFile::Create(folder_ + "/none/backup.db", false),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("/none/backup.db"), HasSubstr("No such file"))));
}

}  // namespace
}  // namespace autopxe::ctl
