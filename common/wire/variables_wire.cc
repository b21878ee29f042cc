#include "common/wire/variables_wire.h"

#include <utility>

#include "common/wire/field.h"

namespace autopxe {

google::protobuf::Map<std::string, std::string> ToProto(
    const std::map<VariableName, VariableValue>& variables) {
  google::protobuf::Map<std::string, std::string> result;
  for (const auto& [name, value] : variables) result[name.text()] = value.text();
  return result;
}

absl::StatusOr<std::map<VariableName, VariableValue>> FromProto(
    const google::protobuf::Map<std::string, std::string>& variables, absl::string_view field) {
  std::map<VariableName, VariableValue> result;
  for (const auto* variable : SortedEntries(variables)) {
    // As with labels.
    absl::StatusOr<VariableName> name = ParseField<VariableName>(field, variable->first);
    if (!name.ok()) return name.status();
    absl::StatusOr<VariableValue> value =
        ParseEntry<VariableValue>(field, variable->first, variable->second);
    if (!value.ok()) return value.status();
    result.emplace_hint(result.end(), *std::move(name), *std::move(value));
  }
  return result;
}

}  // namespace autopxe
