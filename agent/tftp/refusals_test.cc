#include "agent/tftp/refusals.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

UdpSocket OpenSocket() {
  auto socket = UdpSocket::Open(*IpEndpoint::Parse("127.0.0.1:0"));
  EXPECT_THAT(socket, IsOk());
  return *std::move(socket);
}

class RefusalsTest : public testing::Test {
 protected:
  // Something of `size` bytes that the client has sent.
  Datagram Came(size_t size) {
    sent_ = std::string(size, 'x');
    return {.bytes = sent_, .from = client_.local(), .to = socket_.local().address};
  }

  // What the client got; nothing is under way on the loopback.
  std::vector<std::string> Got() {
    outbox_.Flush();
    std::vector<std::string> packets;
    ReceiveBatch batch(64, 1000);
    do {
      EXPECT_THAT(client_.Receive(batch), IsOk());
      for (const Datagram& datagram : batch.datagrams()) packets.emplace_back(datagram.bytes);
    } while (!batch.datagrams().empty());
    return packets;
  }

  UdpSocket socket_ = OpenSocket();
  UdpSocket client_ = OpenSocket();
  Outbox outbox_{1000};
  Refusals refusals_{outbox_};
  std::string sent_;
};

TEST_F(RefusalsTest, AnErrorIsAtMostThreeTimesAsLongAsWhatItAnswers) {  // faults.md, case 20.
  const std::string text(100, 't');
  refusals_.Refuse(socket_, Came(4), ErrorCode::kAccessViolation, text);
  EXPECT_THAT(Got(), ElementsAre(BuildError(ErrorCode::kAccessViolation, text.substr(0, 7))));
  refusals_.Refuse(socket_, Came(2), ErrorCode::kAccessViolation, text);
  EXPECT_THAT(Got(), ElementsAre(BuildError(ErrorCode::kAccessViolation, "t")));
  for (const size_t size : {0, 1}) {
    refusals_.Refuse(socket_, Came(size), ErrorCode::kAccessViolation, text);
    EXPECT_THAT(Got(), IsEmpty()) << size;
  }
}

TEST_F(RefusalsTest, ARequestWithoutOptionsGetsTheWholeText) {
  const std::string text(100, 't');
  ReadRequest request{.path = "a"};
  refusals_.RefuseRead(socket_, Came(10), request, ErrorCode::kFileNotFound, text);
  EXPECT_THAT(Got(), ElementsAre(BuildError(ErrorCode::kFileNotFound, text)));
  request.options = {{"tsize", "0"}};
  refusals_.RefuseRead(socket_, Came(10), request, ErrorCode::kFileNotFound, text);
  EXPECT_THAT(Got(), ElementsAre(BuildError(ErrorCode::kFileNotFound, text.substr(0, 25))));
}

TEST_F(RefusalsTest, FewStraysAreAnsweredInATime) {
  const EventLoop::TimePoint now = EventLoop::Now();
  for (int i = 0; i < 100; ++i) refusals_.RefuseStray(socket_, Came(4), now);
  EXPECT_THAT(Got(), SizeIs(16));
  refusals_.RefuseStray(socket_, Came(4), now + std::chrono::milliseconds(9999));
  EXPECT_THAT(Got(), IsEmpty());
  refusals_.RefuseStray(socket_, Came(4), now + std::chrono::seconds(10));
  EXPECT_THAT(Got(), SizeIs(1));
}

}  // namespace
}  // namespace autopxe::agent::tftp
