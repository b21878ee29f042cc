#include "common/runtime/logging.h"

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/log_line.h"
#include "common/runtime/log_writer.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/base_sink.h"
#include "spdlog/spdlog.h"

namespace autopxe {
namespace {

struct Level {
  LogLevel level;
  const char* name;
  spdlog::level::level_enum spdlog_level;
};

constexpr Level kLevels[] = {
    {LogLevel::kDebug, "debug", spdlog::level::debug},
    {LogLevel::kInfo, "info", spdlog::level::info},
    {LogLevel::kWarn, "warn", spdlog::level::warn},
    {LogLevel::kError, "error", spdlog::level::err},
};

const Level& Find(LogLevel level) { return kLevels[static_cast<int>(level)]; }

constexpr char kPattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";

// The sink has one of its own, which belongs to whoever logs.
std::string FormatLostLines(uint64_t lines) {
  const std::string text = LogLine("log-lines-lost").Add("lines", lines).text();
  spdlog::pattern_formatter formatter(kPattern, spdlog::pattern_time_type::utc);
  spdlog::memory_buf_t line;
  formatter.format(spdlog::details::log_msg("", spdlog::level::warn, text), line);
  return std::string(line.data(), line.size());
}

class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    line_.clear();
    formatter_->format(message, line_);
    writer_.Write({line_.data(), line_.size()}, message.level >= spdlog::level::warn);
  }
  void flush_() override { writer_.Flush(); }

  spdlog::memory_buf_t line_;
  LogWriter writer_{STDERR_FILENO, {.lost_lines = &FormatLostLines}};
};

}  // namespace

absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view text) {
  for (const Level& level : kLevels) {
    if (text == level.name) return level.level;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("log level \"", absl::CEscape(text), "\": expected debug, info, warn or error"));
}

absl::string_view FormatLogLevel(LogLevel level) { return Find(level).name; }

void OpenLog(LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<StderrSink>());
  logger->set_pattern(kPattern, spdlog::pattern_time_type::utc);
  logger->set_level(Find(level).spdlog_level);
  spdlog::set_default_logger(std::move(logger));
}

void FlushLog() { spdlog::default_logger_raw()->flush(); }

void SetLogLevel(LogLevel level) {
  spdlog::default_logger_raw()->set_level(Find(level).spdlog_level);
}

}  // namespace autopxe
