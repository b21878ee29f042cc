#include "common/wire/time_wire.h"

#include <cstdint>

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

TEST(TimeWireTest, TimesComeBackToTheNanosecond) {
  RandomValues random(1);
  for (int i = 0; i < 1000; ++i) {
    const absl::Time time = random.Time();
    EXPECT_THAT(FromProto(ToProto(time), "time"), IsOkAndHolds(time));
    EXPECT_GE(ToProto(time).nanos(), 0);
  }
}

TEST(TimeWireTest, WhatATimestampCannotHoldBecomesItsFirstOrLast) {
  EXPECT_EQ(ToProto(absl::InfiniteFuture()).seconds(), 253402300799);
  EXPECT_EQ(ToProto(absl::InfiniteFuture()).nanos(), 999999999);
  EXPECT_EQ(ToProto(absl::InfinitePast()).seconds(), -62135596800);
  EXPECT_THAT(FromProto(ToProto(absl::InfiniteFuture()), "time"), IsOk());
  EXPECT_THAT(FromProto(ToProto(absl::InfinitePast()), "time"), IsOk());
}

TEST(TimeWireTest, RefusesWhatIsNoTimestamp) {
  const struct {
    int64_t seconds;
    int32_t nanos;
  } kCases[] = {{INT64_MAX, 0}, {INT64_MIN, 0},         {253402300800, 0},
                {0, -1},        {0, 1000000000},        {-62135596801, 999999999},
                {0, INT32_MAX}, {INT64_MAX, INT32_MAX}, {0, INT32_MIN}};
  for (const auto& c : kCases) {
    google::protobuf::Timestamp time;
    time.set_seconds(c.seconds);
    time.set_nanos(c.nanos);
    EXPECT_THAT(FromProto(time, "time"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("time: \"")))
        << c.seconds << " " << c.nanos;
  }
}

TEST(TimeWireTest, DurationsComeBackToTheNanosecond) {
  RandomValues random(2);
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration duration = random.Time() - absl::UnixEpoch();
    EXPECT_THAT(FromProto(ToProto(duration), "wait"), IsOkAndHolds(duration));
  }
  EXPECT_EQ(ToProto(absl::InfiniteDuration()).seconds(), 315576000000);
  EXPECT_EQ(ToProto(-absl::InfiniteDuration()).seconds(), -315576000000);
}

TEST(TimeWireTest, RefusesWhatIsNoDuration) {
  const struct {
    int64_t seconds;
    int32_t nanos;
  } kCases[] = {{INT64_MAX, 0}, {INT64_MIN, 0},  {315576000001, 0}, {1, -1},
                {-1, 1},        {0, 1000000000}, {0, -1000000000},  {0, INT32_MIN}};
  for (const auto& c : kCases) {
    google::protobuf::Duration duration;
    duration.set_seconds(c.seconds);
    duration.set_nanos(c.nanos);
    EXPECT_THAT(FromProto(duration, "wait"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("wait: \"")))
        << c.seconds << " " << c.nanos;
  }
}

}  // namespace
}  // namespace autopxe
