#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bench/reference.h"

namespace autopxe::bench {

// One answer to a GET by HTTP/1.1, as it comes in pieces. It must be a 200 with a Content-Length,
// as a file's is, and bring the reference.
class HttpResponse {
 public:
  // `reference` must outlive it.
  explicit HttpResponse(const Reference* reference) : reference_(reference) {}

  // Takes the next bytes of the connection. Returns how many of them were of this answer: fewer
  // than all of them only if it is done.
  // Errors: DATA_LOSS, UNIMPLEMENTED; the connection is of no more use.
  absl::StatusOr<size_t> Take(absl::string_view bytes);

  // Nothing of it has come yet.
  bool is_fresh() const { return head_.empty() && !has_head_; }
  bool is_done() const { return has_head_ && bytes_ == size_; }
  // REQUIRES: is_done(). Whether another request may follow on the connection.
  bool keeps_connection() const { return keeps_connection_; }
  uint64_t bytes() const { return bytes_; }

 private:
  absl::Status ParseHead();

  const Reference* const reference_;
  std::string head_;  // While it is not whole.
  bool has_head_ = false;
  bool keeps_connection_ = true;
  uint64_t size_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace autopxe::bench
