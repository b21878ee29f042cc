#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "autopxe/v1/maintenance.pb.h"
#include "common/digest/sha256.h"
#include "common/runtime/clock.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/store/backup_file.h"

namespace autopxe::server {

// One call of Backup: waits for the file, then sends it with one message under way at a time, so
// that a slow reader takes no memory. All calls may come from any thread.
//
// A reader that stops reading would hold the call for ever: gRPC's pings are answered by its
// connection, not by its program.
class BackupStream final : public grpc::ServerWriteReactor<v1::BackupResponse>,
                           public std::enable_shared_from_this<BackupStream> {
 public:
  // What became of it, for one line of the log.
  struct Summary {
    grpc::Status status;
    absl::optional<RevisionId> revision;
    int64_t bytes = 0;
    absl::Duration duration;
  };

  // `done` is called once, after gRPC is done with the call and the file is gone. The object keeps
  // itself until then. `context` is the call's; `clock` outlives the object.
  static std::shared_ptr<BackupStream> Create(grpc::CallbackServerContext* context,
                                              const Clock& clock,
                                              std::function<void(const Summary&)> done);

  // Sends the file, or ends the call with what kept it from being made.
  void Send(absl::StatusOr<std::unique_ptr<BackupFile>> file) ABSL_LOCKS_EXCLUDED(mutex_);

  // Cancels the call if the message that is under way has been so for `limit`.
  void CancelIfStalled(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends the call once the message that is under way has gone.
  void Stop(const grpc::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class State { kWaiting, kWriting, kFinished };

  BackupStream(grpc::CallbackServerContext* context, const Clock& clock,
               std::function<void(const Summary&)> done);

  void SendNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishNow(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  grpc::CallbackServerContext* const context_;  // gRPC's until OnDone.
  const Clock& clock_;
  const absl::Duration start_;
  const std::function<void(const Summary&)> done_;

  absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kWaiting;
  std::unique_ptr<BackupFile> file_ ABSL_GUARDED_BY(mutex_);
  Sha256 sha256_ ABSL_GUARDED_BY(mutex_);
  v1::BackupResponse message_ ABSL_GUARDED_BY(mutex_);  // Under way.
  absl::Duration message_start_ ABSL_GUARDED_BY(mutex_);
  absl::optional<grpc::Status> stop_ ABSL_GUARDED_BY(mutex_);
  Summary summary_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<BackupStream> self_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::server
