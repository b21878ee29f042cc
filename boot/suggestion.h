#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace autopxe {

// The candidates that someone who wrote `word` most likely meant, the closest first and equally
// close ones in their own order; `at_most` of them, and none that differs in more than about a
// third of the word. A missing, an added, a wrong or two swapped characters count one each; letter
// case counts nothing.
std::vector<std::string> Suggest(absl::string_view word, absl::Span<const std::string> candidates,
                                 size_t at_most);

}  // namespace autopxe
