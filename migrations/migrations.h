#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace autopxe::server {

// One step of the database's schema. Append-only: a released one is never edited, its checksum is
// in every database.
struct Migration {
  int number;              // 1, 2, 3, ...
  absl::string_view name;  // "configuration" of 0001_configuration.sql.
  absl::string_view sql;
  absl::string_view checksum;  // SHA-256 of the sql, in hexadecimal.
};

// All of them, in order.
absl::Span<const Migration> Migrations();

}  // namespace autopxe::server
