#include "common/model/age_text.h"

#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(AgeTextTest, TheTwoLargestUnitsAreSaid) {
  const struct {
    absl::Duration age;
    const char* want;
  } kCases[] = {
      {absl::ZeroDuration(), "0s"},
      {-absl::Hours(5), "0s"},
      {absl::Milliseconds(999), "0s"},
      {absl::Seconds(59), "59s"},
      {absl::Seconds(192), "3m12s"},
      {absl::Hours(2) + absl::Minutes(5) + absl::Seconds(59), "2h5m"},
      {absl::Hours(24), "1d0h"},
      {absl::Hours(24 * 365), "365d0h"},
  };
  for (const auto& c : kCases) EXPECT_EQ(FormatAge(c.age), c.want);
}

}  // namespace
}  // namespace autopxe
