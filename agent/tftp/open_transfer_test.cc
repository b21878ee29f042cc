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
    auto transfer = OpenTransfer::Open(
        *loop_, {peer, *IpAddress::Parse("127.0.0.1"), 0}, {"file", Mode::kOctet, {}},
        {.content = Content::FromText("text"), .path = "file", .host = {}, .result = "menu"},
        limits, buffers_, [this] {
          transfer_ = nullptr;  // As the server does: within a call of its own.
          loop_->Stop();
        });
    ASSERT_THAT(transfer, IsOk());
    transfer_ = *std::move(transfer);
  }

  TestClient client_;
  std::unique_ptr<EventLoop> loop_;
  OpenTransfer::Buffers buffers_;
  std::unique_ptr<OpenTransfer> transfer_;
};

TEST_F(OpenTransferTest, ItMayBeDestroyedFromItsOwnEnd) {
  OpenTo(client_.endpoint());
  transfer_->Start();
  const auto answer = client_.Receive();
  ASSERT_THAT(answer, IsOk());
  ASSERT_TRUE(std::holds_alternative<DataBlock>(answer->packet));
  client_.Acknowledge(answer->from, 1);
  loop_->Run();
  EXPECT_EQ(transfer_, nullptr);
}

TEST_F(OpenTransferTest, ItsTimerEndsIt) {
  OpenTransfer::Limits limits;
  limits.transfer.timeout = std::chrono::milliseconds(1);
  OpenTo(client_.endpoint(), limits);
  transfer_->Start();
  loop_->Run();
  EXPECT_EQ(transfer_, nullptr);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(client_.Receive(), IsOk());
}

TEST_F(OpenTransferTest, AnAbortIsToldToTheClientOnly) {
  OpenTo(client_.endpoint());
  transfer_->Abort(absl::ResourceExhaustedError("too many transfers"));
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
  loop_->Run();
  EXPECT_EQ(transfer_, nullptr);
}

TEST_F(OpenTransferTest, AnAddressThatIsNotOursIsAnError) {
  const auto transfer = OpenTransfer::Open(
      *loop_, {client_.endpoint(), *IpAddress::Parse("192.0.2.1"), 0}, {"file", Mode::kOctet, {}},
      {.content = Content::FromText("text"), .path = "file", .host = {}, .result = "menu"}, {},
      buffers_, [] {});
  EXPECT_FALSE(transfer.ok());
}

}  // namespace
}  // namespace autopxe::agent::tftp
