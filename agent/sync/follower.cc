#include "agent/sync/follower.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "common/runtime/backoff.h"
#include "common/status/grpc_status.h"
#include "common/status/status_macros.h"
#include "common/wire/change_wire.h"
#include "common/wire/revision_wire.h"
#include "common/wire/snapshot_wire.h"

namespace autopxe::agent {
namespace {

// While the server stays away, say so again at this interval.
constexpr absl::Duration kReminder = absl::Minutes(10);

std::string RevisionOf(const std::shared_ptr<const Snapshot>& snapshot) {
  return snapshot == nullptr ? "none" : snapshot->revision().id.Format();
}

}  // namespace

// One call of WatchConfiguration. gRPC calls OnReadDone once for each StartRead, so never twice at
// a time, and OnDone after everything else.
class Follower::Watch final : public grpc::ClientReadReactor<v1::WatchConfigurationResponse> {
 public:
  // `resume_from`: unset asks for a snapshot.
  Watch(Follower& follower, absl::optional<RevisionId> resume_from)
      : follower_(follower), stub_(v1::AgentService::NewStub(follower.channel_)) {
    request_.set_agent_id(follower.options_.agent_id.text());
    request_.set_instance(follower.options_.instance.text());
    if (resume_from.has_value()) *request_.mutable_resume_from() = ToProto(*resume_from);
    stub_->async()->WatchConfiguration(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  // IsDone() soon turns true.
  void Cancel() { context_.TryCancel(); }

  // Once it is true, gRPC no longer knows this object.
  bool IsDone() const ABSL_LOCKS_EXCLUDED(follower_.mutex_) {
    absl::MutexLock lock(&follower_.mutex_);
    return is_done_;
  }

  // REQUIRES: IsDone(). Why the watch ended.
  absl::Status Why() const {
    if (!misfit_.ok()) return misfit_;
    return ToAbslStatus(end_);
  }

 private:
  void OnReadInitialMetadataDone(bool ok) override {
    if (ok) NoteConnected();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;  // The end; OnDone says why.
    NoteConnected();
    misfit_ = Take();
    if (!std::exchange(is_told_, true)) follower_.listener_.connected();
    if (!misfit_.ok()) {
      {
        absl::MutexLock lock(&follower_.mutex_);
        follower_.needs_snapshot_ = true;
      }
      follower_.problems_.Set(
          Problems::Kind::kConfigurationRefused,
          absl::StrCat("the configuration that the server sent was refused: ", misfit_.message()));
      context_.TryCancel();
      return;
    }
    {
      absl::MutexLock lock(&follower_.mutex_);
      follower_.heard_at_ = follower_.clock_.Monotonic();
    }
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    end_ = status;
    // Under the lock, since the follower may be gone as soon as IsDone() is true.
    absl::MutexLock lock(&follower_.mutex_);
    is_done_ = true;
    follower_.wakeup_.Notify();
  }

  void NoteConnected() {
    {
      absl::MutexLock lock(&follower_.mutex_);
      if (std::exchange(follower_.connected_, true)) return;
    }
    LogLine line("connected");
    line.Add("server", follower_.options_.server);
    follower_.AddView(line);
    line.Info();
  }

  // Brings the view up to what response_ says. An error: it does not fit.
  absl::Status Take() {
    switch (response_.event_case()) {
      case v1::WatchConfigurationResponse::kSnapshot:
        return TakePart();
      case v1::WatchConfigurationResponse::kChange:
        return TakeChange();
      case v1::WatchConfigurationResponse::kHeartbeat:
        return TakeHeartbeat();
      case v1::WatchConfigurationResponse::EVENT_NOT_SET:
        return absl::OkStatus();  // Of a later server: still a sign of life.
    }
    return absl::OkStatus();
  }

  absl::Status TakePart() {
    ASSIGN_OR_RETURN(auto snapshot, assembler_.Add(response_.snapshot()));
    if (!snapshot.has_value()) return absl::OkStatus();
    const std::shared_ptr<const Snapshot> view = follower_.view_.Received();
    if ((*snapshot)->revision().id.number == 0 && view != nullptr &&
        view->revision().id.number > 0) {
      follower_.KeepView();
      not_taken_ = *std::move(snapshot);
      return absl::OkStatus();
    }
    LogLine("snapshot")
        .Add("revision", RevisionOf(*snapshot))
        .Add("replaced", RevisionOf(view))
        .Add("hosts", (*snapshot)->host_count())
        .Info();
    not_taken_ = nullptr;
    follower_.Publish(*std::move(snapshot));
    return absl::OkStatus();
  }

  absl::Status TakeChange() {
    ASSIGN_OR_RETURN(const std::shared_ptr<const Change> change, FromProto(response_.change()));
    const std::shared_ptr<const Snapshot> current =
        not_taken_ != nullptr ? not_taken_ : follower_.view_.Received();
    if (current == nullptr) return absl::FailedPreconditionError("a change before any snapshot");
    ASSIGN_OR_RETURN(std::shared_ptr<const Snapshot> next, Apply(*current, *change));
    not_taken_ = nullptr;
    LogLine("change")
        .Add("revision", RevisionOf(next))
        .Add("hosts", change->hosts.size() + change->deleted_hosts.size())
        .Add("profiles", change->profiles.size() + change->deleted_profiles.size())
        .Add("settings", change->settings.has_value())
        .Add("agent_settings",
             change->agent_settings.size() + change->deleted_agent_settings.size())
        .Info();
    follower_.Publish(std::move(next));
    return absl::OkStatus();
  }

  absl::Status TakeHeartbeat() {
    ASSIGN_OR_RETURN(const RevisionId revision, FromProto(response_.heartbeat().revision()));
    const std::shared_ptr<const Snapshot> current = follower_.view_.Received();
    // Another revision than the view's is on its way: no gap, as the changes come in order.
    if (current == nullptr || current->revision().id != revision) return absl::OkStatus();
    follower_.NoteCurrent();
    return absl::OkStatus();
  }

  Follower& follower_;
  const std::unique_ptr<v1::AgentService::Stub> stub_;
  grpc::ClientContext context_;
  v1::WatchConfigurationRequest request_;
  v1::WatchConfigurationResponse response_;
  SnapshotAssembler assembler_;
  // Revision 0, when the view was kept instead: what the next change applies to.
  std::shared_ptr<const Snapshot> not_taken_;
  bool is_told_ = false;  // The listener knows that the server is there.
  // Written by gRPC's calls before is_done_ is set, read afterwards.
  absl::Status misfit_;
  grpc::Status end_;
  bool is_done_ ABSL_GUARDED_BY(follower_.mutex_) = false;
};

Follower::Follower(Options options, std::shared_ptr<grpc::Channel> channel, View& view,
                   Problems& problems, const Clock& clock, Listener listener)
    : options_(std::move(options)),
      channel_(std::move(channel)),
      view_(view),
      problems_(problems),
      clock_(clock),
      listener_(std::move(listener)),
      heard_at_(clock.Monotonic()),
      thread_([this] { Run(); }) {}

Follower::~Follower() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wakeup_.Notify();
  thread_.join();
}

bool Follower::IsStopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

void Follower::Pause(absl::Duration duration) {
  const absl::Duration end = clock_.Monotonic() + duration;
  for (absl::Duration now = clock_.Monotonic(); !IsStopping() && now < end;
       now = clock_.Monotonic()) {
    wakeup_.WaitFor(end - now);
  }
}

void Follower::Publish(std::shared_ptr<const Snapshot> snapshot) {
  view_.Set(snapshot);
  NoteCurrent();
  listener_.applied(snapshot);
}

void Follower::NoteCurrent() {
  view_.Confirm(clock_.Monotonic());
  {
    absl::MutexLock lock(&mutex_);
    needs_snapshot_ = false;
    is_keeping_view_ = false;
  }
  problems_.Clear(Problems::Kind::kConfigurationRefused);
  problems_.Clear(Problems::Kind::kServerEmpty);
}

void Follower::KeepView() {
  const std::string kept = RevisionOf(view_.Received());
  problems_.Clear(Problems::Kind::kConfigurationRefused);
  problems_.Set(
      Problems::Kind::kServerEmpty,
      absl::StrCat("the server has no configuration (revision 0), so revision ", kept,
                   " is kept and served: restore the server's backup, or configure it anew"));
  {
    absl::MutexLock lock(&mutex_);
    needs_snapshot_ = false;
    if (std::exchange(is_keeping_view_, true)) return;
  }
  LogLine("server-empty")
      .Add("server", options_.server)
      .Add("kept", kept)
      .Add("remedy",
           "restore the server's backup, or configure it anew: then this agent follows it")
      .Warn();
}

void Follower::AddView(LogLine& line) const {
  const std::shared_ptr<const Snapshot> view = view_.Received();
  line.Add("view", RevisionOf(view));
  const absl::optional<absl::Duration> age = view_.AgeAt(clock_.Monotonic());
  if (age.has_value()) line.Add("view_age", *age);
}

void Follower::LogAway(const absl::Status& why, bool was_connected) {
  LogLine line(was_connected ? "disconnected" : "server-away");
  line.Add("server", options_.server).Add("reason", std::string(why.message()));
  AddView(line);
  line.Warn();
}

absl::Status Follower::RunWatch() {
  const std::shared_ptr<const Snapshot> view = view_.Received();
  absl::optional<RevisionId> resume_from;
  {
    absl::MutexLock lock(&mutex_);
    if (view != nullptr && !needs_snapshot_) resume_from = view->revision().id;
    heard_at_ = clock_.Monotonic();
    connected_ = false;
  }
  Watch watch(*this, resume_from);
  absl::Status cancelled;
  while (!watch.IsDone()) {
    absl::Duration left = absl::InfiniteDuration();
    if (cancelled.ok()) {
      absl::MutexLock lock(&mutex_);
      left = heard_at_ + options_.silence - clock_.Monotonic();
      if (stopping_) {
        cancelled = absl::CancelledError("stopping");
      } else if (left <= absl::ZeroDuration()) {
        cancelled = absl::DeadlineExceededError(
            absl::StrCat("silent for ", absl::FormatDuration(options_.silence)));
      }
    }
    if (!cancelled.ok()) {
      watch.Cancel();
      left = absl::InfiniteDuration();
    }
    wakeup_.WaitFor(left);
  }
  if (!cancelled.ok()) return cancelled;
  const absl::Status why = watch.Why();
  return why.ok() ? absl::UnavailableError("the server ended the watch") : why;
}

void Follower::Run() {
  absl::BitGen random;
  Backoff backoff(options_.first_backoff, options_.most_backoff);
  absl::Duration remind_at = -absl::InfiniteDuration();
  while (!IsStopping()) {
    const absl::Status why = RunWatch();
    if (IsStopping()) return;
    bool was_connected;
    bool fits;
    {
      absl::MutexLock lock(&mutex_);
      was_connected = connected_;
      fits = !needs_snapshot_;
    }
    if (was_connected || clock_.Monotonic() >= remind_at) {
      LogAway(why, was_connected);
      remind_at = clock_.Monotonic() + kReminder;
    }
    // A server whose snapshots can't be used is no reason to fetch them without a pause.
    if (was_connected && fits) backoff.Reset();
    Pause(backoff.Next(random));
  }
}

}  // namespace autopxe::agent
