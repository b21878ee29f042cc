// The program itself: its flags, signals and exit codes.

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/http/test_client.h"
#include "agent/tftp/packet.h"
#include "agent/tftp/test_client.h"
#include "common/model/ip_endpoint.h"
#include "common/runtime/test_program.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr char kKernel[] = "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
constexpr size_t kKernelBytes = 16 << 20;
constexpr size_t kLoaderBytes = 1200;  // Three blocks of TFTP.

class MainTest : public testing::Test {
 protected:
  MainTest() : folder_(NewTestFolder()) {
    const std::string boot = folder_ + "/rootfs/debian/bookworm/boot";
    std::filesystem::create_directories(boot);
    std::filesystem::create_directories(folder_ + "/loaders");
    std::ofstream(boot + "/vmlinuz-6.1.0-25-amd64") << std::string(kKernelBytes, 'k');
    std::ofstream(boot + "/initrd.img-6.1.0-25-amd64") << "initrd";
    for (const auto& file : std::filesystem::directory_iterator(boot)) {
      // What is new may still be on its way in.
      std::filesystem::last_write_time(
          file.path(), std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    }
    std::ofstream(folder_ + "/loaders/undionly.kpxe") << std::string(kLoaderBytes, 'l');
  }
  ~MainTest() override { std::filesystem::remove_all(folder_); }

  std::string file() const { return folder_ + "/agent.yaml"; }

  // A configuration that is good, `more` apart.
  std::string Configuration(const std::string& more = "") const {
    return absl::StrCat("id: lab\nserver: 127.0.0.1:1\nrootfs: ", folder_,
                        "/rootfs\nloaders: ", folder_, "/loaders\nstate: ", folder_,
                        "/state\ntftp-listen: 127.0.0.1:0\nhttp-listen: 127.0.0.1:0\n", more);
  }

  // Runs with that configuration, until it serves. If it does not, that is a fatal failure: clients
  // would wait for it.
  void Start(const std::string& more = "") {
    std::ofstream(file()) << Configuration(more);
    program_ = std::make_unique<TestProgram>("agent/autopxe-agent",
                                             std::vector<std::string>{"--config", file()});
    ASSERT_NO_FATAL_FAILURE(WaitUntilListening("tftp", tftp_));
    ASSERT_NO_FATAL_FAILURE(WaitUntilListening("http", http_));
    ASSERT_NE(program_->WaitForLine("event=started"), "");
  }

  // Writes another configuration and lets it be read. Returns the line that says what became of it.
  std::string Reload(const std::string& configuration) {
    std::ofstream(file()) << configuration;
    program_->Signal(SIGHUP);
    return program_->WaitForLine("event=reload");
  }

  std::string FetchByTftp(const std::string& path) {
    tftp::TestClient client;
    const auto text =
        client.Fetch(tftp_, {.path = path, .mode = tftp::Mode::kOctet, .options = {}});
    return text.ok() ? *text : text.status().ToString();
  }

  std::string folder_;
  std::unique_ptr<TestProgram> program_;
  IpEndpoint tftp_ = *IpEndpoint::Parse("127.0.0.1:1");
  IpEndpoint http_ = tftp_;

 private:
  void WaitUntilListening(const std::string& protocol, IpEndpoint& endpoint) {
    const std::string line =
        program_->WaitForLine(absl::StrCat("event=listening protocol=", protocol));
    const auto parsed = IpEndpoint::Parse(line.substr(line.rfind('=') + 1));
    ASSERT_THAT(parsed, IsOk()) << line;
    endpoint = *parsed;
  }
};

// A transfer of the loader whose first block has come, and is not acknowledged yet.
class BegunTransfer {
 public:
  explicit BegunTransfer(const IpEndpoint& server) {
    client_.Ask(server, {.path = "undionly.kpxe", .mode = tftp::Mode::kOctet, .options = {}});
    const auto first = client_.Receive();
    EXPECT_THAT(first, IsOk());
    if (first.ok()) from_ = first->from;
  }

  // The rest of it. Returns how many blocks there were, or the text of an ERROR.
  std::string End() {
    uint16_t number = 1;
    while (true) {
      client_.Acknowledge(from_, number);
      const auto next = client_.Receive();
      if (!next.ok()) return next.status().ToString();
      if (const auto* error = std::get_if<tftp::ErrorPacket>(&next->packet)) return error->text;
      const auto* block = std::get_if<tftp::DataBlock>(&next->packet);
      // One that was sent again while this client was waiting.
      if (block == nullptr || block->number != number + 1) continue;
      ++number;
      if (block->payload.size() == 512) continue;
      client_.Acknowledge(from_, number);
      return absl::StrCat(number, " blocks");
    }
  }

  // The text of the next ERROR.
  std::string NextError() {
    while (true) {
      const auto next = client_.Receive();
      if (!next.ok()) return next.status().ToString();
      if (const auto* error = std::get_if<tftp::ErrorPacket>(&next->packet)) return error->text;
    }
  }

 private:
  tftp::TestClient client_;
  IpEndpoint from_ = client_.endpoint();
};

std::unique_ptr<HttpTestClient> BeginDownload(const IpEndpoint& server) {
  auto client = std::make_unique<HttpTestClient>(
      server, HttpTestClient::Options{.receive_buffer = 4096, .address = {}});
  client->Send(absl::StrCat("GET /", kKernel, " HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(client->ReadMore());
  return client;
}

TEST_F(MainTest, ATerminateEndsItWithSuccess) {
  for (const int number : {SIGTERM, SIGINT}) {
    ASSERT_NO_FATAL_FAILURE(Start());
    program_->Signal(number);
    const TestProgram::End end = program_->Wait();
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_THAT(end.err, HasSubstr("event=stopped"));
    EXPECT_THAT(end.err, Not(HasSubstr("event=cut-off")));
  }
}

// faults.md 52.
TEST_F(MainTest, WhatIsUnderWayMayEndAndNothingNewIsTaken) {
  ASSERT_NO_FATAL_FAILURE(Start("shutdown-grace: 10m\n"));
  std::vector<std::unique_ptr<BegunTransfer>> transfers;
  for (int i = 0; i < 256; ++i) {
    transfers.push_back(std::make_unique<BegunTransfer>(tftp_));
    ASSERT_FALSE(HasFailure()) << "each of the others would wait as long";
  }
  std::vector<std::unique_ptr<HttpTestClient>> downloads;
  for (int i = 0; i < 4; ++i) downloads.push_back(BeginDownload(http_));
  HttpTestClient idle(http_);
  idle.Send("HEAD /boot.ipxe HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(idle.Read(false).status, 200);

  program_->Signal(SIGTERM);
  ASSERT_NE(program_->WaitForLine("event=stopping"), "");
  EXPECT_TRUE(idle.IsClosed());
  for (const auto& transfer : transfers) ASSERT_EQ(transfer->End(), "3 blocks");
  for (const auto& download : downloads) {
    EXPECT_EQ(download->Read().body.size(), kKernelBytes);
    EXPECT_TRUE(download->IsClosed());
  }
  const TestProgram::End end = program_->Wait();
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, AllOf(HasSubstr("event=stopped"), Not(HasSubstr("event=cut-off"))));
}

// faults.md 52.
TEST_F(MainTest, WhatIsStillOpenAtTheLimitIsCutAndLogged) {
  ASSERT_NO_FATAL_FAILURE(Start("shutdown-grace: 300ms\n"));
  BegunTransfer transfer(tftp_);
  ASSERT_FALSE(HasFailure());
  const auto download = BeginDownload(http_);
  program_->Signal(SIGTERM);
  EXPECT_THAT(transfer.NextError(), HasSubstr("shuts down"));
  EXPECT_LT(download->ReadToEnd().size(), kKernelBytes);
  const TestProgram::End end = program_->Wait();
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, AllOf(HasSubstr("event=stopping signal=15 grace=0.300"),
                             HasSubstr("event=cut-off tftp=1 http=1"),
                             HasSubstr("protocol=tftp host=- client="),
                             HasSubstr("path=undionly.kpxe result=shutdown"),
                             HasSubstr(absl::StrCat("path=", kKernel, " result=shutdown")),
                             HasSubstr("event=stopped")));
}

TEST_F(MainTest, ASecondTerminateEndsItAtOnce) {
  ASSERT_NO_FATAL_FAILURE(Start("shutdown-grace: 1h\n"));
  const auto download = BeginDownload(http_);
  program_->Signal(SIGTERM);
  ASSERT_NE(program_->WaitForLine("event=stopping"), "");
  program_->Signal(SIGTERM);
  EXPECT_EQ(program_->Wait().signal, SIGTERM);
}

// faults.md 52.
TEST_F(MainTest, AHangUpTakesOverWhatCanChangeAndNamesWhatTakesARestart) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_THAT(FetchByTftp("boot.ipxe"), HasSubstr("127.0.0.1"));
  EXPECT_THAT(Reload(Configuration("advertise: 10.77.1.1\nlog-level: debug\n")),
              HasSubstr("result=ok changed=2 need_restart=0"));
  ASSERT_THAT(FetchByTftp("boot.ipxe"), HasSubstr("10.77.1.1"));
  std::ofstream(file()) << Configuration("shutdown-grace: 1s\nstart-script-for-ipxe: no\n")
                        << "#\n";
  program_->Signal(SIGHUP);
  EXPECT_THAT(program_->WaitForLine("option=advertise"),
              HasSubstr("old=10.77.1.1 new=\"\" effect=now"));
  EXPECT_THAT(program_->WaitForLine("option=start-script-for-ipxe"),
              HasSubstr("old=true new=false effect=now"));
  EXPECT_THAT(program_->WaitForLine("option=shutdown-grace"),
              HasSubstr("old=30s new=1s effect=now"));
  ASSERT_THAT(FetchByTftp("boot.ipxe"), HasSubstr("127.0.0.1"));
  std::string other = Configuration();
  other.replace(other.find("id: lab"), 7, "id: east");
  std::ofstream(file()) << other;
  program_->Signal(SIGHUP);
  EXPECT_THAT(program_->WaitForLine("option=id"), HasSubstr("old=lab new=east effect=at-restart"));
  EXPECT_THAT(program_->WaitForLine("event=reload"), HasSubstr("result=ok"));
  program_->Signal(SIGTERM);
  EXPECT_EQ(program_->Wait().exit_code, 0);
}

// faults.md 52, 48.
TEST_F(MainTest, ABadConfigurationLeavesTheOldOneInForceWithOneLine) {
  ASSERT_NO_FATAL_FAILURE(Start("advertise: 10.77.1.1\n"));
  const std::pair<std::string, std::string> kCases[] = {
      {Configuration("rescan: never\n"), "agent.yaml:8: unknown key"},
      {Configuration("advertise: nowhere\n"), "agent.yaml:8 (advertise): "},
      {"rootfs: [", "agent.yaml:"},
      {"a: \"\\\x1b[31m\"\n", "agent.yaml:1: "},
      {"\x1b[31m\x07: 1\n", "agent.yaml:1: "},
      {"", "--rootfs"},
  };
  for (const auto& [text, error] : kCases) {
    const std::string line = Reload(text);
    EXPECT_THAT(line, AllOf(HasSubstr("result=refused"), HasSubstr(error))) << text;
    for (const char byte : line) EXPECT_TRUE(byte >= ' ' && byte < 127) << line;
  }
  std::filesystem::remove(file());
  program_->Signal(SIGHUP);
  EXPECT_THAT(program_->WaitForLine("event=reload"),
              AllOf(HasSubstr("result=refused"), HasSubstr("No such file")));
  std::filesystem::create_directory(file());
  program_->Signal(SIGHUP);
  EXPECT_THAT(program_->WaitForLine("event=reload"), HasSubstr("result=refused"));
  ASSERT_THAT(FetchByTftp("boot.ipxe"), HasSubstr("10.77.1.1"));
}

TEST_F(MainTest, ASecondAgentIsRefusedWithTheReason) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const std::vector<std::string> args = {"--config", file(), "--log-level", "error"};
  const TestProgram::End state = TestProgram("agent/autopxe-agent", args).Wait();
  EXPECT_EQ(state.exit_code, 1);
  EXPECT_THAT(state.err,
              AllOf(MatchesRegex("autopxe-agent: [ -~]+\n"), HasSubstr("another agent uses"),
                    HasSubstr(folder_ + "/state"), HasSubstr("--state")));
  for (const auto& [option, endpoint] :
       {std::pair("--tftp-listen", tftp_.Format()), std::pair("--http-listen", http_.Format())}) {
    std::vector<std::string> other = args;
    other.insert(other.end(), {option, endpoint, "--state", folder_ + "/other"});
    const TestProgram::End port = TestProgram("agent/autopxe-agent", other).Wait();
    EXPECT_EQ(port.exit_code, 1);
    EXPECT_THAT(port.err, AllOf(MatchesRegex("autopxe-agent: [ -~]+\n"), HasSubstr(endpoint),
                                HasSubstr("Address already in use"), HasSubstr(option)));
  }
}

TEST_F(MainTest, AWrongCallIsTwoAndHelpIsSuccess) {
  std::ofstream(folder_ + "/\x1b[31m.yaml") << "a: \"\\\x1b[31m\"\n";
  for (const std::vector<std::string>& args : {std::vector<std::string>{"--rootsf", "/r"},
                                               {},
                                               {"stray\x1b[31m"},
                                               {"--config", "/nowhere/agent.yaml"},
                                               {"--config", folder_ + "/\x1b[31m.yaml"}}) {
    const TestProgram::End end = TestProgram("agent/autopxe-agent", args).Wait();
    EXPECT_EQ(end.exit_code, 2) << testing::PrintToString(args);
    EXPECT_THAT(end.err, MatchesRegex("autopxe-agent: [ -~]+\n"));
    EXPECT_THAT(end.out, IsEmpty());
  }
  for (const char* flag : {"--help", "--version"}) {
    const TestProgram::End end = TestProgram("agent/autopxe-agent", {flag}).Wait();
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_THAT(end.out, HasSubstr("autopxe-agent"));
    EXPECT_THAT(end.err, IsEmpty());
  }
}

}  // namespace
}  // namespace autopxe::agent
