#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace autopxe::server {

class Rows;

// A prepared statement of one connection, which must outlive it. Arguments are bound in order to
// ?1, ?2, ...: integers, text, and absl::optional of these or absl::nullopt for NULL.
class Statement {
 public:
  // Runs the statement to its end; rows are dropped.
  template <typename... Args>
  absl::Status Run(const Args&... args);

  // Runs the statement; its rows are read one by one. One set of rows at a time.
  template <typename... Args>
  Rows Query(const Args&... args);

 private:
  friend class Database;
  friend class Rows;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  template <typename... Args>
  absl::Status BindAll(const Args&... args) {
    int position = 0;
    int code = ArgumentCountCode(sizeof...(args));
    ((code = code == SQLITE_OK ? BindOne(++position, args) : code), ...);
    return code == SQLITE_OK ? absl::OkStatus() : Error(code);
  }

  template <typename T>
  int BindOne(int position, const T& value) {
    if constexpr (std::is_integral_v<T>) {
      return sqlite3_bind_int64(statement_.get(), position, static_cast<int64_t>(value));
    } else if constexpr (std::is_same_v<T, absl::nullopt_t>) {
      return sqlite3_bind_null(statement_.get(), position);
    } else {
      return BindText(position, value);
    }
  }

  template <typename T>
  int BindOne(int position, const absl::optional<T>& value) {
    return value.has_value() ? BindOne(position, *value) : BindOne(position, absl::nullopt);
  }

  int ArgumentCountCode(size_t count) const;
  int BindText(int position, absl::string_view text);
  absl::StatusOr<bool> Step();
  void Reset();
  absl::Status Error(int code) const;

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// What a statement gives. The statement must outlive it, and is ready for other arguments once it
// is gone.
class Rows {
 public:
  Rows(Rows&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)), status_(std::move(other.status_)) {}
  Rows& operator=(Rows&&) = delete;
  ~Rows() {
    if (statement_ != nullptr) statement_->Reset();
  }

  // Goes to the next row, the first one at first: whether there is one.
  absl::StatusOr<bool> Next();

  // REQUIRES for the following: Next() gave true, and the row has such a column, counted from 0.
  bool IsNull(int column) const;
  int64_t Integer(int column) const;
  // Valid until Next().
  absl::string_view Text(int column) const;
  absl::optional<std::string> OptionalText(int column) const;
  absl::optional<int64_t> OptionalInteger(int column) const;

 private:
  friend class Statement;

  Rows(Statement* statement, absl::Status status)
      : statement_(statement), status_(std::move(status)) {}

  Statement* statement_;
  absl::Status status_;  // Of binding the arguments.
};

template <typename... Args>
absl::Status Statement::Run(const Args&... args) {
  Rows rows = Query(args...);
  while (true) {
    const absl::StatusOr<bool> row = rows.Next();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

template <typename... Args>
Rows Statement::Query(const Args&... args) {
  return Rows(this, BindAll(args...));
}

}  // namespace autopxe::server
