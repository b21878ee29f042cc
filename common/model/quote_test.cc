#include "common/model/quote.h"

#include <string>

#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(QuoteTest, ShowsPlainTextAsItIs) {
  EXPECT_EQ(Quote(""), "\"\"");
  EXPECT_EQ(Quote("debian/bookworm"), "\"debian/bookworm\"");
}

// faults.md 31: hostile text in a message, a log or on a terminal.
TEST(QuoteTest, EscapesWhatCouldLeaveTheQuotesOrTheLine) {
  EXPECT_EQ(Quote("a\nb"), "\"a\\nb\"");
  EXPECT_EQ(Quote("a\"b\\"), "\"a\\\"b\\\\\"");
  EXPECT_EQ(Quote("\x1b[2J"), "\"\\x1b[2J\"");
  EXPECT_EQ(Quote(absl::string_view("a\0z", 3)), "\"a\\x00z\"");
}

TEST(QuoteTest, CutsLongText) {
  EXPECT_EQ(Quote(std::string(128, 'a')), "\"" + std::string(128, 'a') + "\"");
  EXPECT_EQ(Quote(std::string(129, 'a')), "\"" + std::string(128, 'a') + "\"...");
}

}  // namespace
}  // namespace autopxe
