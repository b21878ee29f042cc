#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"

namespace autopxe::agent {

// Part of a content. `length` is 1 at least.
struct ByteRange {
  uint64_t first;
  uint64_t length;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// The field is to be ignored.
struct WholeContent {
  friend bool operator==(const WholeContent&, const WholeContent&) = default;
};

// 416.
struct UnsatisfiableRange {
  friend bool operator==(const UnsatisfiableRange&, const UnsatisfiableRange&) = default;
};

using RequestedRange = std::variant<WholeContent, ByteRange, UnsatisfiableRange>;

// What a Range field asks of a content of `size` bytes (RFC 9110, section 14.2): one range of
// bytes, cut at the end of the content. A field that is malformed, reversed ("9-5"), of another
// unit, or that asks for several ranges means the whole; section 14.2 allows a server that.
RequestedRange ParseRange(absl::string_view field, uint64_t size);

// The Content-Range field: "bytes 0-499/1234".
std::string FormatContentRange(const ByteRange& range, uint64_t size);

// The one of a 416: "bytes */1234".
std::string FormatUnsatisfiedRange(uint64_t size);

}  // namespace autopxe::agent
