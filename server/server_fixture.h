#pragma once

#include <stdlib.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "autopxe/v1/catalog.grpc.pb.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "common/model/catalog.h"
#include "common/status/grpc_status.h"
#include "common/status/status_matchers.h"
#include "common/wire/catalog_wire.h"
#include "common/wire/change_wire.h"
#include "common/wire/revision_wire.h"
#include "common/wire/snapshot_wire.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "server/server.h"

// For tests of a whole server, called as its clients do.
namespace autopxe::server {

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
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

}  // namespace autopxe::server
