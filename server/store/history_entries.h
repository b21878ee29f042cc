#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "server/sqlite/database.h"
#include "server/store/history_entry.h"

namespace autopxe::server {

// The revisions below `before` that changed what `filter` asks for, the newest `at_most`. What
// nobody ever heard of has none.
absl::StatusOr<HistoryRevisions> FindHistoryRevisions(Database& database,
                                                      const HistoryFilter& filter, int64_t before,
                                                      size_t at_most);

// What revision `number` changed of what `filter` asks for, from the rows that it ended and those
// that it began. Nothing if that can't be told any more, or there is no such revision.
absl::StatusOr<absl::optional<HistoryEntry>> LoadHistoryEntry(Database& database,
                                                              const HistoryFilter& filter,
                                                              int64_t number);

}  // namespace autopxe::server
