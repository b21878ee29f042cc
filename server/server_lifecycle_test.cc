// How a whole server starts, serves and stops.
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "common/runtime/logging.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "server/server_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ServerLifecycleTest : public ServerTest {};

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

TEST_F(ServerLifecycleTest, HealthAndReflectionAnswer) {
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

// faults.md 48.
TEST_F(ServerLifecycleTest, TheDatabaseAndWhatLiesBesideItAreForItsOwnerOnly) {
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

TEST_F(ServerLifecycleTest, ItServesEveryAddressThatItIsGiven) {
  config_.listen = {*IpEndpoint::Parse("127.0.0.1:0"), *IpEndpoint::Parse("127.0.0.2:0")};
  Start();
  for (const IpEndpoint& endpoint : server_->listening()) {
    EXPECT_NE(endpoint.port, 0);
    EXPECT_EQ(CallRaw(Connect(endpoint), "/grpc.health.v1.Health/Check", ""),
              std::string("\x08\x01"));
  }
}

TEST_F(ServerLifecycleTest, WhatKeepsItFromStartingIsSaidInOneLine) {
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

TEST_F(ServerLifecycleTest, ShuttingDownEndsWatchesAndAnswersWhoeverHasCalled) {
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
TEST_F(ServerLifecycleTest, ACallThatDoesNotEndIsCutAtTheLimit) {
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
