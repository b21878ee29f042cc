#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/name.h"

namespace autopxe {

// What keeps one host's share of a message bounded. Whoever builds a host checks it.
inline constexpr size_t kMaxLabelsPerHost = 64;

// What a label says something about, such as "rack" or "example.org/rack". The grammar is that of
// Kubernetes, so that what an inventory exports can be used as it is: 1 to 63 letters, digits, '-',
// '_', '.', beginning and ending with a letter or a digit; before it, if anything, a prefix and a
// '/'. A prefix is parts of lower-case letters, digits and inner '-', joined by dots, 253
// characters in all; as in Kubernetes, a part may have more than DNS's 63. Letter case counts.
struct LabelKeyRule {
  static absl::Status Check(absl::string_view text);
};
using LabelKey = Name<LabelKeyRule>;

// What a label says, such as "r1": empty, or as a key without a prefix.
struct LabelValueRule {
  static absl::Status Check(absl::string_view text);
};
using LabelValue = Name<LabelValueRule>;

// What is said about one host.
using Labels = std::map<LabelKey, LabelValue>;

// Accepts "rack=r1", and "rack=" for the empty value. Blanks are not trimmed.
// Errors: INVALID_ARGUMENT, naming the text, or the key or value that is none, and what is
// expected.
absl::StatusOr<std::pair<LabelKey, LabelValue>> ParseLabel(absl::string_view text);

// "gpu=a100,rack=r1", in the order of the keys; empty for no labels.
std::string FormatLabels(const Labels& labels);

}  // namespace autopxe
