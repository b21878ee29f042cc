#include "agent/tftp/request_log.h"

#include <chrono>

#include "common/runtime/log_line.h"

namespace autopxe::agent::tftp {
namespace {

LogLine Line(const OpenTransfer& transfer, absl::string_view result) {
  const auto duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(EventLoop::Now() - transfer.started());
  LogLine line("request");
  line.Add("protocol", "tftp")
      .Add("host", transfer.content().host.has_value() ? transfer.content().host->Format() : "-")
      .Add("client", transfer.peer().endpoint.Format())
      .Add("path", transfer.content().path)
      .Add("result", result)
      .Add("bytes", transfer.transfer().acknowledged_bytes())
      .Add("duration_ms", duration.count());
  return line;
}

absl::string_view FailureResult(const Transfer& transfer) {
  if (transfer.was_probe()) return "probe";
  switch (transfer.status().code()) {
    case absl::StatusCode::kCancelled:
      return "aborted";
    case absl::StatusCode::kDeadlineExceeded:
      return "timeout";
    case absl::StatusCode::kDataLoss:
      return "changed";
    default:
      return "failed";
  }
}

}  // namespace

void LogRefused(const IpEndpoint& client, absl::string_view path, absl::string_view result,
                absl::string_view error) {
  LogLine line("request");
  line.Add("protocol", "tftp")
      .Add("host", "-")
      .Add("client", client.Format())
      .Add("path", path)
      .Add("result", result)
      .Add("bytes", 0)
      .Add("duration_ms", 0);
  if (!error.empty()) line.Add("error", error);
  line.Info();
}

void LogEnded(const OpenTransfer& transfer) {
  if (transfer.transfer().is_finished()) {
    Line(transfer, transfer.content().result).Info();
    return;
  }
  LogLine line = Line(transfer, FailureResult(transfer.transfer()));
  if (transfer.transfer().was_probe()) {
    line.Info();
    return;
  }
  const absl::Status& status = transfer.transfer().status();
  line.Add("error", status.message());
  // Whoever never answered may never have asked: a flood of forged requests would write a warning
  // for each.
  const bool was_forged_for_all_we_know =
      status.code() == absl::StatusCode::kDeadlineExceeded && !transfer.transfer().is_answered();
  if (status.code() == absl::StatusCode::kCancelled || was_forged_for_all_we_know) {
    line.Info();
  } else {
    line.Warn();
  }
}

void LogEnded(const OpenTransfer& transfer, absl::string_view result) {
  Line(transfer, result).Info();
}

}  // namespace autopxe::agent::tftp
