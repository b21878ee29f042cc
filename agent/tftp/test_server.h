#pragma once

#include <fcntl.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/types/optional.h"
#include "agent/content/content.h"
#include "agent/content/path_resolver.h"
#include "agent/net/event_loop.h"
#include "agent/tftp/packet.h"
#include "agent/tftp/server.h"
#include "agent/tftp/test_client.h"
#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"
#include "common/runtime/captured_log.h"
#include "common/status/status_macros.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {

template <size_t size>
std::string Literal(const char (&text)[size]) {
  return std::string(text, size - 1);
}

inline std::string Pattern(size_t size) {
  std::string content(size, '\0');
  std::mt19937 random(static_cast<uint32_t>(size));
  for (char& c : content) c = static_cast<char>(random());
  return content;
}

inline tftp::ReadRequest Octet(std::string path, std::vector<tftp::Option> options = {}) {
  return {std::move(path), tftp::Mode::kOctet, std::move(options)};
}

// For tests: a TFTP server on the loopback with a loop of its own; what it serves is in `files`.
class TftpServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loop = EventLoop::Open();
    ASSERT_THAT(loop, IsOk());
    loop_ = *std::move(loop);
    options_.listen = {*IpEndpoint::Parse("127.0.0.1:0")};
  }

  void TearDown() override { Stop(); }

  void Start() {
    auto server =
        TftpServer::Open(*loop_, options_, [this](const ContentRequest& r) { return Resolve(r); });
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    thread_ = std::thread([this] { loop_->Run(); });
  }

  void Stop() {
    if (thread_.joinable()) {
      loop_->Stop();
      thread_.join();
    }
    server_ = nullptr;
  }

  const IpEndpoint& address() const { return server_->endpoints()[0]; }

  // Waits until everything that has come is done; the transfers too.
  void Settle() { ASSERT_EQ(server_->Drain(absl::Seconds(30)), 0u); }

  // `client` asks for "file" and acknowledges its first block. Returns where that came from.
  IpEndpoint BeginFile(tftp::TestClient& client) {
    client.Ask(address(), Octet("file"));
    const auto answer = client.Receive();
    EXPECT_THAT(answer, IsOk());
    if (!answer.ok()) return address();
    client.Acknowledge(answer->from, 1);
    return answer->from;
  }

  // An answer that shows that what `client` had sent to the same port before was dealt with:
  // packets stay in order on the loopback.
  void ExpectNextAnswerIsToAWrite(tftp::TestClient& client) {
    client.Send(address(), Literal("\0\2x\0octet\0"));
    const auto answer = client.Receive();
    ASSERT_THAT(answer, IsOk());
    ASSERT_TRUE(std::holds_alternative<tftp::ErrorPacket>(answer->packet))
        << answer->packet.index();
    EXPECT_EQ(std::get<tftp::ErrorPacket>(answer->packet).code, 2);
  }

  // Waits until the loop has done what it was told before.
  void AwaitLoop() {
    absl::Notification done;
    loop_->Post([&] { done.Notify(); });
    done.WaitForNotification();
  }

  // Waits until the log tells of `text`; the server goes on listening, as it does not with
  // Settle().
  void WaitForLog(const std::string& text) {
    absl::Notification found;
    std::function<void()> look = [&] {
      if (log_.Text().find(text) != std::string::npos) return found.Notify();
      loop_->StartTimer(EventLoop::Now() + std::chrono::milliseconds(1), look);
    };
    loop_->Post(look);
    found.WaitForNotification();
  }

  std::string WriteFile(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(testing::TempDir(), "/", name);
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  // Both may be changed before Start() only.
  TftpServer::Options options_;
  std::map<std::string, std::string> files_;       // Path -> text.
  std::map<std::string, std::string> disk_files_;  // Path -> where it is on disk.
  std::map<std::string, absl::Status> refusals_;   // Path -> why.

  int fetches_ = 0;  // Of `files`. Written by the loop's thread: read it after Stop().
  CapturedLog log_;
  std::vector<ContentRequest> requests_;  // Written by the loop's thread: read it after Stop().
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<TftpServer> server_;
  std::thread thread_;

 private:
  absl::StatusOr<ResolvedContent> Resolve(const ContentRequest& request) {
    requests_.push_back(request);
    if (const auto file = files_.find(request.path); file != files_.end()) {
      return ResolvedContent{.content = Content::FromText(file->second),
                             .path = request.path,
                             .host = MacAddress::FromOctets({0x52, 0x54, 0, 0x12, 0x34, 0x56}),
                             .result = "menu",
                             .on_fetch = [this] { ++fetches_; }};
    }
    if (const auto file = disk_files_.find(request.path); file != disk_files_.end()) {
      ASSIGN_OR_RETURN(auto content,
                       Content::FromFile(open(file->second.c_str(), O_RDONLY | O_CLOEXEC)));
      return ResolvedContent{
          .content = content, .path = request.path, .host = absl::nullopt, .result = "kernel"};
    }
    const auto refusal = refusals_.find(request.path);
    return refusal != refusals_.end() ? refusal->second : absl::NotFoundError("no such file");
  }
};

// The answer must be of this kind; anything else fails the test.
template <typename Kind>
Kind Expect(const absl::StatusOr<tftp::TestClient::Answer>& answer) {
  EXPECT_THAT(answer, IsOk());
  if (!answer.ok()) return {};
  const Kind* const kind = std::get_if<Kind>(&answer->packet);
  EXPECT_NE(kind, nullptr) << "packet of kind " << answer->packet.index();
  return kind == nullptr ? Kind{} : *kind;
}

}  // namespace autopxe::agent
