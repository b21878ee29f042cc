#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "migrations/migrations.h"
#include "server/sqlite/database.h"

namespace autopxe::server {

// In the header of every database of ours: "apxe".
inline constexpr int32_t kApplicationId = 0x61707865;

// How many of `migrations` a database lacks; changes nothing. Errors: those of UpgradeSchema.
absl::StatusOr<size_t> CheckSchema(Database& database, absl::Span<const Migration> migrations);

// Brings a database to the schema that `migrations` make: applies those that it lacks, in order,
// each in its own transaction. Errors besides those of class Database; each message ends with what
// to do:
//   FAILED_PRECONDITION: the file is another program's database; its schema is newer than
//   `migrations`; one of its migrations
//     is not the one of that number here; or its tables were altered by other hands.
absl::Status UpgradeSchema(Database& database, absl::Span<const Migration> migrations,
                           absl::Time now);

// A text that is the same for two databases if and only if their tables and indexes are.
absl::StatusOr<std::string> FormatSchema(Database& database);

}  // namespace autopxe::server
