#include "agent/http/http_date.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);  // 2023.

TEST(HttpDateTest, EachOfTheThreeFormsIsTheSameTime) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994", " Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_EQ(ParseHttpDate(text, kNow), absl::FromUnixSeconds(784'111'777)) << text;
  }
  EXPECT_EQ(FormatHttpDate(absl::FromUnixSeconds(784'111'777)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpDateTest, AYearOfTwoDigitsIsAtMostFiftyYearsAhead) {
  EXPECT_EQ(ParseHttpDate("Monday, 01-Jan-73 00:00:00 GMT", kNow),
            absl::FromCivil(absl::CivilDay(2073, 1, 1), absl::UTCTimeZone()));
  EXPECT_EQ(ParseHttpDate("Monday, 01-Jan-74 00:00:00 GMT", kNow),
            absl::FromCivil(absl::CivilDay(1974, 1, 1), absl::UTCTimeZone()));
}

TEST(HttpDateTest, WhatIsNoDateIsNothing) {
  for (const char* text :
       {"", "0", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Apr 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT, Sun"}) {
    EXPECT_EQ(ParseHttpDate(text, kNow), absl::nullopt) << text;
  }
}

}  // namespace
}  // namespace autopxe::agent
