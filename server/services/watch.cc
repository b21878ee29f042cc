#include "server/services/watch.h"

#include <utility>
#include <variant>

#include "autopxe/v1/agent.pb.h"
#include "common/wire/revision_wire.h"
#include "common/wire/time_wire.h"

namespace autopxe::server {

std::shared_ptr<Watch> Watch::Create(Options options) {
  std::shared_ptr<Watch> watch(new Watch(std::move(options)));
  absl::MutexLock lock(&watch->mutex_);
  watch->self_ = watch;
  return watch;
}

Watch::Watch(Options options) : options_(std::move(options)), start_(options_.clock->Monotonic()) {}

void Watch::Prepare() {
  bool resume;
  int64_t at_least;
  {
    absl::MutexLock lock(&mutex_);
    if (state_ != State::kPreparing) return;
    resume = !std::exchange(resumed_, true);
    at_least = at_least_;
  }
  Feed::Cursor cursor;
  std::shared_ptr<const EncodedSnapshot> snapshot;
  if (resume) {
    cursor = options_.feed->Resume(options_.resume_from);
  } else {
    snapshot = options_.encoded->EncodeSnapshot(at_least);
    cursor = Feed::At(snapshot->revision);
  }
  absl::MutexLock lock(&mutex_);
  if (state_ != State::kPreparing) return;
  cursor_ = std::move(cursor);
  if (snapshot != nullptr) ++summary_.snapshots;
  snapshot_ = std::move(snapshot);
  next_part_ = 0;
  state_ = State::kIdle;
  Advance();
}

void Watch::Advance() {
  if (stop_.has_value()) return FinishNow(*stop_);
  if (snapshot_ != nullptr) {
    Send(snapshot_->parts[next_part_++]);
    if (next_part_ == snapshot_->parts.size()) snapshot_ = nullptr;
    return;
  }
  Feed::Event event = options_.feed->Next(cursor_);
  if (auto* change = std::get_if<std::shared_ptr<const Change>>(&event)) {
    std::shared_ptr<const grpc::ByteBuffer> bytes = options_.encoded->EncodeChange(*change);
    if (bytes == nullptr) {
      at_least_ = (*change)->revision.id.number;
      return AskToPrepare();
    }
    ++summary_.changes;
    return Send(*bytes);
  }
  if (std::holds_alternative<std::shared_ptr<const Snapshot>>(event)) {
    at_least_ = 0;
    return AskToPrepare();
  }
  // The first message says at once that the watch is established.
  if (!last_sent_.has_value()) SendHeartbeat();
}

void Watch::AskToPrepare() {
  state_ = State::kPreparing;
  options_.prepare(shared_from_this());
}

void Watch::SendHeartbeat() {
  v1::WatchConfigurationResponse response;
  *response.mutable_heartbeat()->mutable_revision() =
      ToProto(options_.feed->Current()->revision().id);
  *response.mutable_heartbeat()->mutable_time() = ToProto(options_.clock->Now());
  ++summary_.heartbeats;
  Send(Encode(response));
}

void Watch::Send(grpc::ByteBuffer message) {
  state_ = State::kWriting;
  last_sent_ = options_.clock->Monotonic();
  message_ = std::move(message);
  StartWrite(&message_);
}

void Watch::FinishNow(const grpc::Status& status) {
  state_ = State::kFinished;
  Finish(status);
}

void Watch::Wake() {
  absl::MutexLock lock(&mutex_);
  if (state_ == State::kIdle) Advance();
}

void Watch::Beat() {
  absl::MutexLock lock(&mutex_);
  if (state_ != State::kIdle || !last_sent_.has_value()) return;
  if (options_.clock->Monotonic() - *last_sent_ >= options_.heartbeat) SendHeartbeat();
}

void Watch::Stop(const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (!stop_.has_value()) stop_ = status;
  if (state_ == State::kIdle || state_ == State::kPreparing) FinishNow(*stop_);
}

void Watch::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  message_.Clear();
  if (!ok && !stop_.has_value()) {
    stop_ = grpc::Status(grpc::StatusCode::CANCELLED, "the agent is gone");
  }
  state_ = State::kIdle;
  Advance();
}

void Watch::OnCancel() { Stop(grpc::Status(grpc::StatusCode::CANCELLED, "the agent is gone")); }

void Watch::OnDone() {
  std::shared_ptr<Watch> self;
  Summary summary;
  {
    absl::MutexLock lock(&mutex_);
    state_ = State::kFinished;
    summary_.duration = options_.clock->Monotonic() - start_;
    summary_.position = cursor_.position();
    summary = summary_;
    self = std::move(self_);
  }
  options_.done(self, summary);
}

}  // namespace autopxe::server
