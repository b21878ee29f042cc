#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/model/revision.h"
#include "common/model/snapshot.h"
#include "server/sqlite/database.h"

namespace autopxe::server {

// Changes by the number of the revision that they lead to.
using ChangesByNumber = std::map<int64_t, Change>;

absl::Status InsertRevision(Database& database, const Revision& revision,
                            absl::string_view request_digest);

// The newest one; all zero if there is none.
absl::StatusOr<Revision> LoadCurrentRevision(Database& database);

// One by its number, if it is there.
absl::StatusOr<absl::optional<Revision>> FindRevision(Database& database, int64_t number);

// What a request id was used for, if it was.
struct UsedRequestId {
  Revision revision;
  std::string request_digest;
};
absl::StatusOr<absl::optional<UsedRequestId>> FindRequestId(Database& database,
                                                            absl::string_view request_id);

// Changes up to this revision can't be told any more.
absl::StatusOr<int64_t> LoadTrimmedTo(Database& database);

// A change for each revision above `after`, with base and revision set.
absl::StatusOr<ChangesByNumber> LoadRevisionsAfter(Database& database, const RevisionId& after);

}  // namespace autopxe::server
