#include "ctl/difference_fold.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/hostlist.h"

namespace autopxe::ctl {
namespace {

constexpr char kHost[] = "host";
constexpr char kVarious[] = "(various)";
constexpr char kEmpty[] = "(empty)";

// A line is to be read at one glance; who needs every name asks for JSON.
constexpr size_t kMaxNamesLength = 400;

std::string SubjectOf(const std::string& kind, std::vector<std::string> names) {
  if (names.size() > 1) {
    const size_t count = names.size();
    return absl::StrCat(count, " ", kind, "s ",
                        Hostlist::Of(std::move(names)).FormatShort(kMaxNamesLength));
  }
  return absl::StrCat(kind, names.front().empty() ? "" : " ", names.front());
}

std::string TextOf(bool has, const std::string& value) {
  return has && value.empty() ? kEmpty : value;
}

// One line to be.
struct Line {
  std::string kind;
  std::string field;
  std::vector<std::string> names;
  std::string before;
  std::string after;
};

using Key = std::pair<std::string, std::string>;

// `line`'s part that hosts must have alike to be one line, the wider the higher the level.
Key KeyOf(const Line& line, int level) {
  const auto presence = [](const std::string& text) { return text.empty() ? "" : kVarious; };
  switch (level) {
    case 0:
      return {line.before, line.after};
    case 1:
      return {presence(line.before), line.after};
    case 2:
      return {line.before, presence(line.after)};
    default:
      return {presence(line.before), presence(line.after)};
  }
}

// How wide `lines`, all of one field, are to be folded.
int LevelOf(const std::vector<Line*>& lines, size_t max_lines) {
  constexpr int kWidest = 3;
  for (int level = 0; level < kWidest; ++level) {
    std::set<Key> keys;
    for (const Line* line : lines) {
      keys.insert(KeyOf(*line, level));
      if (keys.size() > max_lines) break;
    }
    if (keys.size() <= max_lines) return level;
  }
  return kWidest;
}

// Takes what `other` says into `line`.
void Merge(Line&& other, Line& line) {
  line.names.insert(line.names.end(), std::make_move_iterator(other.names.begin()),
                    std::make_move_iterator(other.names.end()));
  if (line.before != other.before) line.before = kVarious;
  if (line.after != other.after) line.after = kVarious;
}

}  // namespace

std::vector<FoldedDifference> FoldDifferences(
    const google::protobuf::RepeatedPtrField<v1::Difference>& differences, size_t max_lines) {
  std::vector<Line> lines;
  std::map<std::string, std::map<Key, size_t>> hosts;  // In lines, by field and key.
  for (const v1::Difference& difference : differences) {
    Line line{.kind = difference.kind(),
              .field = difference.field(),
              .names = {difference.name()},
              .before = TextOf(difference.has_before(), difference.before()),
              .after = TextOf(difference.has_after(), difference.after())};
    if (line.kind == kHost) {
      const auto [found, is_new] = hosts[line.field].try_emplace(KeyOf(line, 0), lines.size());
      if (!is_new) {
        Merge(std::move(line), lines[found->second]);
        continue;
      }
    }
    lines.push_back(std::move(line));
  }
  for (const auto& [field, by_key] : hosts) {
    if (by_key.size() <= max_lines) continue;
    std::set<size_t> places;  // So that lines stay in their order.
    for (const auto& [key, place] : by_key) places.insert(place);
    std::vector<Line*> of_field;
    for (const size_t place : places) of_field.push_back(&lines[place]);
    const int level = LevelOf(of_field, max_lines);
    std::map<Key, Line*> wider;
    for (Line* line : of_field) {
      const auto [found, is_new] = wider.try_emplace(KeyOf(*line, level), line);
      if (is_new) continue;
      Merge(std::move(*line), *found->second);
      line->names.clear();  // Told by the other.
    }
  }
  std::vector<FoldedDifference> folded;
  folded.reserve(lines.size());
  for (Line& line : lines) {
    if (line.names.empty()) continue;
    folded.push_back({SubjectOf(line.kind, std::move(line.names)), std::move(line.field),
                      std::move(line.before), std::move(line.after)});
  }
  return folded;
}

}  // namespace autopxe::ctl
