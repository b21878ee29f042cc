#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "absl/types/optional.h"
#include "common/model/distro.h"
#include "common/model/name.h"
#include "common/model/selector.h"

namespace autopxe {

// Every boot asks each of them.
inline constexpr size_t kMaxGroups = 1'000;
inline constexpr size_t kMaxVariablesPerGroup = 64;

inline constexpr int32_t kMinGroupPriority = -1'000'000;
inline constexpr int32_t kMaxGroupPriority = 1'000'000;

// What holds for the hosts whose labels a selector matches. Where several groups match a host, the
// one with the higher priority wins, and among equals the one whose name comes first.
struct Group {
  GroupName name;
  Selector selector;
  int32_t priority = 0;
  absl::optional<Distro> distro = {};                    // For hosts without an assignment.
  std::map<VariableName, VariableValue> variables = {};  // Up to kMaxVariablesPerGroup.
  int64_t etag = 0;                                      // The revision that changed it last.

  friend bool operator==(const Group&, const Group&) = default;
};

// Whether `a` wins over `b`.
inline bool IsBefore(const Group& a, const Group& b) {
  if (a.priority != b.priority) return a.priority > b.priority;
  return a.name < b.name;
}

}  // namespace autopxe
