#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace autopxe::bench {

// The bytes that a transfer is to bring, or none if they are not known.
class Reference {
 public:
  Reference() = default;
  explicit Reference(std::string bytes) : bytes_(std::move(bytes)) {}

  // Whether `part` may stand at `offset`.
  bool Matches(uint64_t offset, absl::string_view part) const {
    return !bytes_.has_value() || (offset <= bytes_->size() &&
                                   absl::string_view(*bytes_).substr(offset, part.size()) == part);
  }

  // Whether that is all of it.
  bool IsWhole(uint64_t size) const { return !bytes_.has_value() || bytes_->size() == size; }

  const absl::optional<std::string>& bytes() const { return bytes_; }

 private:
  absl::optional<std::string> bytes_;
};

}  // namespace autopxe::bench
