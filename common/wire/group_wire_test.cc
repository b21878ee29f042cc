#include "common/wire/group_wire.h"

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

TEST(GroupWireTest, AGroupComesBackAsItWas) {
  RandomValues random(7);
  for (int i = 0; i < 500; ++i) {
    const Group group = random.AnyGroup();
    EXPECT_THAT(FromProto(ToProto(group)), IsOkAndHolds(group));
  }
}

TEST(GroupWireTest, WhatIsWrongIsNamed) {
  const v1::Group good =
      ToProto(Group{.name = *GroupName::Parse("gpu"), .selector = *Selector::Parse("gpu!=none")});
  struct Case {
    const char* field;
    void (*spoil)(v1::Group&);
  };
  const Case kCases[] = {
      {"name", [](v1::Group& group) { group.set_name("two words"); }},
      {"selector", [](v1::Group& group) { group.set_selector("gpu in"); }},
      {"selector", [](v1::Group& group) { group.clear_selector(); }},
      {"priority", [](v1::Group& group) { group.set_priority(1'000'001); }},
      {"priority", [](v1::Group& group) { group.set_priority(-1'000'001); }},
      {"distro", [](v1::Group& group) { group.set_distro("debian/x"); }},
      {"variables", [](v1::Group& group) { (*group.mutable_variables())["a b"] = "x"; }},
      {"etag", [](v1::Group& group) { group.set_etag(-1); }},
  };
  for (const Case& c : kCases) {
    v1::Group bad = good;
    c.spoil(bad);
    EXPECT_THAT(FromProto(bad), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.field)));
  }
  v1::Group many = good;
  for (int i = 0; i < 65; ++i) (*many.mutable_variables())["v" + std::to_string(i)] = "x";
  EXPECT_THAT(FromProto(many), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("64")));
}

TEST(GroupWireTest, DamagedBytesAreRefusedOrAValue) {
  RandomValues random(8);
  DamageEverywhere(ToProto(random.AnyGroup()),
                   [](const v1::Group& group) { return FromProto(group); });
}

}  // namespace
}  // namespace autopxe
