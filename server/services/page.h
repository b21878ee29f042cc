#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe::server {

// A page ends early rather than outgrow the 4 MiB that clients take of one message: an agent may
// have many problems, a distro may be offered by a thousand agents.
inline constexpr size_t kMaxPageBytes = 2 << 20;

// Which part of a list a request asks for.
struct Page {
  size_t size;        // 1 at least.
  std::string after;  // The last one of the page before; empty for the first page.

  // Whether a response that holds `items` with together `bytes` on the wire takes no more.
  bool IsFull(size_t items, size_t bytes) const { return items >= size || bytes > kMaxPageBytes; }
};

// `list` names the list that the token must be of.
// Errors: INVALID_ARGUMENT: a size below 0, or a token that FormatPageToken did not give for this
// list.
absl::StatusOr<Page> ParsePage(absl::string_view list, int32_t page_size,
                               absl::string_view page_token);

// The token that asks for what follows `last`. Callers are not to look into it.
std::string FormatPageToken(absl::string_view list, absl::string_view last);

}  // namespace autopxe::server
