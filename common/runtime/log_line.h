#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace autopxe {

// One log line, `event=request protocol=tftp bytes=12`: keys in the order of the calls, values that
// can hold anything. A value that is empty or has a blank, '"', '=' or '\' is quoted; control
// characters and whatever is not ASCII are written `\xNN`, so no value adds a line, a key or a
// terminal's escape sequence. A value beyond 1,024 bytes is cut and ends in `...`.
//
//   LogLine("request").Add("protocol", "tftp").Add("bytes", 12).Info();
class LogLine {
 public:
  // `event` and the keys are words of the program, never a peer's: events [a-z0-9-], keys
  // [a-z0-9_]. How long the event took is `duration_ms`, an integer.
  explicit LogLine(absl::string_view event);

  LogLine& Add(absl::string_view key, absl::string_view value);
  LogLine& Add(absl::string_view key, const std::string& value);
  LogLine& Add(absl::string_view key, const char* value);
  LogLine& Add(absl::string_view key, bool value);
  // As seconds: `grace=0.012`, to the millisecond.
  LogLine& Add(absl::string_view key, absl::Duration value);

  template <typename Number, typename = std::enable_if_t<std::is_integral_v<Number> &&
                                                         !std::is_same_v<Number, bool>>>
  LogLine& Add(absl::string_view key, Number value) {
    if constexpr (std::is_signed_v<Number>) {
      return AddSigned(key, static_cast<int64_t>(value));
    } else {
      return AddUnsigned(key, static_cast<uint64_t>(value));
    }
  }

  const std::string& text() const { return text_; }

  // Each writes the line through spdlog's default logger (see logging.h).
  void Debug() const;
  void Info() const;
  void Warn() const;
  void Error() const;

 private:
  LogLine& AddSigned(absl::string_view key, int64_t value);
  LogLine& AddUnsigned(absl::string_view key, uint64_t value);

  std::string text_;
};

// A value as a log line writes it.
std::string FormatLogValue(absl::string_view value);

}  // namespace autopxe
