#include "common/runtime/logging.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "spdlog/sinks/stdout_sinks.h"
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
  auto logger =
      std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger->set_level(Find(level).spdlog_level);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void SetLogLevel(LogLevel level) {
  spdlog::default_logger_raw()->set_level(Find(level).spdlog_level);
}

}  // namespace autopxe
