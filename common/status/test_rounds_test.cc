#include "common/status/test_rounds.h"

#include <cstdlib>

#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(TestRoundsTest, AQuarterUnderASanitizerUnlessAllOrANumberIsAskedFor) {
  for (const char* name : {"AUTOPXE_ROUNDS", "AUTOPXE_TEST_SANITIZED", "AUTOPXE_TEST_ALL_ROUNDS"}) {
    unsetenv(name);
  }
  EXPECT_EQ(TestRounds(101), 101);
  setenv("AUTOPXE_TEST_SANITIZED", "1", 1);
  EXPECT_EQ(TestRounds(101), 26);
  EXPECT_EQ(TestRounds(1), 1);
  setenv("AUTOPXE_TEST_ALL_ROUNDS", "1", 1);
  EXPECT_EQ(TestRounds(101), 101);
  setenv("AUTOPXE_ROUNDS", "7", 1);
  EXPECT_EQ(TestRounds(101), 7);
  setenv("AUTOPXE_ROUNDS", "some", 1);
  EXPECT_EQ(TestRounds(101), 101);
}

}  // namespace
}  // namespace autopxe
