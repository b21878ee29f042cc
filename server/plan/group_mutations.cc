// The planner's part for groups.

#include <utility>

#include "absl/strings/str_cat.h"
#include "boot/suggestion.h"
#include "common/model/quote.h"
#include "server/plan/planner.h"

namespace autopxe::server {

void Planner::Take(const SetGroup& set) {
  const size_t problems_before = problems_.size();
  const std::string& name = set.name.text();
  const Group* const before = overlay_.FindGroup(set.name);
  if (before == nullptr && !set.selector.has_value()) {
    Refuse(Reason::kMalformed, "selector", "",
           absl::StrCat("group ", Quote(name), ": a new group takes a selector, such as rack=r1"));
  }
  if (before == nullptr && overlay_.group_count() >= kMaxGroups) {
    Refuse(Reason::kBatchInvalid, "name", name,
           absl::StrCat("group ", Quote(name), ": there are ", kMaxGroups,
                        " groups already, which is the most"));
  }
  if (set.priority.has_value() &&
      (*set.priority < kMinGroupPriority || *set.priority > kMaxGroupPriority)) {
    Refuse(Reason::kMalformed, "priority", absl::StrCat(*set.priority),
           absl::StrCat("group ", Quote(name), ": priority ", *set.priority, ": expected ",
                        kMinGroupPriority, " to ", kMaxGroupPriority));
  }
  if (set.distro.has_value() && set.distro->has_value()) {
    CheckDistro(distro_check_, **set.distro, set.allow_missing, "distro");
  }
  NoteVariables(set.set_variables, set.unset_variables);
  if (problems_.size() != problems_before) return;

  Group now = before != nullptr ? *before : Group{.name = set.name, .selector = *set.selector};
  if (set.selector.has_value()) {
    if (now.selector != *set.selector) {
      for (const auto& [variable, value] : now.variables) {
        lost_variables_.insert_or_assign(variable.text(),
                                         Loss{position_, "selector", set.selector->text()});
      }
    }
    now.selector = *set.selector;
  }
  if (set.priority.has_value()) now.priority = *set.priority;
  if (set.distro.has_value()) now.distro = *set.distro;
  TakeVariables(set.set_variables, set.unset_variables, absl::StrCat(" for group ", Quote(name)),
                kMaxVariablesPerGroup, nullptr, now.variables);
  if (problems_.size() != problems_before) return;
  if (set.selector.has_value()) set_selectors_.insert(set.name);
  overlay_.PutGroup(std::move(now));
}

void Planner::Take(const DeleteGroup& remove) {
  const std::string& name = remove.name.text();
  const Group* const group = overlay_.FindGroup(remove.name);
  if (group != nullptr) {
    for (const auto& [variable, value] : group->variables) {
      unset_variables_.insert_or_assign(variable.text(), Loss{position_, "name", name});
    }
    overlay_.RemoveGroup(remove.name);
    return;
  }
  std::vector<std::string> suggestions;
  if (suggestions_left_ > 0) {
    --suggestions_left_;
    suggestions = Suggest(name, overlay_.GroupNames(), kMaxSuggestions);
  }
  std::string message = absl::StrCat("group ", Quote(name), ": no such group");
  if (!suggestions.empty()) {
    absl::StrAppend(&message, "; did you mean ", Quote(suggestions.front()), "?");
  } else {
    absl::StrAppend(&message, "; see autopxectl group list");
  }
  Refuse(Reason::kGroupUnknown, "name", name, std::move(message), std::move(suggestions));
}

}  // namespace autopxe::server
