#include "ctl/term_text.h"

#include <string>
#include <variant>

#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::HasSubstr;
using End = std::variant<absl::Duration, absl::Time>;

// An hour ahead of UTC.
const absl::TimeZone kZone = absl::FixedTimeZone(3600);

TEST(TermTextTest, ATimeFromNowOrATimeIsRead) {
  const absl::Time eight = absl::FromUnixSeconds(1796112000);  // 2026-12-01T08:00:00Z
  const struct {
    const char* text;
    End end;
  } kCases[] = {
      {"2h", absl::Hours(2)},
      {"90m", absl::Minutes(90)},
      {"3d", absl::Hours(72)},
      {"1d12h", absl::Hours(36)},
      {"45s", absl::Seconds(45)},
      {"2.5h", absl::Minutes(150)},
      {"2026-12-01T08:00:00Z", eight},
      {"2026-12-01T08:00Z", eight},
      {"2026-12-01t08:00:00.5z", eight + absl::Milliseconds(500)},
      {"2026-12-01T10:00:00+02:00", eight},
      {"2026-12-01T09:00", eight},
      {"2026-12-01T09:00:00", eight},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<End> end = ParseEnd(c.text, kZone);
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_EQ(*end, c.end) << c.text;
  }
}

TEST(TermTextTest, AnythingElseIsAUsageErrorThatNamesIt) {
  for (const char* text :
       {"", "soon", "2", "h", "2h3", "-2h", "inf", "2w", "99999999999h", "2026-12-01", "08:00",
        "2026-13-01T08:00", "infinite-future", " 2026-12-01T08:00"}) {
    const absl::StatusOr<End> end = ParseEnd(text, kZone);
    EXPECT_EQ(ExitCodeOf(end.status()), kExitUsage) << text;
    EXPECT_THAT(end.status().message(), HasSubstr("--until: \"" + std::string(text) + "\""));
  }
}

}  // namespace
}  // namespace autopxe::ctl
