#include "ctl/yaml_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "common/status/status_macros.h"
#include "ctl/json_text.h"
#include "yaml-cpp/yaml.h"

namespace autopxe::ctl {
namespace {

// Words that a YAML 1.1 reader takes for something else than text.
bool IsReserved(absl::string_view text) {
  static constexpr absl::string_view kWords[] = {"true", "false", "yes", "no", "on",
                                                 "off",  "null",  "y",   "n"};
  const std::string lower = absl::AsciiStrToLower(text);
  for (const absl::string_view word : kWords) {
    if (lower == word) return true;
  }
  return false;
}

// Text that needs no quotes whatever stands around it.
bool IsPlain(absl::string_view text) {
  if (text.empty() || !absl::ascii_isalpha(text.front()) || IsReserved(text)) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '-' && c != '.' && c != '/') return false;
  }
  return true;
}

std::string Quote(absl::string_view text) {
  if (IsPlain(text)) return std::string(text);
  std::string result = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += static_cast<char>(c);
    } else if (c >= ' ' && c <= '~') {
      result += static_cast<char>(c);
    } else if (c < 0x80) {
      absl::StrAppendFormat(&result, "\\x%02x", c);
    } else {
      // `\x` names a code point, not a byte.
      const int following = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
      unsigned code_point = c & (0x3f >> following);
      for (int k = 0; k < following && i + 1 < text.size(); ++k) {
        code_point = code_point << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f);
      }
      absl::StrAppendFormat(&result, "\\U%08x", code_point);
    }
  }
  return result + '"';
}

// yaml-cpp tags what stood in quotes "!": text, whatever it looks like.
std::string Scalar(const YAML::Node& node) {
  if (node.IsNull()) return "null";
  return node.Tag() == "!" ? Quote(node.Scalar()) : node.Scalar();
}

bool IsBlock(const YAML::Node& node) {
  return (node.IsMap() || node.IsSequence()) && node.size() > 0;
}

void Append(const YAML::Node& node, int indent, bool within_item, std::string* text);

// What follows "key:" or "-".
void AppendValue(const YAML::Node& value, int indent, bool is_item, std::string* text) {
  if (IsBlock(value)) {
    *text += is_item ? " " : "\n";
    Append(value, indent, is_item, text);
  } else if (value.IsMap()) {
    *text += " {}\n";
  } else if (value.IsSequence()) {
    *text += " []\n";
  } else {
    *text += ' ';
    *text += Scalar(value);
    *text += '\n';
  }
}

// `within_item`: the first line already has its indentation, which is that of "- ".
void Append(const YAML::Node& node, int indent, bool within_item, std::string* text) {
  bool first = true;
  for (const auto& child : node) {
    if (!(first && within_item)) text->append(indent, ' ');
    first = false;
    if (node.IsMap()) {
      *text += Quote(child.first.Scalar()) + ":";
      AppendValue(child.second, indent + 2, false, text);
    } else {
      *text += "-";
      AppendValue(child, indent + 2, true, text);
    }
  }
}

// JSON writes what is beyond the basic plane as two escapes of UTF-16 (RFC 8259, section 7), which
// yaml-cpp refuses; YAML has one of 32 bits.
std::string JoinSurrogates(const std::string& json) {
  // The number of a `\uXXXX` at `position`; -1 if there is none.
  const auto unit_at = [&json](size_t position) {
    uint32_t unit = 0;
    const absl::string_view escape =
        absl::string_view(json).substr(std::min(position, json.size()), 6);
    if (escape.size() < 6 || !absl::StartsWith(escape, "\\u")) return int64_t{-1};
    return absl::SimpleHexAtoi(escape.substr(2), &unit) ? int64_t{unit} : int64_t{-1};
  };
  std::string result;
  result.reserve(json.size());
  for (size_t i = 0; i < json.size();) {
    const int64_t high = unit_at(i);
    const int64_t low = high >= 0xd800 && high < 0xdc00 ? unit_at(i + 6) : -1;
    if (low >= 0xdc00 && low < 0xe000) {
      absl::StrAppendFormat(&result, "\\U%08x", 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
      i += 12;
    } else if (json[i] == '\\' && i + 1 < json.size()) {
      result.append(json, i, 2);  // What is escaped is no backslash of another escape.
      i += 2;
    } else {
      result += json[i++];
    }
  }
  return result;
}

}  // namespace

absl::StatusOr<std::string> YamlText(const google::protobuf::Message& message) {
  ASSIGN_OR_RETURN(const std::string json, JsonText(message));
  YAML::Node root;
  try {
    root = YAML::Load(JoinSurrogates(json));
  } catch (const YAML::Exception& e) {
    return absl::InternalError(absl::StrCat("the answer has no YAML form: ", e.what()));
  }
  if (!IsBlock(root)) return "{}\n";
  std::string text;
  Append(root, 0, false, &text);
  return text;
}

}  // namespace autopxe::ctl
