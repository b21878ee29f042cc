// Case 37: whatever has become of its files, a server starts on what they held or not at all, says
// why, and changes nothing of what it refuses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "common/status/test_rounds.h"
#include "server/sqlite/simulated_disk.h"
#include "server/sqlite/temp_folder.h"
#include "server/store/configuration_sample.h"
#include "server/store/store.h"
#include "server/store/write_group.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr int kHosts = 60;      // Assigned in one revision, and moved into the database.
constexpr int kRevisions = 40;  // After it, one host each, in the log.
constexpr size_t kHeader = 32;  // Of the log.

std::string ReadAll(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

struct Files {
  std::string database;
  std::string log;

  bool operator==(const Files&) const = default;
};

class DamageTest : public testing::Test {
 protected:
  // What a server that was killed leaves.
  DamageTest() {
    const std::string path = folder_.File("original.db");
    auto store = Store::Open(path, kNow);
    EXPECT_THAT(store, IsOk());
    auto content = (*store)->TakeContent();
    const auto write = [&](int first, int count) {
      WriteGroup group((*store)->writing(), content.snapshot, catalogs_, content.next_host_id,
                       kNow);
      WriteRequest request;
      for (int i = 0; i < count; ++i) {
        request.batch.mutations.push_back(SampleAssign(first + i, "local"));
      }
      EXPECT_THAT(group.Take(request), IsOk());
      EXPECT_THAT(group.Commit(), IsOk());
      content.snapshot = group.steps().back().snapshot;
      content.next_host_id = group.next_host_id();
    };
    write(0, kHosts);
    EXPECT_THAT((*store)->writing().CheckpointAndTruncate(), IsOkAndHolds(true));
    for (int i = 0; i < kRevisions; ++i) write(kHosts + i, 1);
    whole_ = {ReadAll(path), ReadAll(path + "-wal")};
    expected_ = Describe(*content.snapshot);
  }

  struct Start {
    absl::Status status;
    std::shared_ptr<const Snapshot> snapshot;  // If it is OK.
    Files after;
  };

  // Starts on these files, in a folder of their own.
  Start StartOn(const Files& files) {
    const TempFolder folder;
    const std::string path = folder.File("autopxe.db");
    std::ofstream(path, std::ios::binary) << files.database;
    if (!files.log.empty()) std::ofstream(path + "-wal", std::ios::binary) << files.log;
    Start start;
    {
      auto store = Store::Open(path, kNow);
      start.status = store.status();
      if (store.ok()) start.snapshot = (*store)->TakeContent().snapshot;
    }
    start.after = {ReadAll(path), ReadAll(path + "-wal")};
    if (!start.status.ok()) {
      EXPECT_FALSE(absl::IsInternal(start.status)) << start.status;
      EXPECT_THAT(start.status.message(),
                  AllOf(HasSubstr(path), HasSubstr("; "), Not(HasSubstr("\n"))))
          << start.status;
      EXPECT_TRUE(start.after == files) << "it was changed: " << start.status;
    }
    return start;
  }

  const SimulatedDisk disk_{1};  // It syncs in no time.
  TempFolder folder_;
  const Catalogs catalogs_;
  Files whole_;
  std::string expected_;
};

// From one length to the next: further where each takes long.
size_t StrideOf(size_t stride) { return stride * 100 / static_cast<size_t>(TestRounds(100)) + 1; }

TEST_F(DamageTest, UndamagedFilesHoldEverything) {
  const Start start = StartOn(whole_);
  ASSERT_THAT(start.status, IsOk());
  EXPECT_EQ(Describe(*start.snapshot), expected_);
}

TEST_F(DamageTest, ATruncatedDatabaseIsRefused) {
  for (size_t size = 0; size < whole_.database.size(); size += StrideOf(6007)) {
    SCOPED_TRACE(size);
    const Start start = StartOn({whole_.database.substr(0, size), whole_.log});
    // The log may hold every page that is missing.
    if (start.status.ok()) {
      EXPECT_EQ(Describe(*start.snapshot), expected_);
    }
    EXPECT_THAT(StartOn({whole_.database.substr(0, size), ""}).status,
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("restore a backup")));
  }
}

TEST_F(DamageTest, ATruncatedLogLosesNothingThatItHoldsWhole) {
  const size_t frames = (whole_.log.size() - kHeader) / (24 + 4096);
  int64_t last = 0;
  for (size_t size = 0; size <= whole_.log.size(); size += StrideOf(12007)) {
    const Start start = StartOn({whole_.database, whole_.log.substr(0, size)});
    ASSERT_THAT(start.status, IsOk()) << size;
    const int64_t revision = start.snapshot->revision().id.number;
    EXPECT_GE(revision, last);
    EXPECT_EQ(static_cast<int64_t>(start.snapshot->host_count()), kHosts + revision - 1);
    last = revision;
  }
  EXPECT_GT(frames, static_cast<size_t>(kRevisions));
  EXPECT_GE(last, kRevisions - 1);
}

// Not so at its very end, which may be what a power failure left of a revision that nobody was told
// of.
TEST_F(DamageTest, ADamagedLogIsRefusedRatherThanReadInPart) {
  std::mt19937 random(1);
  const size_t end = whole_.log.size() - whole_.log.size() / 10;
  for (int i = 0; i < TestRounds(80); ++i) {
    Files files = whole_;
    const size_t offset = i < 16 ? static_cast<size_t>(2 * i) : random() % end;
    files.log[offset] = static_cast<char>(files.log[offset] ^ (1 << random() % 8));
    EXPECT_THAT(StartOn(files).status,
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("restore a backup")))
        << "at byte " << offset;
  }
}

TEST_F(DamageTest, ADamagedDatabaseIsRefusedOrHoldsEveryHost) {
  std::mt19937 random(2);
  int refused = 0;
  for (int i = 0; i < TestRounds(80); ++i) {
    Files files = whole_;
    const size_t offset = i < 25 ? static_cast<size_t>(4 * i) : random() % files.database.size();
    files.database[offset] = static_cast<char>(files.database[offset] ^ (1 << random() % 8));
    const Start start = StartOn(files);
    if (!start.status.ok()) {
      ++refused;
      continue;
    }
    // It lies where nothing is kept, or in a value: SQLite has no checksums for pages.
    EXPECT_EQ(start.snapshot->host_count(), static_cast<size_t>(kHosts + kRevisions)) << offset;
    EXPECT_EQ(start.snapshot->revision().id.number, 1 + kRevisions) << offset;
  }
  EXPECT_GT(refused, 0);
}

TEST_F(DamageTest, ASchemaFromTheFutureIsRefusedAndNotChanged) {
  const std::string path = folder_.File("future.db");
  std::ofstream(path, std::ios::binary) << whole_.database;
  std::ofstream(path + "-wal", std::ios::binary) << whole_.log;
  {
    auto database = *Database::Open({.path = path});
    ASSERT_THAT(database->Execute("INSERT INTO schema_migration VALUES "
                                  "(9999, 'from_the_future', 'c', 's', 0)"),
                IsOk());
    whole_ = {ReadAll(path), ReadAll(path + "-wal")};
  }
  std::ofstream(path, std::ios::binary) << whole_.database;
  std::ofstream(path + "-wal", std::ios::binary) << whole_.log;
  EXPECT_THAT(Store::Open(path, kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(path), HasSubstr("9999_from_the_future"),
                             HasSubstr("start the newer autopxe-server"))));
  EXPECT_TRUE((Files{ReadAll(path), ReadAll(path + "-wal")} == whole_));
}

TEST_F(DamageTest, AnotherProgramsDatabaseIsRefusedAndNotChanged) {
  const std::string path = folder_.File("other.db");
  ASSERT_THAT(Database::CreateFile(path, 0x12345678), IsOk());
  const std::string before = ReadAll(path);
  EXPECT_THAT(Store::Open(path, kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not one of")));
  EXPECT_EQ(ReadAll(path), before);
}

}  // namespace
}  // namespace autopxe::server
