#include "server/sqlite/statement.h"

#include "absl/strings/str_cat.h"
#include "server/sqlite/status.h"

namespace autopxe::server {

int Statement::ArgumentCountCode(size_t count) const {
  return static_cast<size_t>(sqlite3_bind_parameter_count(statement_.get())) == count
             ? SQLITE_OK
             : SQLITE_RANGE;
}

int Statement::BindText(int position, absl::string_view text) {
  // A null pointer would bind NULL.
  return sqlite3_bind_text64(statement_.get(), position, text.empty() ? "" : text.data(),
                             text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return Error(code);
}

void Statement::Reset() {
  // The code is that of the last step, which its caller has had already.
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

absl::Status Statement::Error(int code) const {
  const absl::string_view sql = sqlite3_sql(statement_.get());
  return SqliteStatus(code == SQLITE_RANGE ? nullptr : sqlite3_db_handle(statement_.get()), code,
                      absl::StrCat("statement \"", sql.substr(0, 60), "\""));
}

absl::StatusOr<bool> Rows::Next() {
  if (!status_.ok()) return status_;
  return statement_->Step();
}

bool Rows::IsNull(int column) const {
  return sqlite3_column_type(statement_->statement_.get(), column) == SQLITE_NULL;
}

int64_t Rows::Integer(int column) const {
  return sqlite3_column_int64(statement_->statement_.get(), column);
}

absl::string_view Rows::Text(int column) const {
  sqlite3_stmt* const statement = statement_->statement_.get();
  const unsigned char* const text = sqlite3_column_text(statement, column);
  if (text == nullptr) return "";
  return absl::string_view(reinterpret_cast<const char*>(text),
                           static_cast<size_t>(sqlite3_column_bytes(statement, column)));
}

absl::optional<std::string> Rows::OptionalText(int column) const {
  if (IsNull(column)) return absl::nullopt;
  return std::string(Text(column));
}

absl::optional<int64_t> Rows::OptionalInteger(int column) const {
  if (IsNull(column)) return absl::nullopt;
  return Integer(column);
}

}  // namespace autopxe::server
