#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of an expression (absl::Status) from this function unless it is OK.
#define RETURN_IF_ERROR(...)                                                 \
  do {                                                                       \
    if (absl::Status autopxe_status = (__VA_ARGS__); !autopxe_status.ok()) { \
      return autopxe_status;                                                 \
    }                                                                        \
  } while (false)

// Evaluates an expression (absl::StatusOr<T>) and moves its value to `lhs`, which may declare a
// variable; returns its status from this function unless it is OK. More than one statement: never
// the lone body of an `if`.
#define ASSIGN_OR_RETURN(lhs, ...) \
  AUTOPXE_ASSIGN_OR_RETURN(AUTOPXE_JOIN(autopxe_status_or_, __LINE__), lhs, (__VA_ARGS__))

#define AUTOPXE_ASSIGN_OR_RETURN(result, lhs, expression) \
  auto result = expression;                               \
  if (!result.ok()) return std::move(result).status();    \
  lhs = *std::move(result)

#define AUTOPXE_JOIN(a, b) AUTOPXE_JOIN_EXPANDED(a, b)
#define AUTOPXE_JOIN_EXPANDED(a, b) a##b
