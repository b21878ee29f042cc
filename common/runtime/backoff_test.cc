#include "common/runtime/backoff.h"

#include <algorithm>
#include <random>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

// The longest and the shortest wait of many, at the nth attempt.
struct Range {
  absl::Duration shortest = absl::InfiniteDuration();
  absl::Duration longest = absl::ZeroDuration();
};

Range Attempt(int n, std::mt19937_64& random) {
  Range range;
  for (int i = 0; i < 2000; ++i) {
    Backoff backoff(absl::Milliseconds(200), absl::Seconds(10));
    absl::Duration wait;
    for (int attempt = 0; attempt < n; ++attempt) wait = backoff.Next(random);
    range.shortest = std::min(range.shortest, wait);
    range.longest = std::max(range.longest, wait);
  }
  return range;
}

TEST(BackoffTest, EachLimitIsTwiceTheOneBeforeUpToTheMost) {
  std::mt19937_64 random(1);
  const struct {
    int attempt;
    absl::Duration limit;
  } kCases[] = {
      {1, absl::Milliseconds(200)},  {2, absl::Milliseconds(400)}, {3, absl::Milliseconds(800)},
      {6, absl::Milliseconds(6400)}, {7, absl::Seconds(10)},       {50, absl::Seconds(10)},
  };
  for (const auto& c : kCases) {
    const Range range = Attempt(c.attempt, random);
    EXPECT_LE(range.longest, c.limit) << c.attempt;
    EXPECT_GT(range.longest, c.limit * 0.95) << c.attempt;
    EXPECT_GE(range.shortest, absl::ZeroDuration()) << c.attempt;
    EXPECT_LT(range.shortest, c.limit * 0.05) << c.attempt;
  }
}

TEST(BackoffTest, SuccessBeginsAgain) {
  std::mt19937_64 random(2);
  Backoff backoff(absl::Milliseconds(200), absl::Seconds(10));
  for (int i = 0; i < 1000; ++i) {
    backoff.Reset();
    ASSERT_LE(backoff.Next(random), absl::Milliseconds(200));
    backoff.Next(random);
    backoff.Next(random);
  }
}

TEST(BackoffTest, OneSeedGivesOneSequence) {
  std::mt19937_64 a(7), b(7);
  Backoff first(absl::Seconds(1), absl::Minutes(1));
  Backoff second(absl::Seconds(1), absl::Minutes(1));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(first.Next(a), second.Next(b));
}

}  // namespace
}  // namespace autopxe
