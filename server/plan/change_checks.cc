// What is refused or warned of by what all mutations of a batch come to: locks, variables that
// hosts lack, groups without hosts.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boot/resolution.h"
#include "boot/suggestion.h"
#include "common/model/quote.h"
#include "server/plan/lacked_variables.h"
#include "server/plan/planner.h"

namespace autopxe::server {
namespace {

// Of groups with hosts, to find those that match none: a moment of the write that they are part of.
constexpr size_t kMaxMatches = 5'000'000;

// The hosts that a change may let boot something else without touching them, by a default or a
// group.
class Reach {
 public:
  Reach(const Snapshot& before, const Change& change) {
    everyone_ = change.settings.has_value() &&
                change.settings->default_distro != before.settings().default_distro;
    for (const std::shared_ptr<const Group>& group : change.groups) {
      Add(before.FindGroup(group->name));
      Add(group);
    }
    for (const GroupName& name : change.deleted_groups) Add(before.FindGroup(name));
  }

  bool empty() const { return !everyone_ && groups_.empty(); }

  bool Includes(const Host& host) const {
    return everyone_ || std::any_of(groups_.begin(), groups_.end(), [&](const auto& group) {
             return group->selector.Matches(host.labels);
           });
  }

 private:
  void Add(const std::shared_ptr<const Group>& group) {
    if (group != nullptr && group->distro.has_value()) groups_.push_back(group);
  }

  bool everyone_;
  std::vector<std::shared_ptr<const Group>> groups_;  // As they were and as they are.
};

}  // namespace

void Planner::CheckLocks(const Change& change, const Snapshot& after) {
  // More would be no help to anybody.
  constexpr size_t kMaxLocked = 20;
  position_ = -1;
  const auto check = [&](const Host& before) {
    if (used_next_boots_.count(before.id) > 0) return;
    const std::string name = before.name.text();
    const std::shared_ptr<const Host> now = after.FindHost(before.id);
    const auto refuse = [&](std::string message) {
      locked_.push_back(name);
      if (problems_.size() >= kMaxLocked) return;
      Refuse(Reason::kHostLocked, "host", name, std::move(message));
    };
    if (now == nullptr) {
      return refuse(
          absl::StrCat("host ", Quote(name), ": it is locked; unlock it, or add --force"));
    }
    if (!now->locked) return;
    const Distro boots = ChooseDistro(snapshot_, nullptr, &before, now_).distro;
    const Distro would = ChooseDistro(after, nullptr, now.get(), now_).distro;
    const bool assigned =
        before.distro != now->distro || before.timed != now->timed || before.next != now->next;
    if (!assigned && boots == would) return;
    refuse(absl::StrCat("host ", Quote(name), ": it is locked to ", boots.Format(),
                        assigned && boots == would
                            ? ", and its assignments would change"
                            : absl::StrCat(" and would boot ", would.Format()),
                        "; unlock it, or add --force"));
  };
  std::map<HostName, std::shared_ptr<const Host>> locked;
  const auto add = [&](const std::shared_ptr<const Host>& host) {
    if (host != nullptr && host->locked) locked.emplace(host->name, host);
  };
  for (const HostId id : change.deleted_hosts) add(snapshot_.FindHost(id));
  for (const std::shared_ptr<const Host>& now : change.hosts) add(snapshot_.FindHost(now->id));
  if (const Reach reach(snapshot_, change); !reach.empty()) {
    snapshot_.ForEachLockedHost([&](const std::shared_ptr<const Host>& host) {
      if (reach.Includes(*host)) add(host);
    });
  }
  for (const auto& [name, host] : locked) check(*host);
}

void Planner::CheckUnsetVariables(const Snapshot& after, bool force) {
  std::set<TemplateOwner> set_owners;
  for (const auto& [owner, position] : set_owners_) set_owners.insert(owner);
  std::set<std::string> unset_variables;
  for (const auto& [variable, loss] : unset_variables_) unset_variables.insert(variable);
  for (UnsetVariable& unset :
       FindUnsetVariables(after, catalogs_, set_owners, unset_variables, now_)) {
    const auto set = set_owners_.find(unset.owner);
    if (force || !unset.reaches_nobody) {
      Warn(std::move(unset.sentence));
      continue;
    }
    if (set == set_owners_.end()) {
      if (unset.users > 0 && ReachedSomebody(unset.owner, unset.variable)) {
        RefuseLoss(unset_variables_.at(unset.variable), unset);
      } else {
        Warn(std::move(unset.sentence));
      }
      continue;
    }
    position_ = set->second;
    absl::StrAppend(&unset.sentence, "; set it first, or give it a default, ${", unset.variable,
                    ":-VALUE}, or add --force");
    Refuse(Reason::kVariableUnset, TemplateField(unset.owner),
           FindTemplate(after, unset.owner)->text(), std::move(unset.sentence));
  }
}

bool Planner::ReachedSomebody(const TemplateOwner& owner, const std::string& variable) const {
  const std::vector<UnsetVariable> before =
      FindUnsetVariables(snapshot_, catalogs_, {}, {variable}, now_);
  return std::none_of(before.begin(), before.end(), [&](const UnsetVariable& unset) {
    return unset.owner == owner && unset.reaches_nobody;
  });
}

void Planner::RefuseLoss(const Loss& loss, const UnsetVariable& unset) {
  position_ = loss.position;
  Refuse(Reason::kVariableUnset, loss.field, loss.value,
         absl::StrCat(unset.sentence, "; set it elsewhere first, or give it a default, ${",
                      unset.variable, ":-VALUE}, or add --force"));
}

void Planner::CheckLackedVariables(const Change& change, const Snapshot& after, bool force) {
  std::vector<LackedVariable> found;
  std::set<std::string> lost;
  for (LackedVariable& lacked : FindLackedVariables(snapshot_, after, change, now_)) {
    if (set_owners_.count(lacked.owner) > 0 || unset_variables_.count(lacked.variable) > 0) {
      continue;
    }
    if (!force && !lacked.hosts.empty() && lost_variables_.count(lacked.variable) > 0) {
      lost.insert(lacked.variable);
    }
    found.push_back(std::move(lacked));
  }
  std::set<std::pair<TemplateOwner, std::string>> refused;
  for (const UnsetVariable& unset : FindUnsetVariables(after, catalogs_, {}, lost, now_)) {
    const bool is_new = std::any_of(found.begin(), found.end(), [&](const LackedVariable& lacked) {
      return lacked.owner == unset.owner && lacked.variable == unset.variable;
    });
    if (!is_new || !unset.reaches_nobody || unset.users == 0 ||
        !ReachedSomebody(unset.owner, unset.variable)) {
      continue;
    }
    RefuseLoss(lost_variables_.at(unset.variable), unset);
    refused.emplace(unset.owner, unset.variable);
  }
  for (const LackedVariable& lacked : found) {
    if (refused.count({lacked.owner, lacked.variable}) == 0) Warn(lacked.Sentence());
  }
}

void Planner::WarnOfEmptyGroups(const Snapshot& after) {
  // Whoever sets groups up before any hosts are known has mistyped nothing.
  if (set_selectors_.empty() || after.host_count() == 0) return;
  std::vector<std::shared_ptr<const Group>> empty;
  const size_t at_most = std::max<size_t>(1, kMaxMatches / after.host_count());
  for (const GroupName& name : set_selectors_) {
    const auto group = after.FindGroup(name);
    if (group != nullptr && empty.size() < at_most) empty.push_back(group);
  }
  after.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    std::erase_if(empty, [&](const auto& group) { return group->selector.Matches(host->labels); });
  });
  if (empty.empty()) return;
  std::set<std::string> keys;
  after.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    for (const auto& [key, value] : host->labels) keys.insert(key.text());
  });
  const std::vector<std::string> known(keys.begin(), keys.end());
  for (const std::shared_ptr<const Group>& group : empty) {
    std::string warning = absl::StrCat("group ", Quote(group->name.text()), ": its selector ",
                                       Quote(group->selector.text()), " matches no host now");
    for (const Selector::Requirement& requirement : group->selector.requirements()) {
      const bool is_wanted = requirement.op == Selector::Operator::kIn ||
                             requirement.op == Selector::Operator::kExists;
      if (!is_wanted || keys.count(requirement.key.text()) > 0) continue;
      absl::StrAppend(&warning, "; no host has a label ", Quote(requirement.key.text()));
      if (suggestions_left_ == 0) break;
      --suggestions_left_;
      const std::vector<std::string> closest = Suggest(requirement.key.text(), known, 1);
      if (!closest.empty()) {
        absl::StrAppend(&warning, ", did you mean ", Quote(closest.front()), "?");
      }
      break;
    }
    Warn(std::move(warning));
  }
}

}  // namespace autopxe::server
