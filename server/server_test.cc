#include "server/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "autopxe/v1/catalog.grpc.pb.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "common/model/catalog.h"
#include "common/runtime/logging.h"
#include "common/status/grpc_status.h"
#include "common/status/status_matchers.h"
#include "common/wire/catalog_wire.h"
#include "common/wire/change_wire.h"
#include "common/wire/revision_wire.h"
#include "common/wire/snapshot_wire.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "server/store/store.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// The bytes that the server answers to a call of a service whose messages have no header here.
std::string CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                    const std::string& request) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, method, &queue);
  void* tag;
  bool ok = false;
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  grpc::Slice slice(request);
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  queue.Next(&tag, &ok);
  grpc::ByteBuffer response;
  call->Read(&response, nullptr);
  queue.Next(&tag, &ok);
  std::vector<grpc::Slice> slices;
  if (ok) response.Dump(&slices);
  std::string bytes;
  for (const grpc::Slice& part : slices) {
    bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
  }
  context.TryCancel();
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  return bytes;
}

// A watch that is followed as an agent does.
class Watcher {
 public:
  Watcher(const std::shared_ptr<grpc::Channel>& channel,
          std::shared_ptr<const Snapshot> snapshot = nullptr)
      : stub_(v1::AgentService::NewStub(channel)), snapshot_(std::move(snapshot)) {
    v1::WatchConfigurationRequest request;
    request.set_agent_id("east");
    request.set_instance("instance-1");
    if (snapshot_ != nullptr) *request.mutable_resume_from() = ToProto(snapshot_->revision().id);
    reader_ = stub_->WatchConfiguration(&context_, request);
  }

  ~Watcher() {
    context_.TryCancel();
    v1::WatchConfigurationResponse rest;
    while (reader_->Read(&rest)) {
    }
    reader_->Finish();
  }

  void FollowTo(int64_t number) {
    v1::WatchConfigurationResponse response;
    while (snapshot_ == nullptr || snapshot_->revision().id.number < number) {
      ASSERT_TRUE(reader_->Read(&response)) << "the watch has ended";
      if (response.has_snapshot()) {
        ++snapshots_;
        auto added = assembler_.Add(response.snapshot());
        ASSERT_THAT(added, IsOk());
        if (added->has_value()) snapshot_ = **added;
      } else if (response.has_change()) {
        auto applied = Apply(*snapshot_, **FromProto(response.change()));
        ASSERT_THAT(applied, IsOk());
        snapshot_ = *applied;
      }
    }
  }

  const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  int snapshots() const { return snapshots_; }

 private:
  std::unique_ptr<v1::AgentService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchConfigurationResponse>> reader_;
  SnapshotAssembler assembler_;
  std::shared_ptr<const Snapshot> snapshot_;
  int snapshots_ = 0;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    std::string pattern = testing::TempDir() + "/server_test.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    config_.listen = {*IpEndpoint::Parse("127.0.0.1:0")};
    config_.database = folder_ + "/autopxe.db";
    config_.shutdown_grace = absl::Seconds(5);
  }

  void Start() {
    auto server = Server::Open(config_, clock_);
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    ASSERT_EQ(server_->listening().size(), config_.listen.size());
    channel_ = Connect(server_->listening()[0]);
    stub_ = v1::ConfigurationService::NewStub(channel_);
  }

  void Stop() { server_ = nullptr; }

  static std::shared_ptr<grpc::Channel> Connect(const IpEndpoint& endpoint) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(endpoint.Format(), grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  absl::StatusOr<v1::ApplyResponse> Apply(const std::string& text) {
    grpc::ClientContext context;
    v1::ApplyResponse response;
    const grpc::Status status = stub_->Apply(&context, FromText<v1::ApplyRequest>(text), &response);
    if (!status.ok()) return ToAbslStatus(status);
    return response;
  }

  absl::StatusOr<v1::Host> GetHost(const std::string& host) {
    grpc::ClientContext context;
    v1::GetHostRequest request;
    request.set_host(host);
    v1::Host response;
    const grpc::Status status = stub_->GetHost(&context, request, &response);
    if (!status.ok()) return ToAbslStatus(status);
    return response;
  }

  void ReportCatalog() {
    Catalog catalog;
    catalog.distros = {
        {"debian", {{"bookworm", "", {{"latest", "6", "boot/vmlinuz-6", "boot/initrd.img-6"}}}}}};
    v1::ReportCatalogRequest request;
    request.set_agent_id("east");
    *request.mutable_catalog() = ToProto(catalog);
    grpc::ClientContext context;
    v1::ReportCatalogResponse response;
    ASSERT_TRUE(
        v1::AgentService::NewStub(channel_)->ReportCatalog(&context, request, &response).ok());
  }

  std::vector<std::string> Distros() {
    grpc::ClientContext context;
    v1::ListDistrosResponse response;
    EXPECT_TRUE(v1::CatalogService::NewStub(channel_)
                    ->ListDistros(&context, v1::ListDistrosRequest(), &response)
                    .ok());
    std::vector<std::string> names;
    for (const v1::Distro& distro : response.distros()) names.push_back(distro.name());
    return names;
  }

  v1::ListAgentsResponse Agents() {
    grpc::ClientContext context;
    v1::ListAgentsResponse response;
    EXPECT_TRUE(v1::AgentService::NewStub(channel_)
                    ->ListAgents(&context, v1::ListAgentsRequest(), &response)
                    .ok());
    return response;
  }

  SystemClock clock_;
  std::string folder_;
  Config config_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ConfigurationService::Stub> stub_;
};

TEST_F(ServerTest, WhatWasAssignedIsWatchedAndSurvivesARestart) {
  Start();
  ReportCatalog();
  ASSERT_THAT(Apply("mutations { set_profile { name: 'nfs' command_line: 'root=/dev/nfs ro' } }"),
              IsOk());
  EXPECT_THAT(Distros(), Contains("debian/bookworm/latest/nfs"));
  EXPECT_THAT(Apply("mutations { assign { host: '52:54:00:12:34:56' distro: "
                    "'debain/bookworm/latest/nfs' } }"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("debian/bookworm/latest/nfs")));
  const auto assigned = Apply(
      "mutations { assign { host: '52:54:00:12:34:56' distro: 'debian/bookworm/latest/nfs' } }"
      "options { user: 'ann' request_id: 'r-1' }");
  ASSERT_THAT(assigned, IsOk());
  EXPECT_EQ(assigned->revision().id().number(), 2);

  std::shared_ptr<const Snapshot> before;
  {
    Watcher watcher(channel_);
    watcher.FollowTo(2);
    before = watcher.snapshot();
    EXPECT_EQ(before->FindHost(*MacAddress::Parse("525400123456"))->distro->Format(),
              "debian/bookworm/latest/nfs");
    ASSERT_THAT(Apply("mutations { assign { host: '525400123456' distro: 'wait' } }"), IsOk());
    watcher.FollowTo(3);
  }

  Stop();
  Start();
  const auto host = GetHost("525400123456");
  ASSERT_THAT(host, IsOk());
  EXPECT_EQ(host->distro(), "wait");
  EXPECT_EQ(host->etag(), 3);
  // The catalog and the agent are known before the agent is back.
  EXPECT_THAT(Distros(), Contains("debian/bookworm/latest/nfs"));
  ASSERT_EQ(Agents().agents_size(), 1);
  EXPECT_FALSE(Agents().agents(0).connected());
  EXPECT_EQ(Agents().agents(0).kernels(), 1);
  // A retry after the restart is not applied twice.
  const auto replayed = Apply(
      "mutations { assign { host: '52:54:00:12:34:56' distro: 'debian/bookworm/latest/nfs' } }"
      "options { user: 'ann' request_id: 'r-1' }");
  ASSERT_THAT(replayed, IsOk());
  EXPECT_TRUE(replayed->replayed());
  EXPECT_EQ(replayed->revision().id().tag(), assigned->revision().id().tag());
  // faults.md 38: an agent that was at revision 2 gets the change it missed, from the tables.
  Watcher resumed(channel_, before);
  resumed.FollowTo(3);
  EXPECT_EQ(resumed.snapshots(), 0);
  EXPECT_EQ(resumed.snapshot()->FindHost(*MacAddress::Parse("525400123456"))->distro,
            Distro::Wait());
}

TEST_F(ServerTest, ConcurrentAdministratorsAndWatchersAgree) {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  Start();
  std::vector<std::thread> administrators;
  for (int t = 0; t < kThreads; ++t) {
    administrators.emplace_back([this, t] {
      const auto stub = v1::ConfigurationService::NewStub(Connect(server_->listening()[0]));
      for (int i = 0; i < kEach; ++i) {
        v1::AssignHostsRequest request;
        request.add_hosts(absl::StrCat("5254000", t, "00", 10 + i));
        request.set_distro("menu");
        grpc::ClientContext context;
        v1::ApplyResponse response;
        const grpc::Status status = stub->AssignHosts(&context, request, &response);
        EXPECT_TRUE(status.ok()) << status.error_message();
      }
    });
  }
  Watcher watcher(channel_);
  watcher.FollowTo(kThreads * kEach);
  for (std::thread& administrator : administrators) administrator.join();
  EXPECT_EQ(watcher.snapshot()->host_count(), static_cast<size_t>(kThreads * kEach));
  EXPECT_EQ(watcher.snapshot()->revision().id.number, kThreads * kEach);
}

// faults.md 45.
TEST_F(ServerTest, OfAdministratorsWhoSawTheSameEtagOneWinsWhateverItTakes) {
  constexpr int kAdministrators = 8;
  Start();
  ASSERT_THAT(Apply("mutations { assign { host: '525400123456' distro: 'local' } }"), IsOk());
  ASSERT_THAT(Apply("mutations { set_profile { name: 'd' command_line: 'ro' } }"), IsOk());
  for (int round = 0; round < 10; ++round) {
    const int64_t etag = GetHost("525400123456")->etag();
    std::atomic<int> won = 0;
    std::atomic<int> lost = 0;
    std::atomic<int64_t> revision = 0;
    std::vector<std::thread> administrators;
    for (int i = 0; i < kAdministrators; ++i) {
      administrators.emplace_back([&, i] {
        const std::string request =
            absl::StrCat("mutations { assign { host: '525400123456' distro: 'a", round, "-", i,
                         "/b/c/d' allow_missing: ", "true } } options { request_id: '", round, "-",
                         i, "' expected_etags { host: '525400123456' etag: ", etag, " } }");
        const auto first = Apply(request);
        if (first.ok()) {
          ++won;
          revision = first->revision().id().number();
          // The reply was lost: it is asked again, and told the same.
          const auto again = Apply(request);
          ASSERT_THAT(again, IsOk());
          EXPECT_TRUE(again->replayed());
          EXPECT_EQ(again->revision().id().number(), first->revision().id().number());
          EXPECT_THAT(
              Apply(absl::StrCat("mutations { unassign { host: '525400123456' } } options { ",
                                 "request_id: '", round, "-", i, "' }")),
              StatusIs(absl::StatusCode::kInvalidArgument));
        } else {
          EXPECT_THAT(first, StatusIs(absl::StatusCode::kAborted));
          ++lost;
        }
      });
    }
    for (std::thread& administrator : administrators) administrator.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, kAdministrators - 1);
    EXPECT_EQ(GetHost("525400123456")->etag(), revision);
    EXPECT_EQ(revision, round + 3) << "one revision a round";
  }
}

TEST_F(ServerTest, HealthAndReflectionAnswer) {
  Start();
  // grpc.health.v1.HealthCheckResponse.status = SERVING.
  EXPECT_EQ(CallRaw(channel_, "/grpc.health.v1.Health/Check", ""), std::string("\x08\x01"));
  for (const std::string service : {"autopxe.v1.ConfigurationService", "autopxe.v1.CatalogService",
                                    "autopxe.v1.AgentService", "autopxe.v1.MaintenanceService"}) {
    // HealthCheckRequest.service.
    const std::string request = absl::StrCat("\x0a", std::string(1, service.size()), service);
    EXPECT_EQ(CallRaw(channel_, "/grpc.health.v1.Health/Check", request), std::string("\x08\x01"))
        << service;
  }
  // ServerReflectionRequest.list_services = "*".
  EXPECT_THAT(
      CallRaw(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              "\x3a\x01*"),
      AllOf(HasSubstr("autopxe.v1.ConfigurationService"), HasSubstr("autopxe.v1.CatalogService"),
            HasSubstr("autopxe.v1.AgentService"), HasSubstr("grpc.health.v1.Health")));
}

// faults.md 38, 40.
TEST_F(ServerTest, AWatchFromBeforeTheHorizonGetsASnapshotAndOneBehindItStillSeesTheDelete) {
  Start();
  ASSERT_THAT(Apply("mutations { assign { host: '525400000001' distro: 'wait' } }"), IsOk());
  ASSERT_THAT(Apply("mutations { assign { host: '525400000002' distro: 'wait' } }"), IsOk());
  std::shared_ptr<const Snapshot> at_2;
  {
    Watcher watcher(channel_);
    watcher.FollowTo(2);
    at_2 = watcher.snapshot();
  }
  ASSERT_THAT(Apply("mutations { delete_host { host: '525400000001' } }"), IsOk());
  std::shared_ptr<const Snapshot> at_3;
  {
    Watcher watcher(channel_);
    watcher.FollowTo(3);
    at_3 = watcher.snapshot();
  }
  ASSERT_THAT(Apply("mutations { delete_host { host: '525400000002' } }"), IsOk());
  Stop();
  // What a server of long standing does by itself.
  {
    auto store = Store::Open(config_.database, absl::Now());
    ASSERT_THAT(store, IsOk());
    ASSERT_THAT((*store)->writing().Execute("UPDATE history SET trimmed_to = 3"), IsOk());
  }
  Start();
  server_->KeepHistory(absl::Hours(1));
  Watcher behind(channel_, at_2);
  behind.FollowTo(4);
  EXPECT_EQ(behind.snapshots(), 1);
  EXPECT_EQ(behind.snapshot()->host_count(), 0);
  Watcher resumed(channel_, at_3);
  resumed.FollowTo(4);
  EXPECT_EQ(resumed.snapshots(), 0);
  EXPECT_EQ(resumed.snapshot()->host_count(), 0);
}

// faults.md 48.
TEST_F(ServerTest, TheDatabaseAndWhatLiesBesideItAreForItsOwnerOnly) {
  const mode_t before = umask(0);
  Start();
  ASSERT_THAT(Apply("mutations { assign { host: '525400123456' distro: 'menu' } }"), IsOk());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat file;
    ASSERT_EQ(stat((config_.database + suffix).c_str(), &file), 0) << suffix;
    EXPECT_EQ(file.st_mode & 0777, 0600u) << suffix;
  }
  umask(before);
}

TEST_F(ServerTest, ItServesEveryAddressThatItIsGiven) {
  config_.listen = {*IpEndpoint::Parse("127.0.0.1:0"), *IpEndpoint::Parse("127.0.0.2:0")};
  Start();
  for (const IpEndpoint& endpoint : server_->listening()) {
    EXPECT_NE(endpoint.port, 0);
    EXPECT_EQ(CallRaw(Connect(endpoint), "/grpc.health.v1.Health/Check", ""),
              std::string("\x08\x01"));
  }
}

TEST_F(ServerTest, WhatKeepsItFromStartingIsSaidInOneLine) {
  Start();
  Config other = config_;
  // The same database.
  EXPECT_THAT(Server::Open(other, clock_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(config_.database)));
  // The same port.
  other.database = folder_ + "/other.db";
  other.listen = server_->listening();
  EXPECT_THAT(Server::Open(other, clock_),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(server_->listening()[0].Format()), HasSubstr("--listen"))));
  // One of two addresses is none of this host's (TEST-NET-1, RFC 5737).
  other.listen = {*IpEndpoint::Parse("127.0.0.1:0"), *IpEndpoint::Parse("192.0.2.1:0")};
  EXPECT_THAT(Server::Open(other, clock_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("192.0.2.1")));
  // A file that is no database: neither replaced nor changed.
  other.listen = config_.listen;
  other.database = folder_ + "/garbage.db";
  std::ofstream(other.database) << "this is no database";
  EXPECT_FALSE(Server::Open(other, clock_).ok());
  std::string content;
  std::getline(std::ifstream(other.database), content);
  EXPECT_EQ(content, "this is no database");
}

TEST_F(ServerTest, ShuttingDownEndsWatchesAndAnswersWhoeverHasCalled) {
  Start();
  constexpr int kCalls = 50;
  struct Pending {
    grpc::ClientContext context;
    v1::AssignHostsRequest request;
    v1::ApplyResponse response;
    grpc::Status status;
  };
  std::vector<std::unique_ptr<Pending>> calls;
  absl::BlockingCounter done(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(std::make_unique<Pending>());
    Pending& call = *calls.back();
    call.request.add_hosts(absl::StrCat("5254000000", 10 + i));
    call.request.set_distro("menu");
    stub_->async()->AssignHosts(&call.context, &call.request, &call.response,
                                [&](const grpc::Status& status) {
                                  call.status = status;
                                  done.DecrementCount();
                                });
  }
  Watcher watcher(channel_);
  watcher.FollowTo(1);
  Stop();
  done.Wait();
  // What was acknowledged is there; what was not has been refused as a whole.
  Start();
  int acknowledged = 0;
  for (const auto& call : calls) {
    if (call->status.ok()) {
      ++acknowledged;
      EXPECT_THAT(GetHost(call->request.hosts(0)), IsOk());
    } else {
      EXPECT_EQ(call->status.error_code(), grpc::StatusCode::UNAVAILABLE);
    }
  }
  EXPECT_GT(acknowledged, 0);
}

// faults.md 52.
TEST_F(ServerTest, ACallThatDoesNotEndIsCutAtTheLimit) {
  Start();
  grpc::GenericStub stub(channel_);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  // A stream that the client leaves open.
  const auto call = stub.PrepareCall(
      &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  void* tag;
  bool ok = false;
  call->StartCall(nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  grpc::Slice list("\x3a\x01*");
  call->Write(grpc::ByteBuffer(&list, 1), nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  grpc::ByteBuffer response;
  call->Read(&response, nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  ASSERT_TRUE(ok);
  Watcher watcher(channel_);
  watcher.FollowTo(0);

  testing::internal::CaptureStderr();
  OpenLog(LogLevel::kInfo);
  server_->Shutdown(absl::Milliseconds(200));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("event=cut-off protocol=grpc grace=0.200"));
  grpc::Status status;
  call->Finish(&status, nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_FALSE(status.ok());
}

}  // namespace
}  // namespace autopxe::server
