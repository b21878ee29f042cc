#include "ctl/difference_fold.h"

#include <cstddef>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/hostlist.h"

namespace autopxe::ctl {
namespace {

constexpr char kHost[] = "host";

std::string SubjectOf(const std::string& kind, std::vector<std::string> names) {
  if (names.size() > 1) {
    const size_t count = names.size();
    return absl::StrCat(count, " ", kind, "s ", Hostlist::Of(std::move(names)).Format());
  }
  return absl::StrCat(kind, names.front().empty() ? "" : " ", names.front());
}

}  // namespace

std::vector<FoldedDifference> FoldDifferences(
    const google::protobuf::RepeatedPtrField<v1::Difference>& differences) {
  struct Group {
    const v1::Difference* first;
    std::vector<std::string> names;
  };
  std::vector<Group> groups;
  std::map<std::tuple<std::string, std::string, std::string>, size_t> groups_of_hosts;
  for (const v1::Difference& difference : differences) {
    if (difference.kind() == kHost) {
      const auto [found, is_new] = groups_of_hosts.try_emplace(
          {difference.field(), difference.before(), difference.after()}, groups.size());
      if (!is_new) {
        groups[found->second].names.push_back(difference.name());
        continue;
      }
    }
    groups.push_back({&difference, {difference.name()}});
  }
  std::vector<FoldedDifference> folded;
  folded.reserve(groups.size());
  for (Group& group : groups) {
    folded.push_back({SubjectOf(group.first->kind(), std::move(group.names)), group.first->field(),
                      group.first->before(), group.first->after()});
  }
  return folded;
}

}  // namespace autopxe::ctl
