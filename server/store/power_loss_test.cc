// Case 34: what was acknowledged survives a power failure, whenever it comes. AUTOPXE_ROUNDS says
// how many databases see some; 30 unless set.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/database.h"
#include "server/sqlite/simulated_disk.h"
#include "server/sqlite/temp_folder.h"
#include "server/store/configuration_sample.h"
#include "server/store/store.h"
#include "server/store/writer.h"

namespace autopxe::server {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

int Rounds() {
  const char* const text = std::getenv("AUTOPXE_ROUNDS");
  int rounds = 30;
  EXPECT_TRUE(text == nullptr || absl::SimpleAtoi(text, &rounds)) << text;
  return rounds;
}

// One database and the administrators who were told that it holds what they asked for.
class PowerLoss {
 public:
  explicit PowerLoss(uint32_t seed)
      : path_(folder_.File("autopxe.db")), random_(seed), disk_(seed) {
    // Made before: a server that fails while it makes its database has acknowledged nothing.
    EXPECT_THAT(Store::Open(path_, kNow), IsOk());
  }

  // Serves until some operation of the disk is the last one, and then some. `with_reader`: while
  // another process reads what there was before, so that the log can't be emptied; each failure
  // then costs a wait for it.
  void RunUntilPowerFails(bool with_failing_syncs, bool with_reader = false) {
    std::unique_ptr<Database> reader;
    const auto read = [&] {
      reader = *Database::Open({.path = path_, .access = Database::Access::kReadOnly});
      EXPECT_THAT(reader->Execute("BEGIN"), IsOk());
      EXPECT_THAT(reader->QueryInteger("SELECT count(*) FROM revision"), IsOk());
    };
    if (with_reader && Pick(2) == 0) read();
    auto store = Store::Open(path_, kNow);
    ASSERT_THAT(store, IsOk());
    if (with_reader && reader == nullptr) read();
    Writer writer(
        store->get(), [this] { return kNow + absl::Hours(++hours_); }, [](auto, auto) {},
        [](const absl::Status&) {},
        {.checkpoint_pages = 20, .upkeep = {.trimmed_rows = 5, .backup_pages = 4}});
    disk_.CutPowerAfter(1 + Pick(400));
    for (int burst = 0; burst < 40 && (!with_reader || disk_.has_power()); ++burst) {
      if (with_failing_syncs && Pick(6) == 0) disk_.FailSyncs(1 + Pick(2));
      if (Pick(8) == 0) writer.KeepHistory(absl::Hours(20), [](int64_t, int64_t) {});
      if (Pick(8) == 0) {
        writer.BackUp([&](const absl::Status&) { unlink((*store)->backup_path().c_str()); });
      }
      for (int request = Pick(6); request >= 0; --request) Ask(writer);
      writer.WaitUntilIdle();
    }
  }

  // What a start finds after that.
  void Check() {
    disk_.RestorePower();
    auto store = Store::Open(path_, kNow);
    ASSERT_THAT(store, IsOk());
    auto rows = (*store)->writing().Query("PRAGMA integrity_check");
    ASSERT_THAT(rows, IsOk());
    ASSERT_THAT(rows->Next(), IsOkAndHolds(true));
    ASSERT_EQ(rows->Text(0), "ok");

    const auto snapshot = (*store)->TakeContent().snapshot;
    const int64_t current = snapshot->revision().id.number;
    EXPECT_THAT((*store)->writing().QueryInteger("SELECT count(*) FROM revision"),
                IsOkAndHolds(current));
    absl::MutexLock lock(&mutex_);
    for (const auto& [number, tag] : acknowledged_) {
      EXPECT_THAT((*store)->writing().QueryInteger(
                      absl::StrCat("SELECT tag FROM revision WHERE number = ", number)),
                  IsOkAndHolds(static_cast<int64_t>(tag)));
    }
    for (const auto& [mac, etag] : hosts_) {
      const auto host = snapshot->FindHost(SampleMac(mac));
      ASSERT_NE(host, nullptr) << mac;
      EXPECT_GE(host->etag, etag) << mac;
    }
    // What is there all the same was told to be unknown.
    EXPECT_LE(current - static_cast<int64_t>(acknowledged_.size()), unknown_);
    EXPECT_GE(current, acknowledged_.empty() ? 0 : acknowledged_.rbegin()->first);
  }

  size_t acknowledged() const {
    absl::MutexLock lock(&mutex_);
    return acknowledged_.size();
  }

 private:
  int Pick(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }

  void Ask(Writer& writer) {
    const int mac = Pick(30);
    const char* const distros[] = {"local", "wait", "menu", "ignore"};
    WriteRequest request;
    request.batch = BatchOf({SampleAssign(mac, distros[Pick(4)])});
    writer.Apply(std::move(request), [this, mac](const WriteOutcome& outcome) {
      const auto* failure = std::get_if<absl::Status>(&outcome);
      if (failure != nullptr && absl::StrContains(failure->message(), "is unknown")) {
        absl::MutexLock lock(&mutex_);
        ++unknown_;
      }
      const auto* result = std::get_if<WriteResult>(&outcome);
      if (result == nullptr || result->revision.id.number == 0) return;
      absl::MutexLock lock(&mutex_);
      const auto& [number, tag] = result->revision.id;
      const auto [known, is_new] = acknowledged_.emplace(number, tag);
      EXPECT_EQ(known->second, tag) << "two revisions " << number;
      if (!result->differences.empty()) hosts_[mac] = number;
    });
  }

  const TempFolder folder_;
  const std::string path_;
  std::mt19937 random_;
  SimulatedDisk disk_;
  std::atomic<int> hours_{0};
  mutable absl::Mutex mutex_;
  std::map<int64_t, uint64_t> acknowledged_ ABSL_GUARDED_BY(mutex_);
  int64_t unknown_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int, int64_t> hosts_ ABSL_GUARDED_BY(mutex_);  // MAC -> the etag it was given last.
};

TEST(PowerLossTest, EveryAcknowledgedRevisionSurvivesAPowerFailure) {
  size_t acknowledged = 0;
  for (int round = 0; round < Rounds() && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", round));
    PowerLoss loss(static_cast<uint32_t>(round));
    for (int failure = 0; failure < 3 && !testing::Test::HasFailure(); ++failure) {
      loss.RunUntilPowerFails(/*with_failing_syncs=*/false);
      loss.Check();
    }
    acknowledged += loss.acknowledged();
  }
  EXPECT_GT(acknowledged, 10u * static_cast<size_t>(Rounds()));
}

// Case 35: what a failed sync was to write may be lost whatever a later sync says.
TEST(PowerLossTest, EveryAcknowledgedRevisionSurvivesFailedSyncsAndAPowerFailure) {
  size_t acknowledged = 0;
  for (int round = 0; round < Rounds() && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", round));
    PowerLoss loss(static_cast<uint32_t>(round));
    for (int failure = 0; failure < 3 && !testing::Test::HasFailure(); ++failure) {
      loss.RunUntilPowerFails(/*with_failing_syncs=*/true);
      loss.Check();
    }
    acknowledged += loss.acknowledged();
  }
  EXPECT_GT(acknowledged, 5u * static_cast<size_t>(Rounds()));
}

// Neither a start nor a new connection after a failure can empty the log then.
TEST(PowerLossTest, EveryAcknowledgedRevisionSurvivesWhileAnotherProcessReads) {
  size_t acknowledged = 0;
  for (int round = 0; round < Rounds() / 6 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", round));
    PowerLoss loss(static_cast<uint32_t>(round));
    for (int failure = 0; failure < 3 && !testing::Test::HasFailure(); ++failure) {
      loss.RunUntilPowerFails(/*with_failing_syncs=*/failure > 0, /*with_reader=*/true);
      loss.Check();
    }
    acknowledged += loss.acknowledged();
  }
  EXPECT_GT(acknowledged, static_cast<size_t>(Rounds() / 2));
}

}  // namespace
}  // namespace autopxe::server
