#pragma once

#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/mutation.h"
#include "common/status/status_macros.h"
#include "common/wire/field.h"
#include "common/wire/time_wire.h"

namespace autopxe {

// Both for messages with the oneof `term` (Mutation.Assign, AssignHostsRequest).

// Writes the term into the message.
template <typename Message>
void TermToProto(const Term& term, Message& out) {
  if (std::holds_alternative<NextBootOnly>(term)) {
    out.set_next_boot(true);
  } else if (const auto* duration = std::get_if<absl::Duration>(&term)) {
    *out.mutable_duration() = ToProto(*duration);
  } else if (const auto* until = std::get_if<absl::Time>(&term)) {
    *out.mutable_until() = ToProto(*until);
  }
}

// Reads it. Errors: INVALID_ARGUMENT, naming the field.
template <typename Message>
absl::StatusOr<Term> TermFromProto(const Message& in) {
  switch (in.term_case()) {
    case Message::kNextBoot:
      if (!in.next_boot()) return BadField("next_boot", "false", "expected true");
      return Term(NextBootOnly());
    case Message::kDuration: {
      ASSIGN_OR_RETURN(const absl::Duration duration, FromProto(in.duration(), "duration"));
      return Term(duration);
    }
    case Message::kUntil: {
      ASSIGN_OR_RETURN(const absl::Time until, FromProto(in.until(), "until"));
      return Term(until);
    }
    case Message::TERM_NOT_SET:
      break;
  }
  return Term();
}

}  // namespace autopxe
