#pragma once

#include <sqlite3.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace autopxe::server {

// The status for a result code of SQLite, by the table at class Database. The message is `what`,
// then the text that `connection` keeps of its last error (null: the code's own text). OK for the
// codes that are no error.
absl::Status SqliteStatus(sqlite3* connection, int code, absl::string_view what);

}  // namespace autopxe::server
