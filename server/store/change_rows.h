#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/model/snapshot.h"
#include "server/sqlite/database.h"

namespace autopxe::server {

// The whole current configuration. Errors besides those of class Database: DATA_LOSS if the rows
// are no configuration.
absl::StatusOr<std::shared_ptr<const Snapshot>> LoadSnapshot(Database& database);

// Writes `change`, which applies to `before`, with its revision. REQUIRES: a transaction is open,
// and `before` is the current configuration.
absl::Status WriteChange(Database& database, const Snapshot& before, const Change& change,
                         absl::string_view request_digest);

// The changes after revision `since`, in order. Empty (no vector) if they can't be told: `since` is
// 0 (what has nothing is not helped by the whole past), lies in the future, was trimmed, has
// another tag, or lies more than `at_most` changes back.
absl::StatusOr<absl::optional<std::vector<Change>>> LoadChangesSince(Database& database,
                                                                     const RevisionId& since,
                                                                     size_t at_most);

}  // namespace autopxe::server
