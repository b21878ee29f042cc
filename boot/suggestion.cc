#include "boot/suggestion.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"

namespace autopxe {
namespace {

// Longer words are no typing mistakes; this bounds the cost.
constexpr size_t kMaxWord = 512;
constexpr size_t kMaxDistance = 8;

size_t Limit(absl::string_view word) {
  return std::clamp<size_t>(word.size() / 3, 1, kMaxDistance);
}

// The number of edits from `a` to `b` (optimal string alignment), or `limit` + 1 if they are more
// than `limit`. `rows` are three rows of the table, kept from call to call. Only cells within
// `limit` of the diagonal can matter.
size_t Distance(absl::string_view a, absl::string_view b, size_t limit,
                std::vector<size_t> (&rows)[3]) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  const size_t infinite = limit + 1;
  for (auto& row : rows) row.assign(b.size() + 1, infinite);
  for (size_t j = 0; j <= std::min(b.size(), limit); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    const std::vector<size_t>& before = rows[(i + 1) % 3];  // Row i - 2.
    const std::vector<size_t>& above = rows[(i + 2) % 3];   // Row i - 1.
    std::vector<size_t>& row = rows[i % 3];
    std::fill(row.begin(), row.end(), infinite);
    if (i <= limit) row[0] = i;
    size_t best = row[0];
    const size_t last = std::min(b.size(), i + limit);
    for (size_t j = i > limit ? i - limit : 1; j <= last; ++j) {
      size_t edits = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      edits = std::min({edits, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        edits = std::min(edits, before[j - 2] + 1);
      }
      row[j] = std::min(edits, infinite);
      best = std::min(best, row[j]);
    }
    if (best > limit) {
      // A swap could still come from the row above; it costs one more than a cell there.
      const size_t best_above = *std::min_element(above.begin(), above.end());
      if (best_above + 1 > limit) return infinite;
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

std::vector<std::string> Suggest(absl::string_view word, absl::Span<const std::string> candidates,
                                 size_t at_most) {
  if (word.empty() || word.size() > kMaxWord) return {};
  const std::string lower = absl::AsciiStrToLower(word);
  const size_t limit = Limit(word);
  std::vector<std::pair<size_t, const std::string*>> found;
  std::vector<size_t> rows[3];
  for (const std::string& candidate : candidates) {
    const size_t distance = Distance(lower, absl::AsciiStrToLower(candidate), limit, rows);
    if (distance <= limit) found.emplace_back(distance, &candidate);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> suggestions;
  for (const auto& [distance, candidate] : found) {
    if (suggestions.size() == at_most) break;
    suggestions.push_back(*candidate);
  }
  return suggestions;
}

}  // namespace autopxe
