#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "agent/tftp/test_client.h"
#include "agent/tftp/test_server.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tftp::DataBlock;
using tftp::ErrorPacket;
using tftp::TestClient;

// faults.md case 22: transfers that nobody has answered make room for others, those that are
// answered do not.
TEST_F(TftpServerTest, AFloodOfRequestsDoesNotKeepARealClientOut) {
  options_.max_transfers = 3;
  files_["file"] = Pattern(1300);
  Start();
  TestClient honest;
  honest.Ask(address(), Octet("file"));
  const auto first = honest.Receive();
  EXPECT_EQ(Expect<DataBlock>(first).number, 1);
  honest.Acknowledge(first->from, 1);
  EXPECT_EQ(Expect<DataBlock>(honest.Receive()).number, 2);

  std::vector<std::unique_ptr<TestClient>> forged;
  for (int i = 0; i < 20; ++i) {
    forged.push_back(std::make_unique<TestClient>());
    forged.back()->Ask(address(), Octet("file"));
    EXPECT_EQ(Expect<DataBlock>(forged.back()->Receive()).number, 1);
  }
  EXPECT_THAT(Expect<ErrorPacket>(forged.front()->Receive()).text, HasSubstr("too many"));

  TestClient late;
  EXPECT_THAT(late.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(1300)));
  honest.Acknowledge(first->from, 2);
  EXPECT_EQ(Expect<DataBlock>(honest.Receive()).number, 3);
  honest.Acknowledge(first->from, 3);
  Stop();
  EXPECT_THAT(log_.Text(), AllOf(HasSubstr("result=evicted"), HasSubstr("result=menu bytes=1300")));
}

TEST_F(TftpServerTest, WhenAllTransfersAreRealARequestWaitsForItsNextTry) {
  options_.max_transfers = 1;
  files_["file"] = Pattern(700);
  Start();
  TestClient first;
  first.Ask(address(), Octet("file"));
  const auto answer = first.Receive();
  ASSERT_THAT(answer, IsOk());
  first.Acknowledge(answer->from, 1);
  EXPECT_EQ(Expect<DataBlock>(first.Receive()).number, 2);
  TestClient second;
  second.Ask(address(), Octet("file"));
  ExpectNextAnswerIsToAWrite(second);
  first.Acknowledge(answer->from, 2);
  // The first transfer is over when its port is closed; the server's own thread knows.
  absl::Notification ended;
  std::function<void()> look = [&] {
    if (log_.Text().find("bytes=700") != std::string::npos) return ended.Notify();
    loop_->StartTimer(EventLoop::Now() + std::chrono::milliseconds(1), look);
  };
  loop_->Post(look);
  ended.WaitForNotification();
  EXPECT_THAT(second.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(700)));
  Stop();
  EXPECT_THAT(log_.Text(), HasSubstr("warning event=requests-dropped"));
}

}  // namespace
}  // namespace autopxe::agent
