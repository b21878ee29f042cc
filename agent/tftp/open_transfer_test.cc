#include "agent/tftp/open_transfer.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "agent/tftp/test_client.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

// A transfer of "text" to `client`, on a loop that runs until it has ended by itself.
class OpenTransferTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loop = EventLoop::Open();
    ASSERT_THAT(loop, IsOk());
    loop_ = *std::move(loop);
  }

  void OpenTo(const IpEndpoint& peer, OpenTransfer::Limits limits = {}) {
    transfer_ = std::make_unique<OpenTransfer>(
        OpenTransfer::Shared{*loop_, outbox_, chunks_}, socket_,
        Peer{peer, *IpAddress::Parse("127.0.0.1"), 0}, ReadRequest{"file", Mode::kOctet, {}}, 20,
        ResolvedContent{
            .content = Content::FromText("text"), .path = "file", .host = {}, .result = "menu"},
        limits, [this] {
          transfer_ = nullptr;  // As the server does: within a call of its own.
          loop_->Stop();
        });
  }

  // Passes on what the client sends, as the server does.
  void Serve() {
    auto watch = loop_->Watch(socket_.fd(), [this] {
      ReceiveBatch batch(1, 100);
      ASSERT_THAT(socket_.Receive(batch), IsOk());
      ASSERT_EQ(batch.datagrams().size(), 1u);
      transfer_->OnPacket(batch.datagrams()[0].bytes, EventLoop::Now());
      outbox_.Flush();
    });
    ASSERT_THAT(watch, IsOk());
    loop_->Run();
    loop_->Unwatch(*watch);
  }

  TestClient client_;
  std::unique_ptr<EventLoop> loop_;
  Outbox outbox_{OpenTransfer::kOutboxBytes};
  RecentChunks chunks_;
  UdpSocket socket_ = *UdpSocket::Open(*IpEndpoint::Parse("127.0.0.1:0"));
  std::unique_ptr<OpenTransfer> transfer_;
};

TEST_F(OpenTransferTest, ItMayBeDestroyedFromItsOwnEnd) {
  OpenTo(client_.endpoint());
  transfer_->Start();
  outbox_.Flush();
  const auto answer = client_.Receive();
  ASSERT_THAT(answer, IsOk());
  ASSERT_TRUE(std::holds_alternative<DataBlock>(answer->packet));
  client_.Acknowledge(answer->from, 1);
  Serve();
  EXPECT_EQ(transfer_, nullptr);
}

TEST_F(OpenTransferTest, ItsTimerEndsIt) {
  OpenTransfer::Limits limits;
  limits.transfer.timeout = std::chrono::milliseconds(1);
  OpenTo(client_.endpoint(), limits);
  transfer_->Start();
  outbox_.Flush();
  loop_->Run();
  EXPECT_EQ(transfer_, nullptr);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(client_.Receive(), IsOk());
}

TEST_F(OpenTransferTest, AnAbortIsToldToTheClientOnly) {
  OpenTo(client_.endpoint());
  transfer_->Abort(absl::ResourceExhaustedError("too many transfers"));
  outbox_.Flush();
  const auto answer = client_.Receive();
  ASSERT_THAT(answer, IsOk());
  EXPECT_TRUE(std::holds_alternative<ErrorPacket>(answer->packet));
  EXPECT_NE(transfer_, nullptr) << "the caller knows";
}

// faults.md case 14, where the kernel itself refuses the packet: as good as lost.
TEST_F(OpenTransferTest, AClientThatCantBeReachedIsForgottenLikeASilentOne) {
  OpenTransfer::Limits limits;
  limits.transfer.timeout = std::chrono::milliseconds(1);
  OpenTo({*IpAddress::Parse("127.0.0.1"), 0}, limits);
  transfer_->Start();
  outbox_.Flush();
  loop_->Run();
  EXPECT_EQ(transfer_, nullptr);
}

}  // namespace
}  // namespace autopxe::agent::tftp
