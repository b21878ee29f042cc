#include "server/store/schema.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/digest/sha256.h"
#include "common/status/status_macros.h"
#include "server/sqlite/transaction.h"

namespace autopxe::server {
namespace {

// schema_checksum: of FormatSchema after the migration, by which a table that was altered since is
// noticed.
constexpr char kCreateHistory[] =
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    "number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,"
    "schema_checksum TEXT NOT NULL, applied_us INTEGER NOT NULL) STRICT";

struct Applied {
  int number;
  std::string name;
  std::string checksum;
  std::string schema_checksum;
};

std::string ChecksumOf(absl::string_view schema) {
  return absl::BytesToHexString(Sha256Of(schema));
}

std::string Title(int number, absl::string_view name) {
  return absl::StrFormat("%04d_%s", number, name);
}

absl::Status CheckOwner(Database& database) {
  ASSIGN_OR_RETURN(const int64_t id, database.QueryInteger("PRAGMA application_id"));
  if (id == kApplicationId) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the file is a database, but not one of autopxe-server; name another file");
}

absl::StatusOr<std::vector<Applied>> ReadApplied(Database& database) {
  std::vector<Applied> applied;
  ASSIGN_OR_RETURN(const int64_t has_history,
                   database.QueryInteger("SELECT count(*) FROM sqlite_schema WHERE type = 'table' "
                                         "AND name = 'schema_migration'"));
  if (has_history == 0) return applied;
  ASSIGN_OR_RETURN(Rows rows, database.Query("SELECT number, name, checksum, schema_checksum "
                                             "FROM schema_migration ORDER BY number"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return applied;
    applied.push_back({static_cast<int>(rows.Integer(0)), std::string(rows.Text(1)),
                       std::string(rows.Text(2)), std::string(rows.Text(3))});
  }
}

absl::Status CheckApplied(Database& database, absl::Span<const Migration> migrations,
                          const std::vector<Applied>& applied) {
  for (size_t i = 0; i < applied.size(); ++i) {
    const Applied& was = applied[i];
    if (i >= migrations.size()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "its schema is newer than this program: it has ", Title(was.number, was.name),
          ", and the newest one known here is number ", migrations.size(),
          "; start the newer autopxe-server, or restore a backup from before it was installed"));
    }
    const Migration& expected = migrations[i];
    if (was.number != expected.number || was.checksum != expected.checksum) {
      return absl::FailedPreconditionError(
          absl::StrCat("its schema was made by a migration ", Title(was.number, was.name),
                       " with checksum ", was.checksum, ", but here ",
                       Title(expected.number, expected.name), " has ", expected.checksum,
                       "; start the autopxe-server that made the database, or restore a backup"));
    }
  }
  ASSIGN_OR_RETURN(const std::string schema, FormatSchema(database));
  if (applied.empty() ? !schema.empty() : ChecksumOf(schema) != applied.back().schema_checksum) {
    return absl::FailedPreconditionError(
        "its tables or indexes were altered by something else than autopxe-server; undo that, or "
        "restore a backup");
  }
  return absl::OkStatus();
}

absl::Status ApplyMigration(Database& database, const Migration& migration, absl::Time now) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(database));
  RETURN_IF_ERROR(database.Execute(migration.sql));
  ASSIGN_OR_RETURN(const std::string schema, FormatSchema(database));
  RETURN_IF_ERROR(database.Run("INSERT INTO schema_migration VALUES (?1, ?2, ?3, ?4, ?5)",
                               migration.number, migration.name, migration.checksum,
                               ChecksumOf(schema), absl::ToUnixMicros(now)));
  return transaction.Commit();
}

}  // namespace

absl::StatusOr<std::string> FormatSchema(Database& database) {
  // Leaves out SQLite's own tables (sqlite_sequence, ANALYZE's statistics), which come and go by
  // themselves.
  ASSIGN_OR_RETURN(
      Rows rows,
      database.Query("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema WHERE "
                     "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'schema_migration' "
                     "ORDER BY type, name"));
  std::string text;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return text;
    absl::StrAppend(&text, rows.Text(0), " ", rows.Text(1), " ", rows.Text(2), " ", rows.Text(3),
                    "\n");
  }
}

absl::StatusOr<size_t> CheckSchema(Database& database, absl::Span<const Migration> migrations) {
  RETURN_IF_ERROR(CheckOwner(database));
  ASSIGN_OR_RETURN(const std::vector<Applied> applied, ReadApplied(database));
  RETURN_IF_ERROR(CheckApplied(database, migrations, applied));
  return migrations.size() - applied.size();
}

absl::Status UpgradeSchema(Database& database, absl::Span<const Migration> migrations,
                           absl::Time now) {
  // Before anything is written: a database that is refused stays as it is.
  ASSIGN_OR_RETURN(const size_t missing, CheckSchema(database, migrations));
  RETURN_IF_ERROR(database.Execute(kCreateHistory));
  for (const Migration& migration : migrations.subspan(migrations.size() - missing)) {
    RETURN_IF_ERROR(ApplyMigration(database, migration, now));
  }
  return absl::OkStatus();
}

}  // namespace autopxe::server
