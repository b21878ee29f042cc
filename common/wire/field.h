#pragma once

#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/model/name.h"
#include "common/status/problem.h"
#include "google/protobuf/map.h"

// How this folder says which field of a message is wrong: in the message, and in payloads of the
// absl::Status for programs.
namespace autopxe {

// `error`, found in the field `field` (such as "macs[1]"), whose value is `value`. The message
// begins with the field.
absl::Status AtField(absl::string_view field, absl::string_view value, const absl::Status& error);

// The same, where `what` says what is wrong; INVALID_ARGUMENT.
absl::Status BadField(absl::string_view field, absl::string_view value, absl::string_view what);

// `error` from a message that is the field `outer` (such as "hosts[3]") of another; `error` itself
// if it is OK.
absl::Status Within(absl::string_view outer, const absl::Status& error);

// "field[index]".
std::string Element(absl::string_view field, int index);

// The problem that an error of this folder tells.
Problem MalformedProblem(const absl::Status& error);

// A value with a Parse(text) of its own.
template <typename Value>
absl::StatusOr<Value> ParseField(absl::string_view field, absl::string_view text) {
  absl::StatusOr<Value> value = Value::Parse(text);
  if (!value.ok()) return AtField(field, text, value.status());
  return value;
}

// The same; nothing for an empty text.
template <typename Value>
absl::StatusOr<absl::optional<Value>> ParseOptionalField(absl::string_view field,
                                                         absl::string_view text) {
  if (text.empty()) return absl::optional<Value>();
  absl::StatusOr<Value> value = ParseField<Value>(field, text);
  if (!value.ok()) return value.status();
  return absl::optional<Value>(*std::move(value));
}

// Of element `index` of the repeated field `field`: its name is put together for an error only.
template <typename Value>
absl::StatusOr<Value> ParseElement(absl::string_view field, int index, absl::string_view text) {
  absl::StatusOr<Value> value = Value::Parse(text);
  if (!value.ok()) return AtField(Element(field, index), text, value.status());
  return value;
}

// The same of the entry `key` of the map `field`: "field.key".
template <typename Value>
absl::StatusOr<Value> ParseEntry(absl::string_view field, absl::string_view key,
                                 absl::string_view text) {
  absl::StatusOr<Value> value = Value::Parse(text);
  if (!value.ok()) return AtField(absl::StrCat(field, ".", key), text, value.status());
  return value;
}

// The entries of a map by key: which of two errors is told must not depend on a hash. Valid as long
// as the map.
using TextMap = google::protobuf::Map<std::string, std::string>;
using TextMapEntries = absl::InlinedVector<const TextMap::value_type*, 16>;
TextMapEntries SortedEntries(const TextMap& map);

absl::StatusOr<HostReference> ParseHostField(absl::string_view field, absl::string_view text);

// Refuses a number below `min`.
absl::Status CheckAtLeast(absl::string_view field, int64_t number, int64_t min);

// Refuses more than `max` elements.
absl::Status CheckAtMost(absl::string_view field, size_t count, size_t max);

// Refuses text that is not printable ASCII of `max` characters at most.
absl::Status CheckPrintable(absl::string_view field, absl::string_view text, size_t max);

}  // namespace autopxe
