#include "common/wire/variables_wire.h"

#include <utility>

#include "common/status/status_macros.h"
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
    ASSIGN_OR_RETURN(VariableName name, ParseField<VariableName>(field, variable->first));
    ASSIGN_OR_RETURN(VariableValue value,
                     ParseEntry<VariableValue>(field, variable->first, variable->second));
    result.emplace_hint(result.end(), std::move(name), std::move(value));
  }
  return result;
}

}  // namespace autopxe
