#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe {

// Where a host fetches a file of a declared distro: below the agent's folder of files, or at a URL
// of some other server. A value: ordered by its text, never invalid.
class BootFile {
 public:
  // Accepts
  //   - "memtest/mt86plus": a path below the folder of files, of 1 to 256 printable ASCII
  //   characters without blanks,
  //     '\\', '%', '"', '$', '{', '}', and without a part that is empty or begins with '.';
  //   - "http://", "https://" or "tftp://", a server, and what else RFC 3986 allows in a URI, up to
  //     1,024 characters, without user information or a fragment.
  // Errors: INVALID_ARGUMENT, naming the text and what is wrong with it.
  static absl::StatusOr<BootFile> Parse(absl::string_view text);

  // As it was parsed: a path without a leading '/', or a URL.
  const std::string& text() const { return text_; }
  bool is_url() const { return is_url_; }

  friend auto operator<=>(const BootFile&, const BootFile&) = default;

 private:
  BootFile(std::string text, bool is_url) : text_(std::move(text)), is_url_(is_url) {}

  std::string text_;
  bool is_url_;
};

}  // namespace autopxe
