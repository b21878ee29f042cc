#include "bench/http_response.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/status_macros.h"

namespace autopxe::bench {
namespace {

constexpr absl::string_view kHeadEnd = "\r\n\r\n";
constexpr size_t kMaxHeadBytes = 64 << 10;

}  // namespace

absl::StatusOr<size_t> HttpResponse::Take(absl::string_view bytes) {
  size_t taken = 0;
  if (!has_head_) {
    const size_t before = head_.size();
    absl::StrAppend(&head_, bytes.substr(0, kMaxHeadBytes));
    // Its end may have come in two pieces.
    const size_t end =
        head_.find(kHeadEnd.data(), before < kHeadEnd.size() ? 0 : before - kHeadEnd.size() + 1);
    if (end == std::string::npos) {
      if (head_.size() > kMaxHeadBytes) return absl::DataLossError("a head without an end");
      return bytes.size();
    }
    taken = end + kHeadEnd.size() - before;
    head_.resize(end);
    RETURN_IF_ERROR(ParseHead());
    has_head_ = true;
    bytes.remove_prefix(taken);
  }
  const absl::string_view body = bytes.substr(0, std::min<uint64_t>(bytes.size(), size_ - bytes_));
  if (!reference_->Matches(bytes_, body)) {
    return absl::DataLossError(
        absl::StrCat("differs from the reference within ", body.size(), " bytes from ", bytes_));
  }
  bytes_ += body.size();
  return taken + body.size();
}

absl::Status HttpResponse::ParseHead() {
  bool has_size = false;
  bool is_first = true;
  for (const absl::string_view line : absl::StrSplit(head_, "\r\n")) {
    if (is_first) {
      if (!absl::StartsWith(line, "HTTP/1.1 200 ")) {
        return absl::DataLossError(absl::StrCat("answered ", line));
      }
      is_first = false;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) return absl::DataLossError("a field without a colon");
    const absl::string_view name = line.substr(0, colon);
    const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
    if (absl::EqualsIgnoreCase(name, "Content-Length")) {
      has_size = absl::SimpleAtoi(value, &size_);
    } else if (absl::EqualsIgnoreCase(name, "Connection")) {
      keeps_connection_ = !absl::EqualsIgnoreCase(value, "close");
    } else if (absl::EqualsIgnoreCase(name, "Transfer-Encoding")) {
      return absl::UnimplementedError(absl::StrCat("transfer encoding ", value));
    }
  }
  if (!has_size) return absl::UnimplementedError("an answer without a Content-Length");
  if (!reference_->IsWhole(size_)) {
    return absl::DataLossError(absl::StrCat(size_, " bytes are not as many as the reference has"));
  }
  return absl::OkStatus();
}

}  // namespace autopxe::bench
