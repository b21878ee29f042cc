#include "common/wire/labels_wire.h"

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

TEST(LabelsWireTest, LabelsComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const Labels labels = random.AnyLabels();
    EXPECT_THAT(LabelsFromProto(LabelsToProto(labels), "labels"), IsOkAndHolds(labels));
  }
}

TEST(LabelsWireTest, OfSeveralWrongOnesTheFirstIsNamedWithItsField) {
  google::protobuf::Map<std::string, std::string> labels;
  labels["rack"] = "r1";
  labels["b"] = "no blank";
  labels["c d"] = "";
  EXPECT_THAT(LabelsFromProto(labels, "set_labels"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("set_labels.b: ")));
  labels["b"] = "";
  EXPECT_THAT(LabelsFromProto(labels, "set_labels"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("set_labels.c d: ")));
}

}  // namespace
}  // namespace autopxe
