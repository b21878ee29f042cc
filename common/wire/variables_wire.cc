#include "common/wire/variables_wire.h"

#include <utility>

#include "absl/strings/str_cat.h"
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
  // Sorted: which of two errors is told must not depend on a hash.
  const std::map<std::string, std::string> sorted(variables.begin(), variables.end());
  std::map<VariableName, VariableValue> result;
  for (const auto& [name, value] : sorted) {
    ASSIGN_OR_RETURN(VariableName parsed_name, ParseField<VariableName>(field, name));
    ASSIGN_OR_RETURN(VariableValue parsed_value,
                     ParseField<VariableValue>(absl::StrCat(field, ".", name), value));
    result.emplace(std::move(parsed_name), std::move(parsed_value));
  }
  return result;
}

}  // namespace autopxe
