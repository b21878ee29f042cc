#include "agent/sync/reporter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/runtime/log_line.h"
#include "common/status/grpc_status.h"
#include "common/status/status_macros.h"
#include "common/wire/agent_status_wire.h"
#include "common/wire/catalog_wire.h"
#include "common/wire/time_wire.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

namespace autopxe::agent {
namespace {

// In one message; the server takes no more.
constexpr size_t kMostUses = 1'000;

// Whether the server is there and does not want what it was sent.
bool IsRefusal(const absl::Status& status) {
  return !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status) &&
         !absl::IsCancelled(status);
}

}  // namespace

Reporter::Reporter(Options options, std::shared_ptr<grpc::Channel> channel, const View& view,
                   const LiveCatalog& catalog, Journal& journal, Problems& problems,
                   const Clock& clock)
    : options_(std::move(options)),
      channel_(std::move(channel)),
      view_(view),
      catalog_(catalog),
      journal_(journal),
      problems_(problems),
      clock_(clock),
      status_attempts_{.backoff = Backoff(options_.first_backoff, options_.most_backoff)},
      used_attempts_{.backoff = Backoff(options_.first_backoff, options_.most_backoff)},
      catalog_attempts_{.backoff = Backoff(options_.first_backoff, options_.most_backoff)},
      advertise_(options_.status.advertise),
      http_address_(options_.status.http_address),
      tftp_address_(options_.status.tftp_address),
      thread_([this] { Run(); }) {
  problems_.OnChange([this] { Wake(); });
}

Reporter::~Reporter() {
  problems_.OnChange(nullptr);
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wakeup_.Notify();
  thread_.join();
}

void Reporter::Wake() {
  {
    absl::MutexLock lock(&mutex_);
    woken_ = true;
  }
  wakeup_.Notify();
}

void Reporter::SetAddresses(absl::optional<IpAddress> advertise, absl::optional<IpEndpoint> http,
                            absl::optional<IpEndpoint> tftp) {
  {
    absl::MutexLock lock(&mutex_);
    advertise_ = advertise;
    http_address_ = http;
    tftp_address_ = tftp;
    addresses_changed_ = true;
    woken_ = true;
  }
  wakeup_.Notify();
}

void Reporter::Reconnected() {
  {
    absl::MutexLock lock(&mutex_);
    reconnected_ = true;
    woken_ = true;
  }
  wakeup_.Notify();
}

bool Reporter::IsWoken() const {
  absl::MutexLock lock(&mutex_);
  return stopping_ || woken_;
}

bool Reporter::IsStopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

absl::Status Reporter::Send(
    const std::function<void(grpc::ClientContext* context, std::function<void(grpc::Status)> done)>&
        start) {
  // No deadline of gRPC's, which can end an hour late where the clock is set back.
  grpc::ClientContext context;
  const SystemClock clock;  // Whatever decides of back-off: somebody waits here.
  const absl::Duration end = clock.Monotonic() + options_.deadline;
  bool is_late = false;
  absl::optional<grpc::Status> result;  // Guarded by mutex_.
  start(&context, [this, &result](grpc::Status status) {
    // Under the lock, since the frame with `result` may be gone as soon as it is there.
    absl::MutexLock lock(&mutex_);
    result = std::move(status);
    wakeup_.Notify();
  });
  while (true) {
    absl::Duration left = end - clock.Monotonic();
    {
      absl::MutexLock lock(&mutex_);
      if (result.has_value() && is_late && !result->ok()) {
        return absl::DeadlineExceededError(
            absl::StrCat("no answer within ", absl::FormatDuration(options_.deadline)));
      }
      if (result.has_value()) return ToAbslStatus(*result);
      if (stopping_) context.TryCancel();
    }
    if (left <= absl::ZeroDuration()) {
      is_late = true;
      context.TryCancel();
      left = absl::InfiniteDuration();
    }
    wakeup_.WaitFor(left);
  }
}

absl::Duration Reporter::Report() {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(addresses_changed_, false)) reported_at_ = -absl::InfiniteDuration();
    if (std::exchange(reconnected_, false)) {
      reported_catalog_ = nullptr;
      reported_at_ = -absl::InfiniteDuration();
      status_attempts_.not_before = -absl::InfiniteDuration();
      used_attempts_.not_before = -absl::InfiniteDuration();
      catalog_attempts_.not_before = -absl::InfiniteDuration();
    }
    woken_ = false;
  }
  const std::unique_ptr<v1::AgentService::Stub> stub = v1::AgentService::NewStub(channel_);
  if (clock_.Monotonic() < status_attempts_.not_before) return status_attempts_.not_before;
  // A server that takes no status is sent nothing else either.
  if (const absl::Status status = ReportStatus(*stub); !status.ok()) {
    return NoteFailure(status_attempts_, status);
  }
  const absl::Duration used_due =
      Attempt(used_attempts_, [&] { return ReportUsedNextBoots(*stub); });
  const absl::Duration catalog_due =
      Attempt(catalog_attempts_, [&] { return ReportCatalog(*stub); });
  return std::min({reported_at_ + options_.interval, used_due, catalog_due});
}

absl::Duration Reporter::Attempt(Attempts& attempts, const std::function<absl::Status()>& report) {
  if (clock_.Monotonic() < attempts.not_before) return attempts.not_before;
  const absl::Status status = report();
  return status.ok() ? absl::InfiniteDuration() : NoteFailure(attempts, status);
}

absl::Duration Reporter::NoteFailure(Attempts& attempts, const absl::Status& status) {
  // That the server is away, the follower says.
  const std::string reason(status.message());
  if (IsRefusal(status) && reason != attempts.refused) {
    LogLine("report-refused").Add("reason", reason).Warn();
    attempts.refused = reason;
  }
  attempts.not_before = clock_.Monotonic() + attempts.backoff.Next(random_);
  return attempts.not_before;
}

void Reporter::NoteSuccess(Attempts& attempts) {
  attempts.backoff.Reset();
  attempts.not_before = -absl::InfiniteDuration();
  attempts.refused.clear();
}

absl::Status Reporter::ReportStatus(v1::AgentService::Stub& stub) {
  const std::shared_ptr<const Snapshot> view = view_.Received();
  AgentStatus status = options_.status;
  {
    absl::MutexLock lock(&mutex_);
    status.advertise = advertise_;
    status.http_address = http_address_;
    status.tftp_address = tftp_address_;
  }
  status.problems = problems_.Current();
  const absl::Duration now = clock_.Monotonic();
  if (view == reported_view_ && status.problems == reported_problems_ &&
      now < reported_at_ + options_.interval) {
    return absl::OkStatus();
  }
  if (view != nullptr) status.applied = view->revision().id;
  status.view_age = view_.AgeAt(now);
  v1::ReportStatusRequest request;
  request.set_agent_id(options_.agent_id.text());
  *request.mutable_status() = ToProto(status);
  v1::ReportStatusResponse response;
  RETURN_IF_ERROR(Send([&](grpc::ClientContext* context, std::function<void(grpc::Status)> done) {
    stub.async()->ReportStatus(context, &request, &response, std::move(done));
  }));
  reported_view_ = view;
  reported_problems_ = std::move(status.problems);
  reported_at_ = clock_.Monotonic();
  NoteSuccess(status_attempts_);
  NoteWatches(response.watches());
  if (response.catalog_wanted()) reported_catalog_ = nullptr;
  return absl::OkStatus();
}

void Reporter::NoteWatches(int watches) {
  if (std::exchange(is_id_shared_, watches > 1) || !is_id_shared_) return;
  LogLine("id-shared")
      .Add("id", options_.agent_id.text())
      .Add("agents", watches)
      .Add("remedy", "give each agent an id of its own (--id)")
      .Warn();
}

absl::Status Reporter::ReportUsedNextBoots(v1::AgentService::Stub& stub) {
  while (true) {
    const std::vector<JournalUse> uses = journal_.Pending(kMostUses);
    if (uses.empty()) return absl::OkStatus();
    v1::ReportUsedNextBootsRequest request;
    request.set_agent_id(options_.agent_id.text());
    for (const JournalUse& use : uses) {
      v1::UsedNextBoot* const used = request.add_used();
      used->set_host_id(static_cast<int64_t>(use.used.host));
      used->set_token(use.used.token);
      *used->mutable_time() = ToProto(use.time);
    }
    v1::ReportUsedNextBootsResponse response;
    // One of an earlier version takes none: they wait for a later one.
    RETURN_IF_ERROR(Send([&](grpc::ClientContext* context, std::function<void(grpc::Status)> done) {
      stub.async()->ReportUsedNextBoots(context, &request, &response, std::move(done));
    }));
    journal_.NoteReported(uses);
    NoteSuccess(used_attempts_);
    LogLine("next-boots-reported").Add("count", uses.size()).Info();
  }
}

absl::Status Reporter::ReportCatalog(v1::AgentService::Stub& stub) {
  const std::shared_ptr<const Catalog> catalog = catalog_.Current();
  if (catalog == reported_catalog_) return absl::OkStatus();
  v1::ReportCatalogRequest request;
  request.set_agent_id(options_.agent_id.text());
  request.set_instance(options_.status.instance.text());
  *request.mutable_catalog() = ToProto(*catalog);
  v1::ReportCatalogResponse response;
  const absl::Status status =
      Send([&](grpc::ClientContext* context, std::function<void(grpc::Status)> done) {
        stub.async()->ReportCatalog(context, &request, &response, std::move(done));
      });
  if (!status.ok()) {
    if (IsRefusal(status)) {
      problems_.Set(Problems::Kind::kCatalogRefused,
                    absl::StrCat("the server refused the catalog: ", status.message()));
    }
    return status;
  }
  problems_.Clear(Problems::Kind::kCatalogRefused);
  reported_catalog_ = catalog;
  NoteSuccess(catalog_attempts_);
  LogLine("catalog-reported").Add("kernels", catalog->KernelCount()).Info();
  return absl::OkStatus();
}

void Reporter::Run() {
  while (!IsStopping()) {
    const absl::Duration due = Report();
    for (absl::Duration now = clock_.Monotonic(); !IsWoken() && now < due;
         now = clock_.Monotonic()) {
      wakeup_.WaitFor(due - now);
    }
  }
}

}  // namespace autopxe::agent
