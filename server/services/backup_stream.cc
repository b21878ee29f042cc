#include "server/services/backup_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/age_text.h"
#include "common/status/grpc_status.h"
#include "common/wire/revision_wire.h"

namespace autopxe::server {
namespace {

constexpr size_t kChunkBytes = 256 << 10;

}  // namespace

std::shared_ptr<BackupStream> BackupStream::Create(grpc::CallbackServerContext* context,
                                                   const Clock& clock,
                                                   std::function<void(const Summary&)> done) {
  std::shared_ptr<BackupStream> stream(new BackupStream(context, clock, std::move(done)));
  absl::MutexLock lock(&stream->mutex_);
  stream->self_ = stream;
  return stream;
}

BackupStream::BackupStream(grpc::CallbackServerContext* context, const Clock& clock,
                           std::function<void(const Summary&)> done)
    : context_(context), clock_(clock), start_(clock.Monotonic()), done_(std::move(done)) {}

void BackupStream::Send(absl::StatusOr<std::unique_ptr<BackupFile>> file) {
  absl::MutexLock lock(&mutex_);
  if (state_ != State::kWaiting) return;
  if (!file.ok()) return FinishNow(ToGrpcStatus(file.status()));
  file_ = *std::move(file);
  summary_.revision = file_->revision();
  v1::BackupBegin& begin = *message_.mutable_begin();
  *begin.mutable_revision() = ToProto(file_->revision());
  begin.set_size(file_->size());
  Write();
}

void BackupStream::SendNext() {
  if (stop_.has_value()) return FinishNow(*stop_);
  if (message_.has_end()) return FinishNow(grpc::Status::OK);
  absl::StatusOr<std::string> bytes = file_->Read(kChunkBytes);
  if (!bytes.ok()) return FinishNow(ToGrpcStatus(bytes.status()));
  if (bytes->empty()) {
    message_.mutable_end()->set_sha256(sha256_.Finish());
  } else {
    sha256_.Add(*bytes);
    summary_.bytes += static_cast<int64_t>(bytes->size());
    message_.set_chunk(*std::move(bytes));
  }
  Write();
}

void BackupStream::Write() {
  state_ = State::kWriting;
  message_start_ = clock_.Monotonic();
  StartWrite(&message_);
}

void BackupStream::FinishNow(const grpc::Status& status) {
  state_ = State::kFinished;
  summary_.status = status;
  Finish(status);
}

void BackupStream::CancelIfStalled(absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  if (state_ != State::kWriting || clock_.Monotonic() - message_start_ < limit) return;
  if (!stop_.has_value()) {
    stop_ = grpc::Status(grpc::StatusCode::CANCELLED,
                         absl::StrCat("the caller has read nothing for ",
                                      FormatAge(clock_.Monotonic() - message_start_)));
  }
  // The write ends with it, so OnWriteDone finishes. OnDone, after which there is no context, takes
  // the lock first.
  context_->TryCancel();
}

void BackupStream::Stop(const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (!stop_.has_value()) stop_ = status;
  if (state_ == State::kWaiting) FinishNow(*stop_);
}

void BackupStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  if (!ok && !stop_.has_value()) {
    stop_ = grpc::Status(grpc::StatusCode::CANCELLED, "the caller is gone");
  }
  SendNext();
}

void BackupStream::OnCancel() {
  Stop(grpc::Status(grpc::StatusCode::CANCELLED, "the caller is gone"));
}

void BackupStream::OnDone() {
  std::shared_ptr<BackupStream> self;
  Summary summary;
  {
    absl::MutexLock lock(&mutex_);
    state_ = State::kFinished;
    file_ = nullptr;
    summary_.duration = clock_.Monotonic() - start_;
    summary = summary_;
    self = std::move(self_);
  }
  done_(summary);
}

}  // namespace autopxe::server
