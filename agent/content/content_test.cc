#include "agent/content/content.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ContentTest : public ::testing::Test {
 protected:
  ContentTest() {
    std::string folder = absl::StrCat(::testing::TempDir(), "/contentXXXXXX");
    folder_ = mkdtemp(folder.data());
    path_ = folder_ + "/file";
  }

  ~ContentTest() override {
    unlink(path_.c_str());
    unlink((path_ + ".new").c_str());
    rmdir(folder_.c_str());
  }

  static void Write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    // The mtime is set apart from any other write's: the kernel's own clock ticks only every few
    // milliseconds.
    static int64_t seconds = 1'000'000'000;
    const timespec times[2] = {{++seconds, 0}, {seconds, 0}};
    utimensat(AT_FDCWD, path.c_str(), times, 0);
  }

  std::shared_ptr<const Content> Open() {
    auto content = Content::FromFile(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_THAT(content, IsOk());
    return *content;
  }

  static absl::StatusOr<std::string> Read(const Content& content, uint64_t offset, size_t size) {
    std::string bytes(size, '?');
    auto count = content.ReadAt(offset, absl::MakeSpan(bytes.data(), bytes.size()));
    if (!count.ok()) return count.status();
    bytes.resize(*count);
    return bytes;
  }

  std::string folder_;
  std::string path_;
};

TEST_F(ContentTest, PartsAreFilledOneBehindTheOther) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&bytes, i, ",");
  Write(path_, bytes);
  for (const auto& content : {Open(), Content::FromText(bytes)}) {
    for (const size_t offset : {size_t{0}, size_t{7}, bytes.size() - 5, bytes.size()}) {
      for (const size_t length : {0u, 1u, 3u, 100u}) {
        // More parts than one call takes.
        std::string buffer(200 * (length + 1), '.');
        std::vector<absl::Span<char>> parts;
        std::string expected = buffer;
        for (size_t i = 0; i < 200; ++i) {
          parts.push_back(absl::MakeSpan(buffer.data() + i * (length + 1), length));
          const size_t from = std::min(bytes.size(), offset + i * length);
          bytes.copy(expected.data() + i * (length + 1), length, from);
        }
        EXPECT_THAT(content->ReadAt(offset, parts),
                    IsOkAndHolds(std::min(bytes.size() - offset, 200 * length)));
        EXPECT_EQ(buffer, expected);
      }
    }
  }
}

// faults.md case 19.
TEST_F(ContentTest, PartsOfAFileThatWasCutOffAreNotFilledWell) {
  Write(path_, "abcdefgh");
  const auto content = Open();
  ASSERT_EQ(truncate(path_.c_str(), 5), 0);
  char buffer[8];
  const absl::Span<char> parts[] = {absl::MakeSpan(buffer, 4), absl::MakeSpan(buffer + 4, 4)};
  EXPECT_THAT(content->ReadAt(0, parts), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ContentTest, ATextAndAFileReadTheSame) {
  Write(path_, "0123456789");
  const auto text = Content::FromText("0123456789");
  const auto file = Open();
  EXPECT_EQ(text->fd(), -1);
  EXPECT_EQ(text->text(), "0123456789");
  EXPECT_GE(file->fd(), 0);
  EXPECT_EQ(file->text(), "");
  const struct {
    uint64_t offset;
    size_t size;
    std::string expected;
  } kCases[] = {
      {0, 10, "0123456789"}, {0, 4, "0123"}, {4, 3, "456"},       {8, 10, "89"}, {9, 1, "9"},
      {10, 4, ""},           {11, 4, ""},    {UINT64_MAX, 4, ""}, {0, 0, ""},
  };
  for (const auto& content : {text, file}) {
    EXPECT_EQ(content->size(), 10u);
    EXPECT_THAT(content->CheckUnchanged(), IsOk());
    for (const auto& c : kCases) {
      SCOPED_TRACE(absl::StrCat("offset ", c.offset, " size ", c.size));
      EXPECT_THAT(Read(*content, c.offset, c.size), IsOkAndHolds(c.expected));
    }
  }
}

TEST_F(ContentTest, AnEmptyFileIsContentOfNoBytes) {
  Write(path_, "");
  const auto file = Open();
  EXPECT_EQ(file->size(), 0u);
  EXPECT_THAT(Read(*file, 0, 8), IsOkAndHolds(std::string()));
}

TEST_F(ContentTest, OnlyARegularFileIsContent) {
  EXPECT_THAT(Content::FromFile(open(folder_.c_str(), O_RDONLY | O_CLOEXEC)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("regular")));
  EXPECT_THAT(Content::FromFile(open("/dev/null", O_RDONLY | O_CLOEXEC)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("regular")));
  EXPECT_THAT(Content::FromFile(-1), Not(IsOk()));
}

TEST_F(ContentTest, TheDescriptorIsClosedWithTheContentAndOnErrors) {
  Write(path_, "x");
  auto file = Open();
  const int fd = file->fd();
  file.reset();
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);

  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_THAT(Content::FromFile(null), Not(IsOk()));
  EXPECT_EQ(fcntl(null, F_GETFD), -1);
}

// Faults, case 19: replaced or deleted during a transfer.
TEST_F(ContentTest, ADeletedFileKeepsItsContent) {
  Write(path_, "old content");
  const auto file = Open();
  unlink(path_.c_str());
  EXPECT_THAT(Read(*file, 0, 100), IsOkAndHolds(std::string("old content")));
  EXPECT_THAT(file->CheckUnchanged(), IsOk());
}

// Faults, case 19.
TEST_F(ContentTest, AReplacedFileKeepsItsOldContent) {
  Write(path_, "old content");
  const auto file = Open();
  Write(path_ + ".new", "NEW");
  ASSERT_EQ(rename((path_ + ".new").c_str(), path_.c_str()), 0);
  EXPECT_THAT(Read(*file, 0, 100), IsOkAndHolds(std::string("old content")));
  EXPECT_THAT(file->CheckUnchanged(), IsOk());
  EXPECT_NE(Open()->Version(), file->Version());
}

// Faults, case 19: overwritten or truncated in place.
TEST_F(ContentTest, AFileThatIsWrittenInPlaceIsNoLongerWhatWasOpened) {
  Write(path_, "old content");
  const auto file = Open();
  Write(path_, "new content");
  EXPECT_THAT(file->CheckUnchanged(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("written")));
  EXPECT_NE(Open()->Version(), file->Version());
}

// Faults, case 19.
TEST_F(ContentTest, AWriteThatRestoresTheModificationTimeShowsInTheChangeTime) {
  Write(path_, "old content");
  struct stat before;
  ASSERT_EQ(stat(path_.c_str(), &before), 0);
  const auto file = Open();
  std::ofstream(path_, std::ios::binary | std::ios::in) << "new";
  const timespec times[2] = {before.st_atim, before.st_mtim};
  // Until the clock of the file system has ticked, the change time can't show a difference.
  struct stat after;
  do {
    ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
    ASSERT_EQ(stat(path_.c_str(), &after), 0);
  } while (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
           after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
  EXPECT_THAT(file->CheckUnchanged(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("written")));
}

// Faults, case 19.
TEST_F(ContentTest, AFileThatIsTruncatedInPlaceIsAnErrorAndNoShortRead) {
  Write(path_, "0123456789");
  const auto file = Open();
  ASSERT_EQ(truncate(path_.c_str(), 4), 0);
  EXPECT_THAT(file->CheckUnchanged(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("4 bytes, it had 10")));
  EXPECT_THAT(Read(*file, 0, 10),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("ends at byte 4")));
  EXPECT_THAT(Read(*file, 6, 2),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("ends at byte 6")));
}

TEST_F(ContentTest, AFileThatGrowsIsReadToTheSizeThatItHad) {
  Write(path_, "0123456789");
  const auto file = Open();
  Write(path_, "0123456789ABC");
  EXPECT_THAT(Read(*file, 0, 100), IsOkAndHolds(std::string("0123456789")));
  EXPECT_THAT(file->CheckUnchanged(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("13 bytes")));
}

TEST_F(ContentTest, TheVersionIsStableAndFitsAnEntityTag) {
  Write(path_, "0123456789");
  const auto file = Open();
  EXPECT_EQ(file->Version(), Open()->Version());
  EXPECT_THAT(file->Version(), ::testing::MatchesRegex("[0-9a-f-]+"));
  EXPECT_EQ(Content::FromText("x")->Version(), "");
}

}  // namespace
}  // namespace autopxe::agent
