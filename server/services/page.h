#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe::server {

// Which part of a list a request asks for.
struct Page {
  size_t size;
  std::string after;  // The last one of the page before; empty for the first page.
};

// `list` names the list that the token must be of.
// Errors: INVALID_ARGUMENT: a size below 0, or a token that FormatPageToken did not give for this
// list.
absl::StatusOr<Page> ParsePage(absl::string_view list, int32_t page_size,
                               absl::string_view page_token);

// The token that asks for what follows `last`. Callers are not to look into it.
std::string FormatPageToken(absl::string_view list, absl::string_view last);

}  // namespace autopxe::server
