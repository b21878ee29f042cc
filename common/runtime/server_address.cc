#include "common/runtime/server_address.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/model/ip_endpoint.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

absl::Status Refused(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "server address ", Quote(text), ": expected host:port, such as autopxe.example.net:",
      kServerPort, " or [fd00::1]:", kServerPort));
}

// A name (RFC 1123, section 2.1) or an IPv4 address; which of the two, the resolver sees.
bool IsHost(absl::string_view host) {
  if (host.empty() || host.size() > 253 || host.front() == '-' || host.front() == '.') return false;
  for (const char c : host) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> ParseServerAddress(absl::string_view text) {
  absl::string_view host = text;
  absl::string_view port_text;
  bool has_port = false;
  if (absl::StartsWith(text, "[")) {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos) return Refused(text);
    host = text.substr(0, end + 1);
    const absl::StatusOr<IpAddress> address = IpAddress::Parse(text.substr(1, end - 1));
    if (!address.ok() || address->is_v4()) return Refused(text);
    const absl::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return Refused(text);
    has_port = !rest.empty();
    if (has_port) port_text = rest.substr(1);
  } else {
    const size_t colon = text.find(':');
    has_port = colon != absl::string_view::npos;
    if (has_port) {
      host = text.substr(0, colon);
      port_text = text.substr(colon + 1);
    }
    if (!IsHost(host)) return Refused(text);
  }
  int port = kServerPort;
  if (has_port) {
    for (const char c : port_text) {
      if (!absl::ascii_isdigit(c)) return Refused(text);
    }
    if (!absl::SimpleAtoi(port_text, &port) || port < 1 || port > 65535) return Refused(text);
  }
  return absl::StrCat(host, ":", port);
}

}  // namespace autopxe
