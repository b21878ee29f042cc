#include "server/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/database.h"
#include "server/sqlite/simulated_disk.h"
#include "server/sqlite/temp_folder.h"
#include "server/sqlite/transaction.h"
#include "server/store/configuration_sample.h"
#include "server/store/write_group.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

int ModeOf(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : -1;
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() : path_(folder_.File("autopxe.db")) {}

  std::unique_ptr<Store> Open() {
    auto store = Store::Open(path_, kNow);
    EXPECT_THAT(store, IsOk());
    return store.ok() ? *std::move(store) : nullptr;
  }

  // Writes some revisions, each with `hosts` hosts, and closes the store.
  std::shared_ptr<const Snapshot> Fill(int revisions, int hosts) {
    std::unique_ptr<Store> store = Open();
    Store::Content content = store->TakeContent();
    WriteGroup group(store->writing(), content.snapshot, catalogs_, content.next_host_id, kNow);
    for (int i = 0; i < revisions; ++i) {
      Batch batch;
      for (int host = 0; host < hosts; ++host) {
        batch.mutations.push_back(SampleAssign(i * hosts + host, "local"));
      }
      WriteRequest request;
      request.batch = std::move(batch);
      EXPECT_THAT(group.Take(request), IsOk());
    }
    EXPECT_THAT(group.Commit(), IsOk());
    return group.steps().back().snapshot;
  }

  // One revision more than `content`.
  void Write(Store& store, const Store::Content& content, int mac) {
    WriteGroup group(store.writing(), content.snapshot, catalogs_, content.next_host_id, kNow);
    WriteRequest request;
    request.batch = BatchOf({SampleAssign(mac, "wait")});
    ASSERT_THAT(group.Take(request), IsOk());
    ASSERT_THAT(group.Commit(), IsOk());
  }

  TempFolder folder_;
  const std::string path_;
  const Catalogs catalogs_;
};

TEST_F(StoreTest, ANewDatabaseIsEmptyAndStaysWhatItIs) {
  for (int round = 0; round < 2; ++round) {
    std::unique_ptr<Store> store = Open();
    const Store::Content content = store->TakeContent();
    EXPECT_EQ(content.snapshot->revision(), Revision{});
    EXPECT_EQ(content.snapshot->host_count(), 0);
    EXPECT_EQ(content.snapshot->settings(), Settings{});
    EXPECT_EQ(content.next_host_id, HostId{1});
    EXPECT_TRUE(content.agents.empty());
  }
}

TEST_F(StoreTest, WhatWasWrittenIsThereAgain) {
  const auto written = Fill(3, 5);
  std::unique_ptr<Store> store = Open();
  const Store::Content content = store->TakeContent();
  EXPECT_EQ(Describe(*content.snapshot), Describe(*written));
  EXPECT_EQ(content.next_host_id, HostId{16});
}

TEST_F(StoreTest, ADatabaseHasOneServer) {
  std::unique_ptr<Store> store = Open();
  EXPECT_THAT(Store::Open(path_, kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(path_), HasSubstr(absl::StrCat("process ", getpid())))));
}

// Case 48.
TEST_F(StoreTest, ItsFilesAreTheOwnersAlone) {
  const mode_t before = umask(0);
  std::unique_ptr<Store> store = Open();
  umask(before);
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    EXPECT_EQ(ModeOf(path_ + suffix), 0600) << suffix;
  }
}

// Case 37.
TEST_F(StoreTest, ATruncatedDatabaseIsRefusedAndLeftAlone) {
  Fill(2, 300);
  const auto whole = std::filesystem::file_size(path_);
  ASSERT_GT(whole, 20 * 4096);
  const std::string copy = folder_.File("copy");
  std::filesystem::copy_file(path_, copy);
  for (const uintmax_t size :
       {uintmax_t{0}, uintmax_t{1}, uintmax_t{15}, uintmax_t{100}, uintmax_t{512}, uintmax_t{4095},
        uintmax_t{4096}, uintmax_t{8192}, whole / 2, whole - 4096, whole - 1}) {
    std::filesystem::copy_file(copy, path_, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(path_, size);
    EXPECT_THAT(Store::Open(path_, kNow),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr(path_), HasSubstr("restore a backup"))))
        << size << " of " << whole;
    EXPECT_EQ(std::filesystem::file_size(path_), size);
  }
}

// Case 37.
TEST_F(StoreTest, ADamagedDatabaseIsRefused) {
  Fill(2, 300);
  const auto whole = std::filesystem::file_size(path_);
  const std::string copy = folder_.File("copy");
  std::filesystem::copy_file(path_, copy);
  for (uintmax_t page = 0; page < whole / 4096; page += 3) {
    std::filesystem::copy_file(copy, path_, std::filesystem::copy_options::overwrite_existing);
    {
      std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(page * 4096));
      file << std::string(64, '\xa5');
    }
    EXPECT_THAT(Store::Open(path_, kNow),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("restore a backup")))
        << "page " << page;
  }
}

// Case 37.
TEST_F(StoreTest, AFileThatIsNoDatabaseOfOursIsRefusedAndLeftAlone) {
  std::ofstream(path_) << "not a database, but somebody's only copy of something else";
  EXPECT_THAT(Store::Open(path_, kNow), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(std::filesystem::file_size(path_), 58);
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_THAT(Store::Open(path_, kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not a regular file")));
}

// Case 37, and what a restore may leave behind it.
TEST_F(StoreTest, ADatabaseWithoutAWriteAheadLogOfItsOwnIsTakenAsItIs) {
  Fill(2, 3);
  {
    auto database = Database::Open({.path = path_});
    ASSERT_THAT(database, IsOk());
    ASSERT_THAT((*database)->Execute("PRAGMA journal_mode = DELETE"), IsOk());
  }
  std::unique_ptr<Store> store = Open();
  EXPECT_EQ(store->TakeContent().snapshot->host_count(), 6);
  EXPECT_THAT(store->writing().QueryInteger("SELECT count(*) FROM pragma_journal_mode "
                                            "WHERE journal_mode = 'wal'"),
              IsOkAndHolds(1));
}

// Case 37: the log may hold all there is.
TEST_F(StoreTest, ALogWithoutItsDatabaseIsRefused) {
  std::ofstream(path_ + "-wal") << "pages";
  EXPECT_THAT(Store::Open(path_, kNow),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("write-ahead log is there")));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(StoreTest, AFolderThatIsMissingIsUnavailable) {
  EXPECT_THAT(Store::Open(folder_.File("none/autopxe.db"), kNow),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("its folder is not there")));
}

TEST_F(StoreTest, ChangesAreToldToWatchersThatHaveSomething) {
  const auto written = Fill(5, 1);
  std::unique_ptr<Store> store = Open();
  const auto count = [&](const RevisionId& since) {
    const auto changes = store->ChangesSince(since);
    EXPECT_THAT(changes, IsOk());
    return *changes ? static_cast<int>((*changes)->size()) : -1;
  };
  const RevisionId current = written->revision().id;
  EXPECT_EQ(count(current), 0);
  EXPECT_EQ(count({}), -1);
  EXPECT_EQ(count({.number = current.number, .tag = current.tag ^ 1}), -1);
  EXPECT_EQ(count({.number = 6, .tag = current.tag}), -1);
}

TEST_F(StoreTest, ARevisionOfItsHistoryIsToldFromAStranger) {
  const RevisionId current = Fill(5, 1)->revision().id;
  std::unique_ptr<Store> store = Open();
  EXPECT_THAT(store->HasRevision(current), IsOkAndHolds(true));
  EXPECT_THAT(store->HasRevision({.number = 5, .tag = current.tag ^ 1}), IsOkAndHolds(false));
  EXPECT_THAT(store->HasRevision({.number = 6, .tag = current.tag}), IsOkAndHolds(false));
  EXPECT_THAT(store->HasRevision({.number = 3, .tag = current.tag}), IsOkAndHolds(false));
  EXPECT_THAT(store->HasRevision({.number = 0, .tag = 1}), IsOkAndHolds(false));
}

// A shell, or a backup that somebody else makes.
TEST_F(StoreTest, ADatabaseThatAnotherProcessReadsIsOpenedAndWhatItHoldsIsDurable) {
  SimulatedDisk disk(1);
  Fill(2, 1);
  auto other = Database::Open({.path = path_, .access = Database::Access::kReadOnly});
  ASSERT_THAT(other, IsOk());
  auto reading = Transaction::BeginRead(**other);
  ASSERT_THAT(reading, IsOk());
  ASSERT_THAT((*other)->QueryInteger("SELECT count(*) FROM revision"), IsOkAndHolds(2));
  {
    // As a process leaves it that is killed between its commit's write and its sync.
    auto killed = Database::Open({.path = path_});
    ASSERT_THAT(killed, IsOk());
    ASSERT_THAT((*killed)->Execute("PRAGMA synchronous = OFF;"
                                   "UPDATE history SET trimmed_to = 1"),
                IsOk());
  }
  ASSERT_GT(disk.unsynced(path_ + "-wal"), 0);
  std::unique_ptr<Store> store = Open();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(disk.unsynced(path_ + "-wal"), 0);
  EXPECT_THAT(store->writing().QueryInteger("SELECT trimmed_to FROM history"), IsOkAndHolds(1));
  Write(*store, store->TakeContent(), 77);
  EXPECT_THAT(store->Reopen(), IsOk());
  EXPECT_EQ(disk.unsynced(path_ + "-wal"), 0);
  EXPECT_THAT((*other)->QueryInteger("SELECT count(*) FROM revision"), IsOkAndHolds(2));
  store.reset();
  EXPECT_EQ(Open()->TakeContent().snapshot->host_count(), 3);
}

TEST_F(StoreTest, ADatabaseThatAnotherProcessLocksIsRefusedUntilItIsFree) {
  Fill(2, 1);
  {
    auto other = Database::Open({.path = path_});
    ASSERT_THAT(other, IsOk());
    auto writing = Transaction::BeginWrite(**other);
    ASSERT_THAT(writing, IsOk());
    EXPECT_THAT(Store::Open(path_, kNow),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("locked")));
  }
  Open();
}

TEST_F(StoreTest, ReopeningSeesTheSameAndCanWrite) {
  SimulatedDisk disk(1);
  Fill(2, 1);
  std::unique_ptr<Store> store = Open();
  const Store::Content content = store->TakeContent();
  ASSERT_THAT(store->Reopen(), IsOk());
  EXPECT_EQ(disk.unsynced(path_ + "-wal"), 0) << "a log that was emptied may come back";
  ASSERT_THAT(store->Reopen(), IsOk());
  Write(*store, content, 77);
  const auto changes = store->ChangesSince(content.snapshot->revision().id);
  ASSERT_THAT(changes, IsOk());
  ASSERT_TRUE(changes->has_value());
  EXPECT_EQ((*changes)->size(), 1);
}

}  // namespace
}  // namespace autopxe::server
