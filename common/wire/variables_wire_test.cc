#include "common/wire/variables_wire.h"

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::StartsWith;

TEST(VariablesWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 100; ++i) {
    const std::map<VariableName, VariableValue> variables = random.Variables();
    EXPECT_THAT(FromProto(ToProto(variables), "variables"), IsOkAndHolds(variables));
  }
}

TEST(VariablesWireTest, OfSeveralErrorsTheFirstByNameIsTold) {
  google::protobuf::Map<std::string, std::string> variables;
  for (const char* name : {"z", "y", "b", "x", "c"}) variables[name] = "${x}";
  EXPECT_THAT(FromProto(variables, "set_variables"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       StartsWith("set_variables.b: variable value \"${x}\"")));
  variables["a b"] = "";
  EXPECT_THAT(FromProto(variables, "set_variables"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       StartsWith("set_variables: variable name \"a b\"")));
}

}  // namespace
}  // namespace autopxe
