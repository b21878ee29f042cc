#include "common/model/name.h"

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

constexpr size_t kMaxSimpleName = 64;
constexpr size_t kMaxHostName = 253;
constexpr size_t kMaxHostLabel = 63;
constexpr size_t kMaxValue = 1024;
constexpr size_t kMaxPath = 512;

absl::Status Malformed(absl::string_view noun, absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(noun, " ", Quote(text), ": ", what));
}

bool IsPrintableAscii(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

absl::Status CheckSimpleName(absl::string_view noun, absl::string_view text) {
  bool valid = !text.empty() && text.size() <= kMaxSimpleName &&
               absl::ascii_isalnum(static_cast<unsigned char>(text[0]));
  for (size_t i = 0; valid && i < text.size(); ++i) {
    valid = absl::ascii_isalnum(static_cast<unsigned char>(text[i])) ||
            absl::string_view("._-").find(text[i]) != absl::string_view::npos;
  }
  if (valid) return absl::OkStatus();
  return Malformed(
      noun, text, "expected 1 to 64 letters, digits, '.', '_', '-', the first a letter or a digit");
}

bool IsHostLabel(absl::string_view label) {
  if (label.empty() || label.size() > kMaxHostLabel) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  for (const char c : label) {
    const auto u = static_cast<unsigned char>(c);
    if (!absl::ascii_islower(u) && !absl::ascii_isdigit(u) && c != '-') return false;
  }
  return true;
}

}  // namespace

absl::Status ProfileNameRule::Check(absl::string_view text) {
  return CheckSimpleName("profile name", text);
}

absl::Status VariableNameRule::Check(absl::string_view text) {
  return CheckSimpleName("variable name", text);
}

absl::Status AgentIdRule::Check(absl::string_view text) {
  return CheckSimpleName("agent id", text);
}

absl::Status GroupNameRule::Check(absl::string_view text) {
  return CheckSimpleName("group name", text);
}

absl::Status DistroNameRule::Check(absl::string_view text) {
  for (const absl::string_view built_in : {"local", "menu", "wait", "ignore"}) {
    if (absl::EqualsIgnoreCase(text, built_in)) {
      return Malformed("distro name", text,
                       absl::StrCat("taken by the built-in distro ", built_in));
    }
  }
  return CheckSimpleName("distro name", text);
}

absl::Status AgentInstanceRule::Check(absl::string_view text) {
  return CheckSimpleName("agent instance", text);
}

absl::Status HostNameRule::Check(absl::string_view text) {
  if (MacAddress::Resembles(text)) {
    const absl::StatusOr<MacAddress> mac = MacAddress::Parse(text);
    if (!mac.ok()) return mac.status();
    if (mac->Format() == text) return absl::OkStatus();
    return Malformed("host name", text,
                     absl::StrCat("a host named by its MAC is written ", mac->Format()));
  }
  bool valid = !text.empty() && text.size() <= kMaxHostName;
  if (valid) {
    for (const absl::string_view label : absl::StrSplit(text, '.')) {
      valid = valid && IsHostLabel(label);
    }
  }
  if (valid) return absl::OkStatus();
  return Malformed("host name", text,
                   "expected labels of lower-case letters, digits and inner '-', 63 characters at "
                   "most, joined by dots, 253 in all; or a MAC");
}

HostName NameByMac(const MacAddress& mac) { return HostName::Parse(mac.Format()).value(); }

absl::StatusOr<HostReference> ParseHostReference(absl::string_view text) {
  if (MacAddress::Resembles(text)) {
    absl::StatusOr<MacAddress> mac = MacAddress::Parse(text);
    if (!mac.ok()) return mac.status();
    return HostReference(*mac);
  }
  absl::StatusOr<HostName> name =
      HostName::Parse(absl::AsciiStrToLower(text.substr(0, kMaxHostName + 1)));
  if (!name.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("host ", Quote(text),
                     ": neither a MAC such as 52:54:00:12:34:56 nor a name (labels of letters, "
                     "digits and inner '-', joined by dots)"));
  }
  return HostReference(*std::move(name));
}

std::string FormatHostReference(const HostReference& reference) {
  if (const auto* mac = std::get_if<MacAddress>(&reference)) return mac->Format();
  return std::get<HostName>(reference).text();
}

absl::Status VariableValueRule::Check(absl::string_view text) {
  constexpr absl::string_view kNoun = "variable value";
  if (text.size() > kMaxValue) {
    return Malformed(kNoun, text,
                     absl::StrCat("expected 1,024 characters at most, got ", text.size()));
  }
  if (!IsPrintableAscii(text)) return Malformed(kNoun, text, "expected printable ASCII only");
  if (absl::StrContains(text, "${")) {
    return Malformed(kNoun, text, "\"${\" is not allowed, since a value is not expanded");
  }
  return absl::OkStatus();
}

absl::Status NoteRule::Check(absl::string_view text) {
  constexpr absl::string_view kNoun = "note";
  if (text.size() > kMaxValue) {
    return Malformed(kNoun, text,
                     absl::StrCat("expected 1,024 characters at most, got ", text.size()));
  }
  if (!IsPrintableAscii(text)) return Malformed(kNoun, text, "expected printable ASCII only");
  return absl::OkStatus();
}

absl::Status RootfsPathPrefixRule::Check(absl::string_view text) {
  constexpr absl::string_view kNoun = "rootfs path prefix";
  if (text.size() > kMaxPath) {
    return Malformed(kNoun, text,
                     absl::StrCat("expected 512 characters at most, got ", text.size()));
  }
  if (!absl::StartsWith(text, "/")) return Malformed(kNoun, text, "expected an absolute path");
  if (!IsPrintableAscii(text) || absl::StrContains(text, ' ')) {
    return Malformed(kNoun, text, "expected printable ASCII without blanks");
  }
  if (absl::StrContains(text, "${")) return Malformed(kNoun, text, "\"${\" is not allowed");
  if (text == "/") return absl::OkStatus();
  for (const absl::string_view part : absl::StrSplit(text.substr(1), '/')) {
    if (part.empty()) return Malformed(kNoun, text, "expected neither \"//\" nor a '/' at the end");
    if (part == "..") return Malformed(kNoun, text, "\"..\" is not allowed");
  }
  return absl::OkStatus();
}

}  // namespace autopxe
