#include "common/wire/labels_wire.h"

#include <utility>

#include "common/wire/field.h"

namespace autopxe {

google::protobuf::Map<std::string, std::string> LabelsToProto(const Labels& labels) {
  google::protobuf::Map<std::string, std::string> result;
  for (const auto& [key, value] : labels) result[key.text()] = value.text();
  return result;
}

absl::StatusOr<Labels> LabelsFromProto(
    const google::protobuf::Map<std::string, std::string>& labels, absl::string_view field) {
  Labels result;
  for (const auto* label : SortedEntries(labels)) {
    // Of a hundred thousand hosts, moves of text are a good part of the cost.
    absl::StatusOr<LabelKey> key = ParseEntry<LabelKey>(field, label->first, label->first);
    if (!key.ok()) return key.status();
    absl::StatusOr<LabelValue> value = ParseEntry<LabelValue>(field, label->first, label->second);
    if (!value.ok()) return value.status();
    result.emplace_hint(result.end(), *std::move(key), *std::move(value));
  }
  return result;
}

}  // namespace autopxe
