#include "agent/http/request_fields.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"

namespace autopxe::agent {
namespace {

// RFC 9110, section 5.6.2.
bool IsToken(absl::string_view text) {
  constexpr absl::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           kOthers.find(c) != absl::string_view::npos;
  });
}

// RFC 9110, section 5.5.
bool IsControl(char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t'; }

}  // namespace

void RequestFields::Add(absl::string_view name, absl::string_view value) {
  fields_.emplace_back(name, value);
}

absl::Status RequestFields::Check() const {
  int hosts = 0;
  int lengths = 0;
  for (const auto& [name, value] : fields_) {
    if (!IsToken(name)) {
      return absl::InvalidArgumentError(absl::StrCat("field ", Quote(name), ": not a name"));
    }
    if (std::any_of(value.begin(), value.end(), IsControl)) {
      return absl::InvalidArgumentError(
          absl::StrCat("field ", Quote(name), ": a control character in ", Quote(value)));
    }
    if (absl::EqualsIgnoreCase(name, "Host") && ++hosts > 1) {
      return absl::InvalidArgumentError("field \"Host\": twice");
    }
    if (absl::EqualsIgnoreCase(name, "Transfer-Encoding") ||
        (absl::EqualsIgnoreCase(name, "Content-Length") && (value != "0" || ++lengths > 1))) {
      return absl::InvalidArgumentError("a request has no body here");
    }
  }
  return absl::OkStatus();
}

absl::optional<std::string> RequestFields::Find(absl::string_view name) const {
  absl::optional<std::string> found;
  for (const auto& [key, value] : fields_) {
    if (!absl::EqualsIgnoreCase(key, name)) continue;
    found = found.has_value() ? absl::StrCat(*found, ", ", value) : std::string(value);
  }
  return found;
}

}  // namespace autopxe::agent
