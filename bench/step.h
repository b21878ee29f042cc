#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/ip_endpoint.h"

namespace autopxe::bench {

enum class Scheme { kTftp, kHttp };

// One file that each host fetches. `{mac}` and `{mac-colons}` in the path, and in the reference if
// they are in the path, stand for the host's own: "525400000007", "52:54:00:00:00:07".
struct Step {
  Scheme scheme;
  IpEndpoint server;
  std::string path;  // Without a '/' at its beginning.
  bool has_reference = false;
  std::string reference;

  bool is_the_same_for_all() const;
};

// "tftp://127.0.0.1:69/ipxe.efi", "http://[::1]:8080/autopxe-{mac}". The address is a number, and
// the port is never left out.
// Errors: INVALID_ARGUMENT, naming the text.
absl::StatusOr<Step> ParseStep(absl::string_view url);

// `text` with the MACs of a host by its number.
std::string ForHost(absl::string_view text, uint32_t host);

}  // namespace autopxe::bench
