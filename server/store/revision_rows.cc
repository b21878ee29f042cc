#include "server/store/revision_rows.h"

#include <utility>

#include "absl/time/time.h"
#include "common/status/status_macros.h"

namespace autopxe::server {
namespace {

// In the order of: number, tag, time_us, user, origin, request_id.
Revision ToRevision(const Rows& rows) {
  return {.id = {.number = rows.Integer(0), .tag = static_cast<uint64_t>(rows.Integer(1))},
          .time = absl::FromUnixMicros(rows.Integer(2)),
          .user = std::string(rows.Text(3)),
          .origin = std::string(rows.Text(4)),
          .request_id = std::string(rows.Text(5))};
}

}  // namespace

absl::Status InsertRevision(Database& database, const Revision& revision,
                            absl::string_view request_digest) {
  absl::optional<std::string> request_id;
  if (!revision.request_id.empty()) request_id = revision.request_id;
  return database.Run(
      "INSERT INTO revision (number, tag, time_us, user, origin, request_id, request_digest) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      revision.id.number, revision.id.tag, absl::ToUnixMicros(revision.time), revision.user,
      revision.origin, request_id, request_digest);
}

absl::StatusOr<Revision> LoadCurrentRevision(Database& database) {
  ASSIGN_OR_RETURN(Rows rows,
                   database.Query("SELECT number, tag, time_us, user, origin, request_id "
                                  "FROM revision ORDER BY number DESC LIMIT 1"));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  return found ? ToRevision(rows) : Revision{};
}

absl::StatusOr<absl::optional<Revision>> FindRevision(Database& database, int64_t number) {
  ASSIGN_OR_RETURN(Rows rows,
                   database.Query("SELECT number, tag, time_us, user, origin, request_id "
                                  "FROM revision WHERE number = ?1",
                                  number));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return absl::optional<Revision>();
  return absl::optional<Revision>(ToRevision(rows));
}

absl::StatusOr<absl::optional<UsedRequestId>> FindRequestId(Database& database,
                                                            absl::string_view request_id) {
  ASSIGN_OR_RETURN(
      Rows rows,
      database.Query("SELECT number, tag, time_us, user, origin, request_id, request_digest "
                     "FROM revision WHERE request_id = ?1",
                     request_id));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return absl::optional<UsedRequestId>();
  return absl::optional<UsedRequestId>(
      UsedRequestId{.revision = ToRevision(rows), .request_digest = std::string(rows.Text(6))});
}

absl::StatusOr<int64_t> LoadTrimmedTo(Database& database) {
  return database.QueryInteger("SELECT trimmed_to FROM history");
}

absl::StatusOr<ChangesByNumber> LoadRevisionsAfter(Database& database, const RevisionId& after) {
  ASSIGN_OR_RETURN(Rows rows,
                   database.Query("SELECT number, tag, time_us, user, origin, request_id "
                                  "FROM revision WHERE number > ?1 ORDER BY number",
                                  after.number));
  ChangesByNumber changes;
  RevisionId base = after;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return changes;
    Change change;
    change.base = base;
    change.revision = ToRevision(rows);
    base = change.revision.id;
    changes.emplace(base.number, std::move(change));
  }
}

}  // namespace autopxe::server
