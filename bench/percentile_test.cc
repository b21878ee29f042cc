#include "bench/percentile.h"

#include "gmock/gmock.h"

namespace autopxe::bench {
namespace {

TEST(PercentileTest, IsTheNearestRank) {
  EXPECT_EQ(Percentile({}, 50), 0);
  EXPECT_EQ(Percentile({7}, 1), 7);
  const std::vector<double> four = {1, 2, 3, 4};
  EXPECT_EQ(Percentile(four, 50), 2);
  EXPECT_EQ(Percentile(four, 51), 3);
  EXPECT_EQ(Percentile(four, 99), 4);
  EXPECT_EQ(Percentile(four, 100), 4);
}

}  // namespace
}  // namespace autopxe::bench
