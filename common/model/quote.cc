#include "common/model/quote.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace autopxe {

std::string Quote(absl::string_view text) {
  constexpr size_t kShown = 128;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShown)), "\"",
                      text.size() > kShown ? "..." : "");
}

}  // namespace autopxe
