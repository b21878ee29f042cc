#include "common/model/duration_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace autopxe {
namespace {

TEST(DurationTextTest, DaysStandBeforeWhatAbslReads) {
  const struct {
    const char* text;
    absl::Duration duration;
  } cases[] = {
      {"90d", absl::Hours(2160)},   {"1d12h", absl::Hours(36)},
      {"0d", absl::ZeroDuration()}, {"1d1.5s", absl::Hours(24) + absl::Milliseconds(1500)},
      {"2160h", absl::Hours(2160)}, {"1m30s", absl::Seconds(90)},
      {"0", absl::ZeroDuration()},  {"-2h", -absl::Hours(2)},
      {"1d0", absl::Hours(24)},
  };
  for (const auto& c : cases) EXPECT_EQ(ParseDurationText(c.text), c.duration) << c.text;
}

TEST(DurationTextTest, AnythingElseIsNone) {
  for (const char* text : {"", "d", "90", "-1d", "1.5d", "1d-2h", "1d+2h", "1dinf", "12h1d", "1d2d",
                           "1d ", " 1d", "99999999999d", "soon"}) {
    EXPECT_EQ(ParseDurationText(text), absl::nullopt) << text;
  }
}

}  // namespace
}  // namespace autopxe
