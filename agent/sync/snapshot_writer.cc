#include "agent/sync/snapshot_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/runtime/clock.h"
#include "common/runtime/log_line.h"

namespace autopxe::agent {

SnapshotWriter::SnapshotWriter(Options options, Problems& problems, Save save)
    : options_(options), problems_(problems), save_(std::move(save)), thread_([this] { Run(); }) {}

SnapshotWriter::~SnapshotWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wakeup_.Notify();
  thread_.join();
}

void SnapshotWriter::Write(std::shared_ptr<const Snapshot> snapshot) {
  {
    absl::MutexLock lock(&mutex_);
    pending_ = std::move(snapshot);
  }
  wakeup_.Notify();
}

bool SnapshotWriter::IsStopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

bool SnapshotWriter::HasWork() const {
  absl::MutexLock lock(&mutex_);
  return stopping_ || pending_ != nullptr;
}

std::shared_ptr<const Snapshot> SnapshotWriter::TakePending() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(pending_, nullptr);
}

void SnapshotWriter::PutBack(std::shared_ptr<const Snapshot> snapshot) {
  absl::MutexLock lock(&mutex_);
  if (pending_ == nullptr) pending_ = std::move(snapshot);
}

void SnapshotWriter::Run() {
  const SystemClock clock;
  bool failing = false;  // Logged once, not at every try.
  while (true) {
    while (!HasWork()) wakeup_.WaitFor(absl::InfiniteDuration());
    const absl::Duration due = clock.Monotonic() + (failing ? options_.retry : options_.gather);
    for (absl::Duration now = clock.Monotonic(); !IsStopping() && now < due;
         now = clock.Monotonic()) {
      wakeup_.WaitFor(due - now);
    }
    const bool is_last = IsStopping();
    if (std::shared_ptr<const Snapshot> snapshot = TakePending(); snapshot != nullptr) {
      const absl::Status status = save_(snapshot);
      if (!status.ok() && !failing) {
        LogLine("snapshot-not-saved").Add("reason", std::string(status.message())).Error();
      } else if (status.ok() && failing) {
        LogLine("snapshot-saved").Add("revision", snapshot->revision().id.Format()).Info();
      }
      failing = !status.ok();
      if (failing) {
        problems_.Set(Problems::Kind::kSnapshotNotSaved,
                      absl::StrCat("the configuration can't be saved, so that a restart with the "
                                   "server away would serve an older one: ",
                                   status.message()));
      } else {
        problems_.Clear(Problems::Kind::kSnapshotNotSaved);
      }
      if (failing) PutBack(std::move(snapshot));
    }
    if (is_last) return;
  }
}

}  // namespace autopxe::agent
