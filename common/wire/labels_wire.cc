#include "common/wire/labels_wire.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "common/wire/field.h"

namespace autopxe {

google::protobuf::Map<std::string, std::string> LabelsToProto(const Labels& labels) {
  google::protobuf::Map<std::string, std::string> result;
  for (const auto& [key, value] : labels) result[key.text()] = value.text();
  return result;
}

absl::StatusOr<Labels> LabelsFromProto(
    const google::protobuf::Map<std::string, std::string>& labels, absl::string_view field) {
  // In order, so that it is always the same one of several errors.
  const std::map<std::string, std::string> sorted(labels.begin(), labels.end());
  Labels result;
  for (const auto& [key_text, value_text] : sorted) {
    const std::string label = absl::StrCat(field, ".", key_text);
    ASSIGN_OR_RETURN(LabelKey key, ParseField<LabelKey>(label, key_text));
    ASSIGN_OR_RETURN(LabelValue value, ParseField<LabelValue>(label, value_text));
    result.emplace(std::move(key), std::move(value));
  }
  return result;
}

}  // namespace autopxe
