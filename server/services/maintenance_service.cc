#include "server/services/maintenance_service.h"

#include <utility>

#include "absl/status/status.h"
#include "common/runtime/log_line.h"

namespace autopxe::server {
namespace {

grpc::Status Stopping() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is stopping");
}

}  // namespace

MaintenanceService::MaintenanceService(BackUpFn back_up, const Clock& clock, Options options)
    : back_up_(std::move(back_up)), clock_(clock), options_(options), thread_([this] { Run(); }) {}

MaintenanceService::~MaintenanceService() {
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  wakeup_.Notify();
  thread_.join();
}

grpc::ServerWriteReactor<v1::BackupResponse>* MaintenanceService::Backup(
    grpc::CallbackServerContext* context, const v1::BackupRequest*) {
  const std::string origin = context->peer();
  absl::MutexLock lock(&mutex_);
  if (stopped_ || current_ != nullptr || making_) {
    const std::shared_ptr<BackupStream> refused = BackupStream::Create(
        context, clock_,
        [this, origin](const BackupStream::Summary& summary) { Log(origin, summary); });
    refused->Stop(stopped_ ? Stopping()
                           : grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                          "a backup is under way already; wait for its end"));
    return refused.get();
  }
  current_ =
      BackupStream::Create(context, clock_, [this, origin](const BackupStream::Summary& summary) {
        Log(origin, summary);
        absl::MutexLock done(&mutex_);
        current_ = nullptr;
        to_make_ = false;
      });
  to_make_ = true;
  wakeup_.Notify();
  return current_.get();
}

void MaintenanceService::Stop() {
  std::shared_ptr<BackupStream> current;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    current = current_;
  }
  if (current != nullptr) current->Stop(Stopping());
}

void MaintenanceService::Run() {
  while (true) {
    absl::Duration until_look = absl::InfiniteDuration();
    {
      absl::MutexLock lock(&mutex_);
      if (current_ != nullptr) until_look = options_.tick;
    }
    wakeup_.WaitFor(until_look);
    std::shared_ptr<BackupStream> stream;
    bool to_make;
    {
      absl::MutexLock lock(&mutex_);
      if (ending_) return;
      to_make = std::exchange(to_make_, false);
      making_ = to_make;
      stream = current_;
    }
    if (!to_make) {
      if (stream != nullptr) stream->CancelIfStalled(options_.stalled_after);
      continue;
    }
    absl::StatusOr<std::unique_ptr<BackupFile>> file = back_up_();
    {
      absl::MutexLock lock(&mutex_);
      making_ = false;
    }
    stream->Send(std::move(file));
  }
}

void MaintenanceService::Log(const std::string& origin, const BackupStream::Summary& summary) {
  const grpc::StatusCode code = summary.status.error_code();
  LogLine line("backup");
  line.Add("origin", origin)
      .Add("result", absl::StatusCodeToString(static_cast<absl::StatusCode>(code)));
  if (summary.revision.has_value()) line.Add("revision", summary.revision->Format());
  line.Add("bytes", summary.bytes);
  if (!summary.status.ok()) line.Add("error", summary.status.error_message());
  line.Add("duration_ms", absl::ToInt64Milliseconds(summary.duration));
  if (summary.status.ok()) {
    line.Info();
  } else {
    line.Warn();
  }
}

}  // namespace autopxe::server
