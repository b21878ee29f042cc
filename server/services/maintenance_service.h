#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "autopxe/v1/maintenance.grpc.pb.h"
#include "common/runtime/clock.h"
#include "common/runtime/wakeup.h"
#include "server/services/backup_stream.h"
#include "server/store/backup_file.h"

namespace autopxe::server {

// Makes a backup and returns once that is done, which may take long.
using BackUpFn = std::function<absl::StatusOr<std::unique_ptr<BackupFile>>()>;

// See autopxe/v1/maintenance.proto. A thread of its own waits for the backup to be made; one is
// under way at a time, until its last byte has gone or its reader has stopped reading.
class MaintenanceService final : public v1::MaintenanceService::CallbackService {
 public:
  struct Options {
    // A call of which no message went for so long is cancelled; by the clock that is passed.
    absl::Duration stalled_after = absl::Seconds(60);
    absl::Duration tick = absl::Seconds(1);  // How often it is looked whether one is.
  };

  // `clock` outlives this object.
  MaintenanceService(BackUpFn back_up, const Clock& clock, Options options);
  MaintenanceService(BackUpFn back_up, const Clock& clock)
      : MaintenanceService(std::move(back_up), clock, Options()) {}
  // Stop, then shut the gRPC server down, then destroy.
  ~MaintenanceService() override;

  grpc::ServerWriteReactor<v1::BackupResponse>* Backup(grpc::CallbackServerContext* context,
                                                       const v1::BackupRequest* request) override
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends the backup that is under way, and those to come, with UNAVAILABLE.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  void Log(const std::string& origin, const BackupStream::Summary& summary);

  const BackUpFn back_up_;
  const Clock& clock_;
  const Options options_;

  absl::Mutex mutex_;
  std::shared_ptr<BackupStream> current_ ABSL_GUARDED_BY(mutex_);
  bool to_make_ ABSL_GUARDED_BY(mutex_) = false;  // For current_.
  bool making_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;  // The thread is to end.

  Wakeup wakeup_;  // For to_make_ and ending_.
  std::thread thread_;
};

}  // namespace autopxe::server
