#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe {

// Where autopxe-server listens unless it is told otherwise.
inline constexpr int kServerPort = 7766;

// How agents and autopxectl are told where the server is: "autopxe.example.net:7766",
// "10.77.1.1:7766", "[fd00::1]:7766"; without a port, kServerPort. Returns "host:port", IPv6 in
// brackets. Errors: INVALID_ARGUMENT, naming the text and what is expected.
absl::StatusOr<std::string> ParseServerAddress(absl::string_view text);

}  // namespace autopxe
