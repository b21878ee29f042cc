#pragma once

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"

namespace autopxe {

// Takes what is logged while it lives, for tests: a line each, `level event=...`.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()), sink_(std::make_shared<Sink>()) {
    const auto logger = std::make_shared<spdlog::logger>("", sink_);
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(logger);
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }

  // What was logged so far, by any thread.
  std::string Text() const { return sink_->Text(); }
  std::vector<std::string> Lines() const { return absl::StrSplit(Text(), '\n', absl::SkipEmpty()); }

 private:
  // spdlog's own ostream_sink has no way to read the stream while others log.
  class Sink final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::string Text() {
      const std::lock_guard<std::mutex> lock(mutex_);
      return text_;
    }

   private:
    void sink_it_(const spdlog::details::log_msg& message) override {
      spdlog::memory_buf_t line;
      formatter_->format(message, line);
      text_.append(line.data(), line.size());
    }
    void flush_() override {}

    std::string text_;
  };

  const std::shared_ptr<spdlog::logger> before_;
  const std::shared_ptr<Sink> sink_;
};

}  // namespace autopxe
