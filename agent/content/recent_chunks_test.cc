#include "agent/content/recent_chunks.h"

#include <fcntl.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent {
namespace {

class RecentChunksTest : public testing::Test {
 protected:
  RecentChunksTest() : path_(absl::StrCat(testing::TempDir(), "/recent-chunks")) {}

  void Write(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::shared_ptr<const Content> Open() {
    auto content = Content::FromFile(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_THAT(content, IsOk());
    return *content;
  }

  // Old enough to be kept: nothing but time makes a file's ctime old, so that it is one of the
  // system's.
  static std::shared_ptr<const Content> OpenOld() {
    auto content = Content::FromFile(open("/bin/sh", O_RDONLY | O_CLOEXEC));
    EXPECT_THAT(content, IsOk());
    EXPECT_TRUE((*content)->Identity().has_value());
    return *content;
  }

  static absl::StatusOr<std::string> Read(RecentChunks& chunks, const Content& content,
                                          uint64_t offset, size_t size, size_t parts = 1) {
    std::string bytes(size, '.');
    std::vector<absl::Span<char>> spans;
    for (size_t i = 0; i < parts; ++i) {
      const size_t begin = size * i / parts;
      spans.push_back(absl::MakeSpan(bytes.data() + begin, size * (i + 1) / parts - begin));
    }
    const auto count = chunks.Read(content, offset, spans);
    if (!count.ok()) return count.status();
    return bytes.substr(0, *count);
  }

  static std::string Direct(const Content& content, uint64_t offset, size_t size) {
    std::string bytes(size, '.');
    const auto count = content.ReadAt(offset, absl::MakeSpan(bytes.data(), bytes.size()));
    EXPECT_THAT(count, IsOk());
    return bytes.substr(0, count.value_or(0));
  }

  const std::string path_;
};

TEST_F(RecentChunksTest, WhatIsReadIsWhatIsThereHoweverItIsCut) {
  const auto content = OpenOld();
  for (const size_t chunk_bytes : {1u, 7u, 1000u, 65536u}) {
    RecentChunks chunks(4, chunk_bytes);
    for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, uint64_t{999}, uint64_t{70'000},
                                  content->size() - 3, content->size(), content->size() + 5}) {
      for (const size_t size : {0u, 1u, 6u, 2500u}) {
        for (const size_t parts : {1u, 2u, 5u}) {
          EXPECT_THAT(Read(chunks, *content, offset, size, parts),
                      IsOkAndHolds(Direct(*content, offset, size)))
              << chunk_bytes << " " << offset << " " << size;
          EXPECT_LE(chunks.size(), 4u);
        }
      }
    }
  }
}

TEST_F(RecentChunksTest, AChunkIsKeptForTheNextReaderOfTheSameFile) {
  RecentChunks chunks(4, 1000);
  const auto first = OpenOld();
  const auto second = OpenOld();
  EXPECT_THAT(Read(chunks, *first, 0, 100), IsOkAndHolds(Direct(*first, 0, 100)));
  EXPECT_EQ(chunks.size(), 1u);
  EXPECT_THAT(Read(chunks, *second, 500, 100), IsOkAndHolds(Direct(*first, 500, 100)));
  EXPECT_EQ(chunks.size(), 1u);
  chunks.Clear();
  EXPECT_EQ(chunks.size(), 0u);
  EXPECT_THAT(Read(chunks, *second, 500, 100), IsOkAndHolds(Direct(*first, 500, 100)));
}

TEST_F(RecentChunksTest, WhatIsNotReadToItsEndIsKeptForItsReaderUntilHeIsGone) {
  RecentChunks chunks(2, 1000);
  const auto content = OpenOld();
  EXPECT_THAT(Read(chunks, *content, 0, 100), IsOk());
  EXPECT_THAT(Read(chunks, *content, 1000, 100), IsOk());
  // No room: read for itself alone.
  EXPECT_THAT(Read(chunks, *content, 5000, 100), IsOkAndHolds(Direct(*content, 5000, 100)));
  EXPECT_EQ(chunks.size(), 2u);
  // The first has been read whole: the third takes its place.
  EXPECT_THAT(Read(chunks, *content, 100, 900), IsOk());
  EXPECT_THAT(Read(chunks, *content, 1100, 100), IsOk());
  for (int i = 0; i < 200; ++i) {
    EXPECT_THAT(Read(chunks, *content, 2000 + 1000 * (i % 50), 100),
                IsOkAndHolds(Direct(*content, 2000 + 1000 * (i % 50), 100)));
    EXPECT_LE(chunks.size(), 2u);
  }
}

// faults.md case 19: a file that was just written can be written to again and look the same.
TEST_F(RecentChunksTest, AFileThatWasJustWrittenIsNotKept) {
  Write("abcdefgh");
  RecentChunks chunks;
  const auto content = Open();
  EXPECT_FALSE(content->Identity().has_value());
  EXPECT_THAT(Read(chunks, *content, 2, 3), IsOkAndHolds("cde"));
  EXPECT_EQ(chunks.size(), 0u);
}

TEST_F(RecentChunksTest, ATextIsReadAsItIs) {
  RecentChunks chunks;
  const auto content = Content::FromText("abcdefgh");
  EXPECT_FALSE(content->Identity().has_value());
  EXPECT_THAT(Read(chunks, *content, 2, 100), IsOkAndHolds("cdefgh"));
  EXPECT_EQ(chunks.size(), 0u);
}

}  // namespace
}  // namespace autopxe::agent
