#include "agent/tftp/block_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

std::shared_ptr<const Content> OpenFile(const std::string& path) {
  auto content = Content::FromFile(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(content, IsOk());
  return *content;
}

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

absl::StatusOr<std::string> Read(BlockReader& reader, uint64_t index, size_t block_size) {
  std::string packet(kDataHeaderBytes + block_size, '\0');
  const auto bytes = reader.Read(index, 1, absl::MakeSpan(&packet[0], packet.size()));
  if (!bytes.ok()) return bytes.status();
  return packet.substr(kDataHeaderBytes, *bytes);
}

TEST(BlockReaderTest, SeveralBlocksAreReadAtOnceBehindTheirHeaders) {
  RecentChunks chunks;
  const std::string path = WriteFile("several", "abcdefgh");
  for (const Mode mode : {Mode::kOctet, Mode::kNetascii}) {
    for (const auto& content : {Content::FromText("abcdefgh"), OpenFile(path)}) {
      BlockReader reader(content, mode, 3, chunks);
      std::string packets(3 * reader.packet_bytes(), '.');
      const absl::Span<char> room(&packets[0], packets.size());
      EXPECT_THAT(reader.Read(0, 2, room), IsOkAndHolds(6u));
      EXPECT_EQ(packets, "....abc....def.......");
      EXPECT_THAT(reader.Read(1, 3, room), IsOkAndHolds(5u));
      EXPECT_EQ(packets.substr(0, 13), "....def....gh");
      BlockReader wholes(content, mode, 4, chunks);
      packets.assign(4 * wholes.packet_bytes(), '.');
      EXPECT_THAT(wholes.Read(0, 4, absl::Span<char>(&packets[0], packets.size())),
                  IsOkAndHolds(8u));
      EXPECT_EQ(packets.substr(0, 16), "....abcd....efgh");
    }
  }
}

TEST(BlockReaderTest, OctetsAreCutIntoBlocksOfWhichTheLastIsShort) {
  RecentChunks chunks;
  const std::string path = WriteFile("octets", "abcdefgh");
  for (const auto& content : {Content::FromText("abcdefgh"), OpenFile(path)}) {
    BlockReader threes(content, Mode::kOctet, 3, chunks);
    EXPECT_THAT(Read(threes, 0, 3), IsOkAndHolds("abc"));
    EXPECT_THAT(Read(threes, 1, 3), IsOkAndHolds("def"));
    EXPECT_THAT(Read(threes, 2, 3), IsOkAndHolds("gh"));
    EXPECT_THAT(Read(threes, 1, 3), IsOkAndHolds("def"));
    BlockReader fours(content, Mode::kOctet, 4, chunks);
    EXPECT_THAT(Read(fours, 1, 4), IsOkAndHolds("efgh"));
    EXPECT_THAT(Read(fours, 2, 4), IsOkAndHolds(""));
    EXPECT_EQ(TransferSize(*content, Mode::kOctet), 8u);
    EXPECT_EQ(TransferSize(*content, Mode::kNetascii), absl::nullopt);
  }
}

// faults.md case 18.
TEST(BlockReaderTest, NetasciiIsTheSameWhicheverBlocksAreReadAgain) {
  RecentChunks chunks;
  std::string text, encoded;
  for (int i = 0; i < 5000; ++i) {
    text += absl::StrCat(i, i % 7 == 0 ? "\r" : "", "\n");
    encoded += absl::StrCat(i, i % 7 == 0 ? std::string("\r\0", 2) : "", "\r\n");
  }
  for (const size_t block_size : {8u, 512u, 513u, 60000u}) {
    BlockReader reader(Content::FromText(text), Mode::kNetascii, block_size, chunks);
    std::string read;
    for (uint64_t index = 0;; ++index) {
      const auto block = Read(reader, index, block_size);
      ASSERT_THAT(block, IsOk());
      EXPECT_THAT(Read(reader, index, block_size), IsOkAndHolds(*block));
      if (index >= 4) {
        EXPECT_THAT(Read(reader, index - 4, block_size),
                    IsOkAndHolds(encoded.substr((index - 4) * block_size, block_size)));
        reader.Forget(index - 3);
      }
      read += *block;
      if (block->size() < block_size) break;
    }
    EXPECT_EQ(read, encoded) << block_size;
  }
}

// faults.md case 19.
TEST(BlockReaderTest, AFileThatIsReplacedOrDeletedIsReadAsItWas) {
  RecentChunks chunks;
  const std::string path = WriteFile("replaced", "abcdefgh");
  BlockReader reader(OpenFile(path), Mode::kOctet, 5, chunks);
  EXPECT_THAT(Read(reader, 0, 5), IsOkAndHolds("abcde"));
  const std::string other = WriteFile("other", "ABCDEFGH");
  ASSERT_EQ(rename(other.c_str(), path.c_str()), 0);
  EXPECT_THAT(Read(reader, 1, 5), IsOkAndHolds("fgh"));
}

// faults.md case 19.
TEST(BlockReaderTest, AFileThatIsWrittenToNeverEndsWell) {
  RecentChunks chunks;
  const struct {
    const char* name;
    void (*change)(const std::string& path);
  } cases[] = {
      {"overwritten", [](const std::string& path) { WriteFile("changed", "ABCDEFGH"); }},
      {"grown", [](const std::string& path) { WriteFile("changed", "abcdefghi"); }},
      {"truncated", [](const std::string& path) { ASSERT_EQ(truncate(path.c_str(), 6), 0); }},
      {"emptied", [](const std::string& path) { ASSERT_EQ(truncate(path.c_str(), 0), 0); }},
  };
  for (const Mode mode : {Mode::kOctet, Mode::kNetascii}) {
    for (const auto& test : cases) {
      const std::string path = WriteFile("changed", "abcdefgh");
      BlockReader reader(OpenFile(path), mode, 5, chunks);
      EXPECT_THAT(Read(reader, 0, 5), IsOkAndHolds("abcde"));
      test.change(path);
      EXPECT_THAT(Read(reader, 1, 5), StatusIs(absl::StatusCode::kDataLoss)) << test.name;
    }
  }
}

}  // namespace
}  // namespace autopxe::agent::tftp
