#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/model/label.h"

namespace autopxe {

// Which hosts are meant, by their labels: requirements that all have to be met, in the language and
// with the meaning of Kubernetes. A value, never invalid; equal ones have the same requirements in
// the same order.
class Selector {
 public:
  enum class Operator {
    kIn,            // The host has the key, with one of the values.
    kNotIn,         // The host doesn't have the key, or has it with none of the values.
    kExists,        // The host has the key.
    kDoesNotExist,  // The host doesn't have the key.
  };

  struct Requirement {
    LabelKey key;
    Operator op;
    // Ascending, without repeats; one or more for kIn and kNotIn, else none.
    std::vector<LabelValue> values;

    friend bool operator==(const Requirement&, const Requirement&) = default;
  };

  // Accepts requirements joined by commas, each one of
  //
  //   rack=r1           rack==r1              kIn of one value
  //   rack!=r1                                kNotIn of one value
  //   rack in (r1,r2)   rack notin (r1,r2)    kIn, kNotIn
  //   rack              !rack                 kExists, kDoesNotExist
  //
  // with blanks, tabs and line ends wherever words don't touch. Where a value is expected and none
  // is written it is the empty one: "rack=", "rack in (,r1)", "rack in ()". "in" and "notin" are
  // keys and values too, where one is expected. At most 64 requirements, 256 values in each (as
  // written) and 4,096 characters (as written, and as text() gives it). What Kubernetes accepts
  // means the same here, but for '<' and '>', which are refused, and for the empty selector: it
  // would select every host, and is likelier an unset variable than meant.
  // Errors: INVALID_ARGUMENT, naming the text, the position (from 1), what is wrong there and what
  // is expected.
  static absl::StatusOr<Selector> Parse(absl::string_view text);

  // Whether a host with these labels is meant. Allocates nothing: runs for every group at each
  // boot.
  bool Matches(const Labels& labels) const;

  // The one way to write it: requirements in the order given, their values sorted, "rack=r1" and
  // "rack!=r1" for a single value, "rack in (r1,r2)" and "rack notin (r1,r2)" for more, no other
  // blanks. Parse(text()) gives the same value.
  const std::string& text() const { return text_; }

  // One or more.
  absl::Span<const Requirement> requirements() const { return requirements_; }

  friend bool operator==(const Selector&, const Selector&) = default;

 private:
  Selector(std::string text, std::vector<Requirement> requirements)
      : text_(std::move(text)), requirements_(std::move(requirements)) {}

  std::string text_;
  std::vector<Requirement> requirements_;
};

}  // namespace autopxe
