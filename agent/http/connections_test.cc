#include "agent/http/connections.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kStart = absl::Hours(1);

class ConnectionsTest : public testing::Test {
 protected:
  ConnectionsTest()
      : connections_({.crowded = 4,
                      .requests_per_address = 2,
                      .head = absl::Seconds(15),
                      .idle = absl::Seconds(30),
                      .progress_interval = absl::Seconds(60),
                      .progress_bytes = 1000},
                     {.cut = [this](int fd) { cut_.push_back(fd); },
                      .end_reading = [this](int fd) { ended_.push_back(fd); },
                      .acknowledged_bytes = [this](int fd) { return acknowledged_[fd]; }}) {}

  static absl::Duration At(double seconds) { return kStart + absl::Seconds(seconds); }

  void Open(int fd, double seconds, const std::string& peer = "10.0.0.1") {
    connections_.Opened(fd, *IpAddress::Parse(peer), At(seconds));
  }
  // One whole request, at once.
  void Request(int fd, double seconds) {
    connections_.RequestLineCame(fd, At(seconds));
    EXPECT_EQ(connections_.RequestBegan(fd, At(seconds)), Connections::Admission::kWelcome);
    connections_.RequestEnded(fd, At(seconds));
  }
  // Who is cut by then, and was not before.
  std::vector<int> CutAt(double seconds) {
    connections_.CutExpired(At(seconds));
    return std::exchange(cut_, {});
  }

  std::vector<int> cut_;
  std::vector<int> ended_;
  std::map<int, uint64_t> acknowledged_;
  Connections connections_;
};

TEST_F(ConnectionsTest, AFirstRequestHasItsTimeFromTheStartWhateverComes) {
  Open(1, 0);
  Open(2, 1);
  connections_.RequestLineCame(1, At(14));  // No time is won by it.
  EXPECT_THAT(CutAt(14.9), IsEmpty());
  EXPECT_THAT(CutAt(15), ElementsAre(1));
  EXPECT_THAT(CutAt(15.5), IsEmpty());
  Request(2, 15.9);
  EXPECT_THAT(CutAt(45.8), IsEmpty());
  EXPECT_THAT(connections_.TakeCuts(), (Connections::Cuts{.head = 1}));
}

TEST_F(ConnectionsTest, AKeptConnectionMayIdleAndThenHasTheTimeOfAHead) {
  Open(1, 0);
  Request(1, 1);
  EXPECT_THAT(CutAt(30.9), IsEmpty());
  connections_.RequestLineCame(1, At(30.9));
  EXPECT_THAT(CutAt(45.8), IsEmpty());
  EXPECT_THAT(CutAt(45.9), ElementsAre(1));

  Open(2, 0);
  Request(2, 1);
  EXPECT_THAT(CutAt(31), ElementsAre(2));
  EXPECT_THAT(connections_.TakeCuts(), (Connections::Cuts{.head = 1, .idle = 1}));
}

// Faults, case 29.
TEST_F(ConnectionsTest, ASlowClientThatGoesOnEndsAndOneThatTakesDropsIsCut) {
  for (const int fd : {1, 2}) {
    Open(fd, 0, absl::StrCat("10.0.0.", fd));
    acknowledged_[fd] = 5000;  // Of earlier answers.
    connections_.RequestBegan(fd, At(0));
  }
  // The first look at them is where their time begins.
  EXPECT_THAT(CutAt(0), IsEmpty());
  for (int minute = 1; minute < 1000; ++minute) {
    acknowledged_[1] += 1000;
    acknowledged_[2] += 999;
    EXPECT_THAT(CutAt(60.0 * minute - 0.1), IsEmpty());
    if (minute == 1) {
      EXPECT_THAT(CutAt(60.0), ElementsAre(2));
      EXPECT_TRUE(connections_.IsTooSlow(2));
    } else {
      ASSERT_THAT(CutAt(60.0 * minute), IsEmpty());
    }
  }
  EXPECT_FALSE(connections_.IsTooSlow(1));
  EXPECT_THAT(connections_.TakeCuts(), (Connections::Cuts{.slow = 1}));
}

// Faults, case 29.
TEST_F(ConnectionsTest, WhoWaitsMakesRoomAndWhoIsServedDoesNot) {
  Open(1, 0);
  connections_.RequestBegan(1, At(0));
  Open(2, 1);
  Request(2, 1);
  Open(3, 2);
  Open(4, 3);
  EXPECT_THAT(cut_, IsEmpty());
  Open(5, 4);  // Of those without a request ever, the oldest.
  EXPECT_THAT(cut_, ElementsAre(3));
  connections_.Closed(3);
  Open(6, 5);
  EXPECT_THAT(cut_, ElementsAre(3, 4));
  connections_.RequestBegan(5, At(5));
  connections_.RequestEnded(5, At(5));
  connections_.RequestBegan(6, At(5));
  Open(7, 6);  // Then the one that is kept longest. That 4 has not closed yet does not count.
  EXPECT_THAT(cut_, ElementsAre(3, 4, 2));
  EXPECT_EQ(connections_.TakeCuts(), (Connections::Cuts{.crowded = 3}));
}

// Faults, case 28.
TEST_F(ConnectionsTest, IpxeMayKeepItsConnectionForTenSeconds) {
  Connections connections(Connections::Limits(), {.cut = [this](int fd) { cut_.push_back(fd); },
                                                  .end_reading = [](int) {},
                                                  .acknowledged_bytes = [](int) { return 0; }});
  connections.Opened(1, *IpAddress::Parse("10.0.0.1"), At(0));
  for (const double seconds : {0, 10, 20}) {
    connections.CutExpired(At(seconds));
    connections.RequestLineCame(1, At(seconds));
    EXPECT_EQ(connections.RequestBegan(1, At(seconds)), Connections::Admission::kWelcome);
    connections.RequestEnded(1, At(seconds));
  }
  EXPECT_THAT(cut_, IsEmpty());
}

TEST_F(ConnectionsTest, WhenAllAreServedNobodyIsCut) {
  for (int fd = 1; fd <= 6; ++fd) {
    Open(fd, 0, absl::StrCat("10.0.0.", fd));
    connections_.RequestBegan(fd, At(0));
  }
  EXPECT_THAT(cut_, IsEmpty());
}

TEST_F(ConnectionsTest, OneAddressGetsSoManyRequestsAtATime) {
  for (const int fd : {1, 2, 3}) Open(fd, 0);
  Open(4, 0, "10.0.0.2");
  EXPECT_EQ(connections_.RequestBegan(1, At(0)), Connections::Admission::kWelcome);
  EXPECT_EQ(connections_.RequestBegan(2, At(0)), Connections::Admission::kWelcome);
  EXPECT_EQ(connections_.RequestBegan(3, At(0)), Connections::Admission::kTooManyOfAddress);
  EXPECT_EQ(connections_.RequestBegan(4, At(0)), Connections::Admission::kWelcome);
  connections_.RequestEnded(3, At(1));
  connections_.RequestEnded(1, At(1));
  EXPECT_EQ(connections_.RequestBegan(3, At(1)), Connections::Admission::kWelcome);
}

TEST_F(ConnectionsTest, DrainingEndsWhoWaitsAtOnceAndWhoIsServedAfterwards) {
  Open(1, 0);
  Open(2, 0);
  Request(2, 0);
  Open(3, 0);
  connections_.RequestBegan(3, At(0));
  connections_.Drain();
  EXPECT_THAT(ended_, ElementsAre(1, 2));
  EXPECT_EQ(connections_.AwaitRequests(absl::ZeroDuration()), 1u);
  connections_.RequestEnded(3, At(1));
  EXPECT_THAT(ended_, ElementsAre(1, 2, 3));
  EXPECT_EQ(connections_.AwaitRequests(absl::InfiniteDuration()), 0u);
  // What was on its way.
  EXPECT_EQ(connections_.RequestBegan(1, At(1)), Connections::Admission::kDraining);
  connections_.RequestEnded(1, At(1));
  Open(4, 1);
  EXPECT_THAT(cut_, ElementsAre(4));
}

TEST_F(ConnectionsTest, ANumberIsUsedAgain) {
  for (int i = 0; i < 100; ++i) {
    Open(7, i);
    Request(7, i);
    connections_.Closed(7);
  }
  EXPECT_EQ(connections_.size(), 0u);
  EXPECT_THAT(CutAt(1000), IsEmpty());
}

}  // namespace
}  // namespace autopxe::agent
