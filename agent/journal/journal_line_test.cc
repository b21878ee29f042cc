#include "agent/journal/journal_line.h"

#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

JournalUse Use(int64_t host, int64_t token) {
  return {.used = {HostId{host}, token},
          .mac = MacAddress::FromNumber(0x525400123456),
          .time = absl::FromUnixMicros(1'700'000'000'000'001)};
}

TEST(JournalLineTest, AFactIsReadAsItWasWritten) {
  for (const JournalFact& fact :
       {JournalFact(Use(1, 1)), JournalFact(Use(17, 4711)), JournalFact(Use(kMost, kMost)),
        JournalFact(JournalReport{{HostId{17}, 4711}})}) {
    const std::string line = FormatJournalLine(fact);
    ASSERT_TRUE(absl::EndsWith(line, "\n"));
    EXPECT_THAT(ParseJournalLine(absl::StripSuffix(line, "\n")), IsOkAndHolds(fact)) << line;
  }
  EXPECT_TRUE(absl::StartsWith(FormatJournalLine(Use(17, 4711)),
                               "used 17 4711 52:54:00:12:34:56 1700000000000001 "));
}

TEST(JournalLineTest, ALineThatDiffersInAnyByteIsNone) {
  const std::string line(absl::StripSuffix(FormatJournalLine(Use(17, 4711)), "\n"));
  for (size_t i = 0; i < line.size(); ++i) {
    for (const char other : {'0', '1', ' ', 'x', '\0', '\n', '\xff'}) {
      if (line[i] == other) continue;
      std::string damaged = line;
      damaged[i] = other;
      EXPECT_THAT(ParseJournalLine(damaged), StatusIs(absl::StatusCode::kDataLoss));
    }
    EXPECT_FALSE(ParseJournalLine(line.substr(0, i)).ok());
    EXPECT_FALSE(ParseJournalLine(line.substr(i + 1)).ok());
  }
  for (const std::string& other : {line + " ", " " + line, line + line, std::string()}) {
    EXPECT_FALSE(ParseJournalLine(other).ok()) << other;
  }
}

}  // namespace
}  // namespace autopxe::agent
