#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "common/model/name.h"
#include "common/model/revision.h"
#include "server/plan/differences.h"

namespace autopxe::server {

// Which part of the history is asked for.
struct HistoryFilter {
  enum class Kind { kAll, kHost, kGroup, kProfile, kDistro, kSettings, kAgent };

  Kind kind = Kind::kAll;
  // kHost: every host that was ever called so, or had this MAC, all that it was called included;
  // unset: all.
  absl::optional<HostReference> host = {};
  // kGroup, kProfile, kDistro: its name. kAgent: its id. Empty: all.
  std::string name = {};

  friend bool operator==(const HistoryFilter&, const HistoryFilter&) = default;
};

// Revisions that changed what is asked for.
struct HistoryRevisions {
  std::vector<int64_t> numbers;  // Descending.
  bool trimmed = false;          // There were more, or may have been, that are no longer kept.
};

// What one revision changed of what is asked for.
struct HistoryEntry {
  Revision revision;
  std::vector<Difference> differences;  // In the order of Compare.
};

}  // namespace autopxe::server
