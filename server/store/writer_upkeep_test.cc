// What the writer does between requests: trims the history and makes backups; and that it alone
// writes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/faulty_disk.h"
#include "server/sqlite/simulated_disk.h"
#include "server/sqlite/temp_folder.h"
#include "server/store/backup_file.h"
#include "server/store/configuration_sample.h"
#include "server/store/store.h"
#include "server/store/writer.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class WriterUpkeepTest : public testing::Test {
 protected:
  WriterUpkeepTest() : path_(folder_.File("autopxe.db")) {}

  void Start() {
    store_ = *Store::Open(path_, kNow);
    writer_ = std::make_unique<Writer>(
        store_.get(), [this] { return kNow + absl::Hours(hours_.load()); }, [](auto, auto) {},
        [this](const absl::Status& status) {
          absl::MutexLock lock(&mutex_);
          failures_.push_back(status);
        },
        config_);
  }

  void Stop() {
    writer_.reset();
    store_.reset();
  }

  RevisionId Assign(int mac, absl::string_view distro) {
    WriteRequest request;
    request.batch = BatchOf({SampleAssign(mac, distro)});
    RevisionId id;
    absl::Notification done;
    writer_->Apply(std::move(request), [&](WriteOutcome outcome) {
      if (auto* result = std::get_if<WriteResult>(&outcome)) id = result->revision.id;
      done.Notify();
    });
    done.WaitForNotification();
    EXPECT_NE(id.number, 0);
    return id;
  }

  absl::Status BackUp() {
    absl::Status status;
    absl::Notification done;
    writer_->BackUp([&](const absl::Status& result) {
      status = result;
      done.Notify();
    });
    done.WaitForNotification();
    return status;
  }

  void Keep(absl::Duration keep) {
    writer_->KeepHistory(keep, [this](int64_t trimmed_to, int64_t rows) {
      absl::MutexLock lock(&mutex_);
      trimmed_.emplace_back(trimmed_to, rows);
    });
    writer_->WaitUntilIdle();
  }

  std::vector<std::pair<int64_t, int64_t>> trimmed() const {
    absl::MutexLock lock(&mutex_);
    return trimmed_;
  }
  std::vector<absl::Status> failures() const {
    absl::MutexLock lock(&mutex_);
    return failures_;
  }

  TempFolder folder_;
  const std::string path_;
  Writer::Config config_ = {.upkeep = {.trimmed_rows = 3, .backup_pages = 2}};
  std::atomic<int> hours_{0};
  mutable absl::Mutex mutex_;
  std::vector<std::pair<int64_t, int64_t>> trimmed_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Store> store_;
  std::unique_ptr<Writer> writer_;
};

TEST_F(WriterUpkeepTest, HistoryIsKeptAsLongAsItIsToBe) {
  Start();
  std::vector<RevisionId> revisions;
  for (int i = 0; i < 20; ++i) {
    ++hours_;
    revisions.push_back(Assign(1, i % 2 == 0 ? "local" : "wait"));
  }
  const auto is_told = [&](int number) {
    return store_->ChangesSince(revisions[static_cast<size_t>(number) - 1])->has_value();
  };
  writer_->WaitUntilIdle();
  EXPECT_TRUE(is_told(1));
  Keep(absl::ZeroDuration());
  EXPECT_TRUE(is_told(1));
  Keep(absl::Hours(100));
  EXPECT_THAT(trimmed(), IsEmpty());
  // Revision 15 is the last that is 5 hours old: 14 rows ended by then, of hosts and assignments.
  Keep(absl::Hours(5));
  EXPECT_THAT(trimmed(), ElementsAre(Pair(15, 28)));
  EXPECT_FALSE(is_told(14));
  EXPECT_TRUE(is_told(15));
  hours_ += 100;
  Keep(absl::Hours(5));
  EXPECT_THAT(trimmed(), ElementsAre(Pair(15, 28), Pair(20, 10)));
  EXPECT_FALSE(is_told(19));
  EXPECT_TRUE(is_told(20));
  EXPECT_THAT(failures(), IsEmpty());
}

TEST_F(WriterUpkeepTest, HistoryIsTrimmedAtIntervalsWithoutBeingAskedAgain) {
  config_.upkeep.trim_interval = absl::Milliseconds(1);
  Start();
  Keep(absl::Hours(5));
  for (int i = 0; i < 4; ++i) Assign(1, i % 2 == 0 ? "local" : "wait");
  hours_ += 100;
  const auto done = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !trimmed_.empty(); };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&done));
  EXPECT_THAT(trimmed_, ElementsAre(Pair(4, 6)));
}

TEST_F(WriterUpkeepTest, TrimmingThatFailsIsToldAndRequestsGoOn) {
  FaultyDisk disk;
  Start();
  for (int i = 0; i < 4; ++i) Assign(1, i % 2 == 0 ? "local" : "wait");
  hours_ += 100;
  disk.FailWrites(1);
  Keep(absl::Hours(5));
  EXPECT_THAT(trimmed(), IsEmpty());
  EXPECT_THAT(failures(), ElementsAre(StatusIs(absl::StatusCode::kUnavailable)));
  EXPECT_EQ(Assign(1, "menu").number, 5);
  Keep(absl::Hours(5));
  EXPECT_THAT(trimmed(), ElementsAre(Pair(4, 6)));
}

TEST_F(WriterUpkeepTest, ADiskThatFailsForLongInTheMiddleOfTrimmingEndsNothing) {
  FaultyDisk disk;
  config_.upkeep.trimmed_rows = 1;
  Start();
  const RevisionId first = Assign(1, "local");
  for (int i = 0; i < 99; ++i) Assign(1, i % 2 == 0 ? "wait" : "local");
  hours_ += 1000;
  writer_->KeepHistory(absl::Hours(5), [](int64_t, int64_t) {});
  // Until the first of some hundred pieces is gone.
  while ((*store_->ChangesSince(first)).has_value()) {
  }
  disk.FailSyncs(1'000'000);
  WriteRequest request;
  request.batch = BatchOf({SampleAssign(2, "local")});
  absl::Notification done;
  writer_->Apply(std::move(request), [&](WriteOutcome outcome) {
    EXPECT_TRUE(std::holds_alternative<absl::Status>(outcome));
    done.Notify();
  });
  done.WaitForNotification();
  writer_->WaitUntilIdle();
  EXPECT_FALSE(failures().empty());
  disk.FailSyncs(0);
  EXPECT_EQ(Assign(1, "menu").number, 101);
}

TEST_F(WriterUpkeepTest, ABackupHoldsWhatWasWrittenWhileItWasMade) {
  Start();
  for (int i = 0; i < 200; ++i) Assign(i, "local");
  std::atomic<bool> done{false};
  RevisionId last;
  std::thread administrator([&] {
    for (int i = 0; !done || i < 5; ++i) last = Assign(1000 + i % 50, i % 2 == 0 ? "wait" : "menu");
  });
  const RevisionId before = writer_->CurrentSnapshot()->revision().id;
  ASSERT_THAT(BackUp(), IsOk());
  done = true;
  administrator.join();
  const std::string copy = folder_.File("restored.db");
  {
    auto file = BackupFile::Open(store_->backup_path());
    ASSERT_THAT(file, IsOk());
    EXPECT_FALSE(std::filesystem::exists(store_->backup_path()));
    EXPECT_GE((*file)->revision().number, before.number);
    EXPECT_LE((*file)->revision().number, last.number);
    std::ofstream out(copy, std::ios::binary);
    int64_t size = 0;
    while (true) {
      const auto bytes = (*file)->Read(10'000);
      ASSERT_THAT(bytes, IsOk());
      if (bytes->empty()) break;
      size += static_cast<int64_t>(bytes->size());
      out << *bytes;
    }
    EXPECT_EQ(size, (*file)->size());
  }
  auto restored = Store::Open(copy, kNow);
  ASSERT_THAT(restored, IsOk());
  const auto snapshot = (*restored)->TakeContent().snapshot;
  for (int i = 0; i < 200; ++i) ASSERT_NE(snapshot->FindHost(SampleMac(i)), nullptr) << i;
  const auto changes = store_->ChangesSince(snapshot->revision().id);
  ASSERT_THAT(changes, IsOk());
  EXPECT_TRUE(changes->has_value());
  EXPECT_EQ(Assign(1, "menu").number, last.number + 1);
}

TEST_F(WriterUpkeepTest, OneBackupIsMadeAtATime) {
  Start();
  for (int i = 0; i < 50; ++i) Assign(i, "local");
  absl::Notification first;
  absl::Notification begun;
  absl::Notification go;
  // Holds the writer's thread.
  WriteRequest request;
  request.batch = BatchOf({SampleAssign(1, "menu")});
  writer_->Apply(std::move(request), [&](const WriteOutcome&) {
    begun.Notify();
    go.WaitForNotification();
  });
  begun.WaitForNotification();
  writer_->BackUp([&](const absl::Status& status) {
    EXPECT_THAT(status, IsOk());
    first.Notify();
  });
  EXPECT_THAT(BackUp(), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("already")));
  go.Notify();
  first.WaitForNotification();
  ASSERT_THAT(BackupFile::Open(store_->backup_path()), IsOk());
  EXPECT_THAT(BackUp(), IsOk());
}

TEST_F(WriterUpkeepTest, ABackupWhoseDiskFailsLeavesNothingAndHarmsNoRequest) {
  FaultyDisk disk;
  Start();
  Assign(1, "local");
  writer_->WaitUntilIdle();
  disk.FillFor(1);
  EXPECT_THAT(BackUp(), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_FALSE(std::filesystem::exists(store_->backup_path()));
  EXPECT_THAT(failures(), IsEmpty());
  EXPECT_EQ(Assign(1, "menu").number, 2);
  EXPECT_THAT(BackUp(), IsOk());
}

TEST_F(WriterUpkeepTest, StoppingEndsABackup) {
  Start();
  for (int i = 0; i < 50; ++i) Assign(i, "local");
  absl::Notification begun;
  absl::Notification go;
  absl::Status status;
  WriteRequest request;
  request.batch = BatchOf({SampleAssign(1, "menu")});
  writer_->Apply(std::move(request), [&](const WriteOutcome&) {
    begun.Notify();
    go.WaitForNotification();
  });
  begun.WaitForNotification();
  // Queued together: the thread sees the stop before it begins with the backup, or in the middle.
  writer_->BackUp([&](const absl::Status& result) { status = result; });
  std::thread stopper([&] { writer_->Stop(); });
  go.Notify();
  stopper.join();
  if (!status.ok()) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
    EXPECT_FALSE(std::filesystem::exists(store_->backup_path()));
  }
  EXPECT_THAT(BackUp(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
}

TEST_F(WriterUpkeepTest, WhatAKilledServerLeftOfABackupIsRemoved) {
  Start();
  Stop();
  for (const char* suffix : {"", "-journal", "-wal"}) {
    std::ofstream(path_ + ".backup" + suffix) << "torn";
  }
  Start();
  for (const char* suffix : {"", "-journal", "-wal"}) {
    EXPECT_FALSE(std::filesystem::exists(path_ + ".backup" + suffix)) << suffix;
  }
}

// Case 36: with watchers that read, checkpoints, trimming, a backup, a failure and a new connection
// after it, there is never a second one that has written to the database or its log.
TEST_F(WriterUpkeepTest, OneConnectionWritesAtATime) {
  SimulatedDisk disk(1);
  config_.checkpoint_pages = 4;
  Start();
  std::atomic<bool> done{false};
  std::thread reader([&] {
    RevisionId since;
    while (!done) {
      if (store_->ChangesSince(since).ok()) since = writer_->CurrentSnapshot()->revision().id;
    }
  });
  for (int i = 0; i < 60; ++i) {
    ++hours_;
    if (i == 20) {
      disk.FailSyncs(1);
      WriteRequest request;
      request.batch = BatchOf({SampleAssign(1, "ignore")});
      writer_->Apply(std::move(request), [](const WriteOutcome&) {});
      writer_->WaitUntilIdle();
    }
    Assign(i % 7, i % 2 == 0 ? "local" : "wait");
    if (i % 10 == 0) Keep(absl::Hours(5));
    if (i == 30) {
      EXPECT_THAT(BackUp(), IsOk());
    }
  }
  done = true;
  reader.join();
  EXPECT_EQ(disk.most_writers(path_), 1);
  EXPECT_EQ(disk.most_writers(path_ + "-wal"), 1);
}

}  // namespace
}  // namespace autopxe::server
