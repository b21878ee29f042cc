#include "server/store/next_boot_use.h"

#include <algorithm>
#include <limits>

namespace autopxe::server {

NextBootUses::NextBootUses(std::vector<NextBootUse> known) {
  for (NextBootUse& use : known) Keep(std::move(use));
}

std::vector<NextBootUse> NextBootUses::Add(NextBootUse use) {
  std::vector<NextBootUse> same;
  if (const auto found = ids_.find({use.host, use.token}); found != ids_.end()) {
    for (const int64_t id : found->second) same.push_back(uses_.at(id));
  }
  for (const NextBootUse& other : same) {
    if (other.agent == use.agent) return {};
  }
  use.id = last_id() + 1;
  Keep(use);
  if (!same.empty()) same.push_back(std::move(use));
  return same;
}

std::vector<NextBootUse> NextBootUses::UsedTwice(HostId host) const {
  std::vector<NextBootUse> same;
  for (auto ids = ids_.lower_bound({host, std::numeric_limits<int64_t>::min()});
       ids != ids_.end() && ids->first.first == host; ++ids) {
    if (ids->second.size() < 2) continue;
    same.clear();
    for (const int64_t id : ids->second) same.push_back(uses_.at(id));
  }
  return same;
}

std::vector<NextBootUse> NextBootUses::After(int64_t id) const {
  std::vector<NextBootUse> after;
  for (auto use = uses_.upper_bound(id); use != uses_.end(); ++use) after.push_back(use->second);
  return after;
}

void NextBootUses::Keep(NextBootUse use) {
  ids_[{use.host, use.token}].push_back(use.id);
  uses_.emplace(use.id, std::move(use));
  if (uses_.size() <= kMaxNextBootUses) return;
  const NextBootUse& oldest = uses_.begin()->second;
  const auto ids = ids_.find({oldest.host, oldest.token});
  ids->second.erase(std::remove(ids->second.begin(), ids->second.end(), oldest.id),
                    ids->second.end());
  if (ids->second.empty()) ids_.erase(ids);
  uses_.erase(uses_.begin());
}

}  // namespace autopxe::server
