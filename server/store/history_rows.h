#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/sqlite/database.h"

namespace autopxe::server {

// The horizon of the history (history.trimmed_to): the rows that ended at this revision or before
// may be gone, so that only the changes after it can be told. Revisions themselves stay: they say
// who changed what and when, and keep the ids of requests that may be sent again.

// Moves the horizon to the last revision that was made by `until`, as were all before it; looks at
// up to `at_most` revisions. Whether it has moved. REQUIRES: a transaction is open.
absl::StatusOr<bool> MoveHorizon(Database& database, absl::Time until, int at_most);

// Deletes up to `at_most` rows of each table that ended at the horizon or before. How many those
// were. REQUIRES: a transaction is open.
absl::StatusOr<int64_t> DeleteEndedRows(Database& database, int at_most);

}  // namespace autopxe::server
