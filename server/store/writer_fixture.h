#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/temp_folder.h"
#include "server/store/configuration_sample.h"
#include "server/store/store.h"
#include "server/store/writer.h"

// For tests of the writer: one on a real database, and what it tells its callers and its audience.
namespace autopxe::server {

inline const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
inline constexpr char kOverlayfs[] = "debian/bookworm/latest/overlayfs";

inline WriteRequest RequestOf(Batch batch, const std::string& request_id = "",
                              const std::string& digest = "") {
  WriteRequest request;
  request.batch = std::move(batch);
  request.user = "alice";
  request.origin = "ipv4:10.0.0.5:40112";
  request.request_id = request_id;
  request.request_digest = digest;
  return request;
}

inline WriteRequest AssignRequest(int mac, absl::string_view distro = "local") {
  return RequestOf(BatchOf({SampleAssign(mac, distro)}));
}

// What was published, and a gate at which the writer's thread can be held.
class Audience {
 public:
  void Take(std::shared_ptr<const Change> change, std::shared_ptr<const Snapshot> snapshot) {
    const auto open = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !closed_; };
    absl::MutexLock lock(&mutex_);
    ++arrived_;
    mutex_.Await(absl::Condition(&open));
    changes_.push_back(std::move(change));
    snapshot_ = std::move(snapshot);
  }

  void CloseGate() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  void OpenGate() {
    absl::MutexLock lock(&mutex_);
    closed_ = false;
  }
  // Returns once as many changes have come to the gate.
  void AwaitArrivals(int count) {
    const auto arrived = [this, count]()
                             ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return arrived_ >= count; };
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&arrived));
  }

  std::vector<std::shared_ptr<const Change>> changes() const {
    absl::MutexLock lock(&mutex_);
    return changes_;
  }
  std::shared_ptr<const Snapshot> snapshot() const {
    absl::MutexLock lock(&mutex_);
    return snapshot_;
  }

 private:
  mutable absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int arrived_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::shared_ptr<const Change>> changes_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
};

// Outcomes in the order in which they came.
class Outcomes {
 public:
  std::function<void(WriteOutcome)> Expect(int index) {
    return [this, index](WriteOutcome outcome) {
      absl::MutexLock lock(&mutex_);
      EXPECT_TRUE(outcomes_.emplace(index, std::move(outcome)).second) << index << " came twice";
    };
  }
  void AwaitCount(size_t count) {
    const auto there = [this, count]()
                           ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return outcomes_.size() >= count; };
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&there));
  }
  std::map<int, WriteOutcome> all() const {
    absl::MutexLock lock(&mutex_);
    return outcomes_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::map<int, WriteOutcome> outcomes_ ABSL_GUARDED_BY(mutex_);
};

class WriterTest : public testing::Test {
 protected:
  explicit WriterTest(Writer::Config config = {})
      : path_(folder_.File("autopxe.db")), config_(config) {
    Start();
    writer_->SaveAgentCatalog(*AgentId::Parse("lab"), SampleCatalogs().begin()->second);
    writer_->WaitUntilIdle();
  }

  void Start() {
    store_ = *Store::Open(path_, kNow);
    audience_ = std::make_unique<Audience>();
    writer_ = std::make_unique<Writer>(
        store_.get(), [] { return kNow + absl::Nanoseconds(1); },
        [this](auto change, auto snapshot) { audience_->Take(change, snapshot); },
        [this](const absl::Status& status) {
          absl::MutexLock lock(&mutex_);
          failures_.push_back(status);
        },
        config_);
  }

  void Restart() {
    writer_.reset();
    store_.reset();
    Start();
  }

  WriteOutcome Apply(WriteRequest request) {
    WriteOutcome outcome;
    absl::Notification done;
    writer_->Apply(std::move(request), [&](WriteOutcome result) {
      outcome = std::move(result);
      done.Notify();
    });
    done.WaitForNotification();
    return outcome;
  }

  WriteResult Accepted(WriteRequest request) {
    WriteOutcome outcome = Apply(std::move(request));
    if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
      ADD_FAILURE() << refusal->message;
      return {};
    }
    if (const auto* status = std::get_if<absl::Status>(&outcome)) {
      ADD_FAILURE() << *status;
      return {};
    }
    return std::get<WriteResult>(outcome);
  }

  absl::Status Failed(WriteRequest request) {
    const WriteOutcome outcome = Apply(std::move(request));
    const auto* status = std::get_if<absl::Status>(&outcome);
    return status == nullptr ? absl::OkStatus() : *status;
  }

  // What a server would find that starts after this process was killed now.
  std::string DescribeCopy() {
    const TempFolder other;
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(path_ + suffix, other.File("copy.db") + suffix);
    }
    auto store = Store::Open(other.File("copy.db"), kNow);
    EXPECT_THAT(store, IsOk());
    return Describe(*(*store)->TakeContent().snapshot);
  }

  std::vector<absl::Status> failures() const {
    absl::MutexLock lock(&mutex_);
    return failures_;
  }

  TempFolder folder_;
  const std::string path_;
  const Writer::Config config_;
  mutable absl::Mutex mutex_;
  std::vector<absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Audience> audience_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace autopxe::server
