#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/revision.h"
#include "common/runtime/clock.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/feed/feed.h"
#include "server/services/encoded_feed.h"

namespace autopxe::server {

// One call of WatchConfiguration: a cursor and at most one message under way. A watcher that reads
// slowly holds up nobody and nothing but itself. All calls may come from any thread.
class Watch final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                    public std::enable_shared_from_this<Watch> {
 public:
  // What happened to it, for one line of the log.
  struct Summary {
    int64_t snapshots = 0;
    int64_t changes = 0;
    int64_t heartbeats = 0;
    absl::Duration duration;
    absl::optional<RevisionId> position;
  };

  struct Options {
    const Feed* feed;  // These three outlive it.
    EncodedFeed* encoded;
    const Clock* clock;
    absl::Duration heartbeat;  // Sent when nothing else was for so long.
    absl::optional<RevisionId> resume_from;
    // Asks that Prepare be called soon, in a thread that may wait.
    std::function<void(std::shared_ptr<Watch>)> prepare;
    // Called once, after gRPC is done with the call.
    std::function<void(const std::shared_ptr<Watch>&, const Summary&)> done;
  };

  // The object keeps itself until gRPC is done with the call.
  static std::shared_ptr<Watch> Create(Options options);

  // Does what may take long: finds where to resume, or encodes a snapshot; then goes on.
  void Prepare() ABSL_LOCKS_EXCLUDED(mutex_);

  // Something has been published.
  void Wake() ABSL_LOCKS_EXCLUDED(mutex_);

  // Sends a heartbeat if it is due.
  void Beat() ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends the call with `status` once the message that is under way has gone.
  void Stop(const grpc::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class State {
    kPreparing,  // Waits for Prepare.
    kIdle,       // Nothing is under way: waits for something to send.
    kWriting,    // A message is under way.
    kFinished,   // Finish has been called.
  };

  explicit Watch(Options options);

  // Sends what comes next, if anything does. REQUIRES: state_ is kIdle.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AskToPrepare() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SendHeartbeat() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Send(grpc::ByteBuffer message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishNow(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const absl::Duration start_;

  absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kPreparing;
  bool resumed_ ABSL_GUARDED_BY(mutex_) = false;  // cursor_ is where the watcher is.
  Feed::Cursor cursor_ ABSL_GUARDED_BY(mutex_);
  int64_t at_least_ ABSL_GUARDED_BY(mutex_) = 0;  // Of the snapshot to be encoded.
  std::shared_ptr<const EncodedSnapshot> snapshot_ ABSL_GUARDED_BY(mutex_);  // Being sent.
  size_t next_part_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::ByteBuffer message_ ABSL_GUARDED_BY(mutex_);  // Under way.
  absl::optional<absl::Duration> last_sent_ ABSL_GUARDED_BY(mutex_);
  absl::optional<grpc::Status> stop_ ABSL_GUARDED_BY(mutex_);
  Summary summary_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<Watch> self_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::server
