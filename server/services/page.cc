#include "server/services/page.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/model/quote.h"

namespace autopxe::server {
namespace {

constexpr int32_t kDefaultSize = 100;
constexpr int32_t kMaxSize = 1000;

}  // namespace

absl::StatusOr<Page> ParsePage(absl::string_view list, int32_t page_size,
                               absl::string_view page_token) {
  if (page_size < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size: ", page_size, ": expected 0 or more"));
  }
  Page page;
  page.size = static_cast<size_t>(page_size == 0 ? kDefaultSize : std::min(page_size, kMaxSize));
  if (page_token.empty()) return page;
  std::string text;
  absl::string_view after;
  const std::string prefix = absl::StrCat(list, ":");
  if (absl::WebSafeBase64Unescape(page_token, &text)) {
    after = text;
    if (absl::ConsumePrefix(&after, prefix) && !after.empty()) {
      page.after = std::string(after);
      return page;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("page_token: ", Quote(page_token), ": not a next_page_token of this list"));
}

std::string FormatPageToken(absl::string_view list, absl::string_view last) {
  return absl::WebSafeBase64Escape(absl::StrCat(list, ":", last));
}

}  // namespace autopxe::server
