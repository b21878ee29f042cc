#include "ctl/json_text.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/util/json_util.h"

namespace autopxe::ctl {
namespace {

// One code point of well-formed UTF-8 at `*position`, which moves behind it: protobuf's strings are
// never anything else.
uint32_t TakeCodePoint(const std::string& text, size_t* position) {
  const uint8_t first = static_cast<uint8_t>(text[(*position)++]);
  const int following = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  uint32_t code_point = first & (0x3f >> following);
  for (int i = 0; i < following && *position < text.size(); ++i) {
    code_point = code_point << 6 | (static_cast<uint8_t>(text[(*position)++]) & 0x3f);
  }
  return code_point;
}

// Outside strings JSON is ASCII, so this touches strings only.
std::string EscapeNonAscii(const std::string& json) {
  std::string result;
  result.reserve(json.size());
  for (size_t i = 0; i < json.size();) {
    if (static_cast<uint8_t>(json[i]) == 0x7f) {
      result += "\\u007f";
      ++i;
      continue;
    }
    if (static_cast<uint8_t>(json[i]) < 0x80) {
      result += json[i++];
      continue;
    }
    const uint32_t code_point = TakeCodePoint(json, &i);
    if (code_point < 0x10000) {
      absl::StrAppendFormat(&result, "\\u%04x", code_point);
    } else {
      // RFC 8259, section 7: beyond the basic plane, a surrogate pair.
      absl::StrAppendFormat(&result, "\\u%04x\\u%04x", 0xd800 + ((code_point - 0x10000) >> 10),
                            0xdc00 + ((code_point - 0x10000) & 0x3ff));
    }
  }
  return result;
}

}  // namespace

absl::StatusOr<std::string> JsonText(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) {
    return absl::InternalError(absl::StrCat("the answer has no JSON form: ", status.ToString()));
  }
  std::string text = EscapeNonAscii(json);
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

}  // namespace autopxe::ctl
