#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// "debug", "info", "warn", "error".
// Errors: INVALID_ARGUMENT, naming the text and what is expected.
absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view text);

absl::string_view FormatLogLevel(LogLevel level);

// Sends every LogLine of this process to stderr, each as "2025-01-31T12:00:00.000Z info event=...",
// in UTC: a warning or an error at once, others at the latest after 100 ms (see log_writer.h). Call
// once, before any thread logs.
void OpenLog(LogLevel level);

// Writes what is held back of the log: before anything else goes to stderr. Once OpenLog() was
// called.
void FlushLog();

// Lines below it are dropped from now on. From any thread.
void SetLogLevel(LogLevel level);

}  // namespace autopxe
