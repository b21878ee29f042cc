#include "agent/tftp/request_log.h"

#include <memory>
#include <string>
#include <utility>

#include "agent/tftp/test_client.h"
#include "common/runtime/captured_log.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(RequestLogTest, ARefusalHasTheSameKeysInTheSameOrder) {
  CapturedLog log;
  const IpEndpoint client = *IpEndpoint::Parse("10.77.1.85:1052");
  LogRefused(client, "grub/command.lst", "not-found", "");
  LogRefused(client, "", "malformed", "no mode");
  EXPECT_EQ(log.Text(),
            "info event=request protocol=tftp host=- client=10.77.1.85:1052 path=grub/command.lst "
            "result=not-found bytes=0 duration_ms=0\n"
            "info event=request protocol=tftp host=- client=10.77.1.85:1052 path=\"\" "
            "result=malformed bytes=0 duration_ms=0 error=\"no mode\"\n");
}

// faults.md case 4.
TEST(RequestLogTest, NothingThatAClientSaysGetsIntoTheLogAsItIs) {
  CapturedLog log;
  LogRefused(*IpEndpoint::Parse("[fd00::1]:7"), "a\nevent=request\x1b[2J result=ok", "refused",
             "\x1b]0;x\x07");
  EXPECT_EQ(log.Text(),
            "info event=request protocol=tftp host=- client=[fd00::1]:7 "
            "path=\"a\\x0aevent=request\\x1b[2J result=ok\" result=refused bytes=0 duration_ms=0 "
            "error=\"\\x1b]0;x\\x07\"\n");
}

TEST(RequestLogTest, ATransferThatWasEndedNamesItsHostAndWhy) {
  auto loop = EventLoop::Open();
  ASSERT_THAT(loop, IsOk());
  Outbox outbox(OpenTransfer::kOutboxBytes);
  RecentChunks chunks;
  auto socket = UdpSocket::Open(*IpEndpoint::Parse("127.0.0.1:0"));
  ASSERT_THAT(socket, IsOk());
  const TestClient client;
  OpenTransfer transfer({**loop, outbox, chunks}, *socket,
                        {client.endpoint(), *IpAddress::Parse("127.0.0.1"), 0},
                        {"file", Mode::kOctet, {}}, 20,
                        {.content = Content::FromText("text"),
                         .path = "the/path",
                         .host = MacAddress::FromOctets({0x52, 0x54, 0, 0x12, 0x34, 0x56}),
                         .result = "menu"},
                        {}, [] {});
  CapturedLog log;
  LogEnded(transfer, "evicted");
  EXPECT_THAT(log.Text(),
              StartsWith("info event=request protocol=tftp host=52:54:00:12:34:56 client=" +
                         client.endpoint().Format() +
                         " path=the/path result=evicted bytes=0 duration_ms="));
  transfer.Abort(absl::DataLossError("the file was changed"));
  LogEnded(transfer);
  EXPECT_THAT(log.Text(), AllOf(HasSubstr("\nwarning event=request "), HasSubstr("result=changed"),
                                EndsWith(" error=\"the file was changed\"\n")));
}

}  // namespace
}  // namespace autopxe::agent::tftp
