#include "common/runtime/log_line.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spdlog/spdlog.h"

namespace autopxe {
namespace {

constexpr size_t kMaxValue = 1024;

// What stands in a value as it is. A table: each request logs some hundred characters.
class Plain {
 public:
  constexpr Plain() {
    for (unsigned char c = '!'; c <= '~'; ++c) is_[c] = c != '"' && c != '=' && c != '\\';
  }

  constexpr bool operator()(char c) const { return is_[static_cast<unsigned char>(c)]; }

 private:
  bool is_[256] = {};
};

constexpr Plain kIsPlain;

void Write(spdlog::level::level_enum level, const std::string& text) {
  spdlog::default_logger_raw()->log(level, spdlog::string_view_t(text.data(), text.size()));
}

void AppendValue(std::string& text, absl::string_view value) {
  const bool cut = value.size() > kMaxValue;
  if (cut) value = value.substr(0, kMaxValue);
  if (!value.empty() && std::all_of(value.begin(), value.end(), kIsPlain)) {
    text.append(value.data(), value.size());
  } else {
    text += '"';
    for (char c : value) {
      if (c == '"' || c == '\\') {
        text += {'\\', c};
      } else if (absl::ascii_isprint(static_cast<unsigned char>(c))) {
        text += c;
      } else {
        absl::StrAppendFormat(&text, "\\x%02x", static_cast<unsigned char>(c));
      }
    }
    text += '"';
  }
  if (cut) text += "...";
}

}  // namespace

std::string FormatLogValue(absl::string_view value) {
  std::string text;
  AppendValue(text, value);
  return text;
}

LogLine::LogLine(absl::string_view event) {
  // Most lines are no longer: an agent writes one for each request.
  text_.reserve(256);
  absl::StrAppend(&text_, "event=", event);
}

LogLine& LogLine::Add(absl::string_view key, absl::string_view value) {
  absl::StrAppend(&text_, " ", key, "=");
  AppendValue(text_, value);
  return *this;
}

LogLine& LogLine::Add(absl::string_view key, const std::string& value) {
  return Add(key, absl::string_view(value));
}

LogLine& LogLine::Add(absl::string_view key, const char* value) {
  return Add(key, absl::string_view(value));
}

LogLine& LogLine::Add(absl::string_view key, bool value) {
  absl::StrAppend(&text_, " ", key, "=", value ? "true" : "false");
  return *this;
}

LogLine& LogLine::Add(absl::string_view key, absl::Duration value) {
  absl::StrAppendFormat(&text_, " %s=%.3f", key, absl::ToDoubleSeconds(value));
  return *this;
}

LogLine& LogLine::AddSigned(absl::string_view key, int64_t value) {
  absl::StrAppend(&text_, " ", key, "=", value);
  return *this;
}

LogLine& LogLine::AddUnsigned(absl::string_view key, uint64_t value) {
  absl::StrAppend(&text_, " ", key, "=", value);
  return *this;
}

void LogLine::Debug() const { Write(spdlog::level::debug, text_); }
void LogLine::Info() const { Write(spdlog::level::info, text_); }
void LogLine::Warn() const { Write(spdlog::level::warn, text_); }
void LogLine::Error() const { Write(spdlog::level::err, text_); }

}  // namespace autopxe
