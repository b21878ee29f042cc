#include "bench/loss.h"

#include "gmock/gmock.h"

namespace autopxe::bench {
namespace {

TEST(LossTest, IsTheSameForOneSeedAndAsOftenAsAsked) {
  Loss one(0.05, 7);
  Loss other(0.05, 7);
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(one.Drops(), other.Drops());
  EXPECT_GT(one.dropped(), 400u);
  EXPECT_LT(one.dropped(), 600u);
}

TEST(LossTest, NothingIsLostUnlessAsked) {
  Loss none(0, 1);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(none.Drops());
}

}  // namespace
}  // namespace autopxe::bench
