#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

namespace autopxe::agent::tftp {

// Takes what is logged while it lives, for tests: a line each, `level event=...`.
class CapturedLog {
 public:
  CapturedLog()
      : before_(spdlog::default_logger()),
        sink_(std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_, true)) {
    const auto logger = std::make_shared<spdlog::logger>("", sink_);
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(logger);
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }

  // What was logged so far. Whoever logs must have been waited for.
  std::string Text() const { return stream_.str(); }

 private:
  const std::shared_ptr<spdlog::logger> before_;
  std::ostringstream stream_;
  const std::shared_ptr<spdlog::sinks::ostream_sink_mt> sink_;
};

}  // namespace autopxe::agent::tftp
