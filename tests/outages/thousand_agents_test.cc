// A thousand agents that lost their server together and come back to it together (faults.md, case
// 42): the calls of agents without agents around them, on one thread.

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "common/runtime/test_program.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "server/sqlite/database.h"

namespace autopxe::tests {
namespace {

constexpr int kAgents = 1000;
constexpr int kConnections = 20;  // An agent has one of its own; what a stream costs is the same.
constexpr int kHosts = 1000;
constexpr int64_t kMostGrowth = 64 << 20;  // Bytes that the server may grow by for all of them.

std::chrono::system_clock::time_point Patience() {
  return std::chrono::system_clock::now() + std::chrono::seconds(120);
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// autopxe-server, whose log is read to its end.
class ServerProgram {
 public:
  ServerProgram(const std::string& listen, const std::string& database)
      : program_("server/autopxe-server", {"--listen", listen, "--database", database}) {
    const std::string line = program_.WaitForLine("event=listening ");
    address_ = line.substr(line.rfind('=') + 1);
    reader_ = std::thread([this] { program_.ReadLog(); });
  }
  ~ServerProgram() {
    program_.Signal(SIGKILL);
    reader_.join();
    const TestProgram::End end = program_.Wait();
    EXPECT_EQ(end.signal, SIGKILL) << "exit code " << end.exit_code << ", log:\n" << end.err;
  }

  const std::string& address() const { return address_; }

  // In bytes: VmRSS, what it takes now, or VmHWM, the most that it has taken.
  int64_t Memory(const std::string& field) const {
    std::ifstream status(absl::StrCat("/proc/", program_.pid(), "/status"));
    for (std::string line; std::getline(status, line);) {
      const std::vector<std::string> words =
          absl::StrSplit(line, absl::ByAnyChar(": \t"), absl::SkipEmpty());
      int64_t kib = 0;
      if (words.size() > 1 && words[0] == field && absl::SimpleAtoi(words[1], &kib))
        return kib << 10;
    }
    ADD_FAILURE() << "no " << field;
    return 0;
  }

  // A sanitizer keeps what was freed.
  bool IsSanitized() const { return std::getenv("AUTOPXE_TEST_SANITIZED") != nullptr; }

 private:
  TestProgram program_;
  std::string address_;
  std::thread reader_;
};

// What is watched and checked of one agent: where it is, and that it came there step by step.
class Agent {
 public:
  Agent(std::string id, std::map<int64_t, std::string>& changes)
      : id_(std::move(id)), changes_(changes) {}

  // Watches from where it is. One event of `queue` at a time has this object's address as its tag.
  void Watch(v1::AgentService::Stub& stub, grpc::CompletionQueue& queue) {
    ASSERT_TRUE(is_away());
    reader_ = nullptr;  // It lies in its call's memory.
    context_ = std::make_unique<grpc::ClientContext>();
    v1::WatchConfigurationRequest request;
    request.set_agent_id(id_);
    request.set_instance("i1");
    if (position_.number() > 0) *request.mutable_resume_from() = position_;
    snapshots_ = 0;
    taken_ = 0;
    step_ = Step::kCalling;
    reader_ = stub.AsyncWatchConfiguration(context_.get(), request, &queue, this);
  }

  void Leave() { context_->TryCancel(); }

  void Proceed(bool ok) {
    if (step_ == Step::kFinishing) {
      step_ = Step::kAway;
      return;
    }
    if (ok && step_ == Step::kReading) Take();
    step_ = ok ? Step::kReading : Step::kFinishing;
    ok ? reader_->Read(&response_, this) : reader_->Finish(&status_, this);
  }

  bool is_away() const { return step_ == Step::kAway; }
  int64_t position() const { return position_.number(); }
  const grpc::Status& status() const { return status_; }  // Of the last watch.
  // Since the last watch began.
  int snapshots() const { return snapshots_; }
  int changes() const { return taken_; }

 private:
  enum class Step { kAway, kCalling, kReading, kFinishing };

  void Take() {
    if (response_.has_change()) {
      const v1::Change& change = response_.change();
      EXPECT_EQ(change.base().SerializeAsString(), position_.SerializeAsString()) << id_;
      position_ = change.revision().id();
      ++taken_;
      // The same for all.
      const std::string bytes = change.SerializeAsString();
      EXPECT_EQ(changes_.emplace(position_.number(), bytes).first->second, bytes) << id_;
    } else if (response_.has_snapshot()) {
      const v1::SnapshotPart& part = response_.snapshot();
      hosts_ = part.hosts_size() + (part.first() ? 0 : hosts_);
      if (!part.last()) return;
      EXPECT_EQ(hosts_, kHosts) << id_;
      ++snapshots_;
      position_ = part.revision().id();
    }
  }

  const std::string id_;
  std::map<int64_t, std::string>& changes_;  // As the first agent got them, by number.
  v1::RevisionId position_;
  int snapshots_ = 0;
  int taken_ = 0;
  int hosts_ = 0;
  Step step_ = Step::kAway;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::WatchConfigurationResponse>> reader_;
  v1::WatchConfigurationResponse response_;
  grpc::Status status_;
};

class ThousandAgentsTest : public testing::Test {
 protected:
  ThousandAgentsTest() {
    for (int i = 0; i < kAgents; ++i) agents_.emplace_back(absl::StrCat("agent-", i), changes_);
  }

  ~ThousandAgentsTest() override {
    server_ = nullptr;
    DriveUntil([this] { return All([](const Agent& agent) { return agent.is_away(); }); });
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void Start() {
    server_ = std::make_unique<ServerProgram>(address_, database_);
    ASSERT_NE(server_->address(), "");
    address_ = server_->address();
    administrator_ = v1::ConfigurationService::NewStub(Connect(address_));
    stubs_.clear();
    for (int i = 0; i < kConnections; ++i) {
      stubs_.push_back(v1::AgentService::NewStub(Connect(address_)));
    }
  }

  void Watch(int agent) {
    agents_[static_cast<size_t>(agent)].Watch(*stubs_[static_cast<size_t>(agent % kConnections)],
                                              queue_);
  }

  static v1::AssignHostsRequest Assignment(int first_host, int hosts, const std::string& distro) {
    v1::AssignHostsRequest request;
    for (int i = first_host; i < first_host + hosts; ++i) {
      request.add_hosts(absl::StrCat("52540000", absl::Dec(1000 + i, absl::kZeroPad4)));
    }
    request.set_distro(distro);
    return request;
  }

  // The revision that it made.
  int64_t Assign(int first_host, int hosts, const std::string& distro) {
    grpc::ClientContext context;
    context.set_deadline(Patience());
    v1::ApplyResponse response;
    const grpc::Status status =
        administrator_->AssignHosts(&context, Assignment(first_host, hosts, distro), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.revision().id().number();
  }

  bool All(const std::function<bool(const Agent&)>& is_so) const {
    for (const Agent& agent : agents_) {
      if (!is_so(agent)) return false;
    }
    return true;
  }

  // Lets calls proceed until `is_done`.
  void DriveUntil(const std::function<bool()>& is_done) {
    const auto end = Patience();
    while (!is_done()) {
      void* tag;
      bool ok;
      if (queue_.AsyncNext(&tag, &ok, end) != grpc::CompletionQueue::GOT_EVENT) {
        FAIL() << "nothing happens any more";
      }
      if (tag == &assigned_) {
        assigned_ = true;
      } else {
        static_cast<Agent*>(tag)->Proceed(ok);
      }
    }
  }

  // Until all agents but those that are away are at `revision`.
  void DriveTo(int64_t revision) {
    DriveUntil([&] {
      return All(
          [&](const Agent& agent) { return agent.is_away() || agent.position() == revision; });
    });
  }

  std::string database_ = NewTestFolder() + "/autopxe.db";
  std::string address_ = "127.0.0.1:0";
  std::unique_ptr<ServerProgram> server_;
  std::unique_ptr<v1::ConfigurationService::Stub> administrator_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<v1::AgentService::Stub>> stubs_;
  std::map<int64_t, std::string> changes_;
  std::deque<Agent> agents_;
  bool assigned_ = false;  // What was assigned through the queue is acknowledged.
};

TEST_F(ThousandAgentsTest, ComeBackAtOnceAndEachGetsExactlyWhatItMissed) {
  // The last quarter of the agents leaves before the first three of nine changes, another before
  // the next three, and so on; the first stays.
  constexpr int kQuarters = 4;
  constexpr int kEach = 3;
  ASSERT_NO_FATAL_FAILURE(Start());
  const int64_t base = Assign(0, kHosts, "local");
  for (int i = 0; i < kAgents; ++i) Watch(i);
  DriveTo(base);
  int64_t newest = base;
  for (int gone = kQuarters - 1; gone > 0; --gone) {
    for (int i = gone; i < kAgents; i += kQuarters) agents_[static_cast<size_t>(i)].Leave();
    DriveUntil([&] {
      for (int i = gone; i < kAgents; i += kQuarters) {
        if (!agents_[static_cast<size_t>(i)].is_away()) return false;
      }
      return true;
    });
    for (int i = 0; i < kEach; ++i) newest = Assign(10 * i, 10, gone % 2 == 0 ? "menu" : "wait");
    DriveTo(newest);
  }
  ASSERT_EQ(newest, base + kEach * (kQuarters - 1));

  server_ = nullptr;  // Killed.
  DriveUntil([this] { return All([](const Agent& agent) { return agent.is_away(); }); });
  // What the last quarter would need has been trimmed meanwhile.
  {
    const auto database = server::Database::Open({.path = database_});
    ASSERT_THAT(database, IsOk());
    ASSERT_THAT(
        (*database)->Execute(absl::StrCat("UPDATE history SET trimmed_to = ", base + kEach)),
        IsOk());
  }

  ASSERT_NO_FATAL_FAILURE(Start());
  const int64_t memory = server_->Memory("VmRSS");
  for (int i = 0; i < kAgents; ++i) Watch(i);
  grpc::ClientContext context;
  context.set_deadline(Patience());
  v1::ApplyResponse response;
  grpc::Status status;
  const auto call = administrator_->AsyncAssignHosts(&context, Assignment(500, 1, "menu"), &queue_);
  call->Finish(&response, &status, &assigned_);
  DriveUntil([this] { return assigned_; });
  ASSERT_TRUE(status.ok()) << status.error_message();
  const int64_t during = response.revision().id().number();
  EXPECT_EQ(during, newest + 1);
  DriveTo(during);
  for (int i = 0; i < kAgents; ++i) {
    const Agent& agent = agents_[static_cast<size_t>(i)];
    const int quarter = i % kQuarters;  // Which has missed that many times three changes.
    EXPECT_FALSE(agent.is_away()) << i << ": " << agent.status().error_message();
    if (quarter == kQuarters - 1) {
      EXPECT_EQ(agent.snapshots(), 1) << i;
      EXPECT_LE(agent.changes(), 1) << i;  // The one that was made meanwhile.
    } else {
      EXPECT_EQ(agent.snapshots(), 0) << i;
      EXPECT_EQ(agent.changes(), quarter * kEach + 1) << i;
    }
  }
  // And all follow from now on.
  DriveTo(Assign(501, 1, "menu"));
  EXPECT_TRUE(All([](const Agent& agent) { return !agent.is_away(); }));
  if (!server_->IsSanitized()) {
    EXPECT_LT(server_->Memory("VmHWM"), memory + kMostGrowth);
  }
  RecordProperty("growth_kib", static_cast<int>((server_->Memory("VmHWM") - memory) >> 10));
}

}  // namespace
}  // namespace autopxe::tests
