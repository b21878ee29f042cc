#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/status/status_matchers.h"
#include "common/wire/agent_status_wire.h"
#include "common/wire/change_wire.h"
#include "common/wire/revision_wire.h"
#include "common/wire/snapshot_wire.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "server/services/agent_service.h"
#include "server/services/loopback_server.h"
#include "server/services/memory_writer.h"

// For tests of AgentService: the service behind a real connection, without a database.
namespace autopxe::server {

// One agent's side of a watch: follows as an agent does, and says what it got.
class Watcher {
 public:
  Watcher(const std::shared_ptr<grpc::Channel>& channel, const std::string& agent,
          absl::optional<RevisionId> resume_from = absl::nullopt,
          const std::string& instance = "instance-1")
      : stub_(v1::AgentService::NewStub(channel)) {
    v1::WatchConfigurationRequest request;
    request.set_agent_id(agent);
    request.set_instance(instance);
    if (resume_from.has_value()) *request.mutable_resume_from() = ToProto(*resume_from);
    reader_ = stub_->WatchConfiguration(&context_, request);
  }

  ~Watcher() {
    context_.TryCancel();
    v1::WatchConfigurationResponse rest;
    while (reader_->Read(&rest)) {
    }
    if (!ended_) reader_->Finish();
  }

  // The next event: "snapshot 3" when its last part has come, "change 4", "heartbeat 4"; "end" when
  // the call has ended. A change that does not follow, or a snapshot that is none, is a failure.
  std::string Next() {
    v1::WatchConfigurationResponse response;
    while (reader_->Read(&response)) {
      if (response.has_heartbeat()) {
        last_heartbeat_ = response.heartbeat();
        return absl::StrCat("heartbeat ", response.heartbeat().revision().number());
      }
      if (response.has_snapshot()) {
        auto added = assembler_.Add(response.snapshot());
        EXPECT_THAT(added, IsOk());
        if (!added.ok() || !added->has_value()) continue;
        snapshot_ = **added;
        return absl::StrCat("snapshot ", snapshot_->revision().id.number);
      }
      auto change = FromProto(response.change());
      EXPECT_THAT(change, IsOk());
      if (snapshot_ != nullptr) {
        auto applied = Apply(*snapshot_, **change);
        EXPECT_THAT(applied, IsOk());
        if (applied.ok()) snapshot_ = *applied;
      }
      return absl::StrCat("change ", (*change)->revision.id.number);
    }
    ended_ = true;
    status_ = reader_->Finish();
    return "end";
  }

  // What the agent already has when it begins.
  void Have(std::shared_ptr<const Snapshot> snapshot) { snapshot_ = std::move(snapshot); }

  // Follows until it has revision `number`.
  void FollowTo(int64_t number) {
    while (snapshot_ == nullptr || snapshot_->revision().id.number < number) {
      ASSERT_NE(Next(), "end");
    }
  }

  const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  const v1::Heartbeat& last_heartbeat() const { return last_heartbeat_; }
  const grpc::Status& status() const { return status_; }

 private:
  std::unique_ptr<v1::AgentService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchConfigurationResponse>> reader_;
  SnapshotAssembler assembler_;
  std::shared_ptr<const Snapshot> snapshot_;
  v1::Heartbeat last_heartbeat_;
  grpc::Status status_;
  bool ended_ = false;
};

inline bool SameHosts(const Snapshot& a, const Snapshot& b) {
  if (a.revision().id != b.revision().id || a.host_count() != b.host_count()) return false;
  bool same = true;
  a.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    const auto other = b.FindHost(host->id);
    same = same && other != nullptr && *other == *host;
  });
  return same;
}

inline v1::AgentStatus FromText(const std::string& text) {
  v1::AgentStatus status;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &status)) << text;
  return status;
}

inline void MustSucceed(const WriteOutcome& outcome) {
  const auto* refusal = std::get_if<Refusal>(&outcome);
  ASSERT_TRUE(std::holds_alternative<WriteResult>(outcome))
      << (refusal != nullptr ? refusal->message : "");
}

class AgentServiceTest : public ::testing::Test {
 protected:
  explicit AgentServiceTest(Feed::Limits limits = Feed::Limits(),
                            Feed::IsOfHistory is_of_history = nullptr)
      : writer_(limits, std::move(is_of_history)) {}

  ~AgentServiceTest() override {
    hub_.Stop();
    server_.Shutdown();
  }

  Feed& feed() { return writer_.feed(); }

  // Assigns a distro to host number `host`, which creates it at first. One revision.
  void Assign(int host, const Distro& distro) {
    WriteRequest request;
    request.batch.mutations.push_back(autopxe::Assign{
        MacAddress::FromNumber(0x525400000000 + static_cast<uint64_t>(host)), distro});
    writer_.Apply(std::move(request), MustSucceed);
  }

  // `count` revisions.
  void Revise(int count) {
    for (int i = 0; i < count; ++i) {
      Assign(1, assigned_ ? Distro::Wait() : Distro::Menu());
      assigned_ = !assigned_;
    }
  }

  v1::ListAgentsResponse List(int size = 0, const std::string& token = "") {
    grpc::ClientContext context;
    v1::ListAgentsRequest request;
    request.set_page_size(size);
    request.set_page_token(token);
    v1::ListAgentsResponse response;
    EXPECT_TRUE(stub_->ListAgents(&context, request, &response).ok());
    return response;
  }

  grpc::Status Report(const std::string& agent, int64_t number, uint64_t tag,
                      const std::string& instance = "instance-1",
                      v1::ReportStatusResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::ReportStatusRequest request;
    request.set_agent_id(agent);
    request.mutable_status()->set_instance(instance);
    request.mutable_status()->set_version("0.1.0");
    *request.mutable_status()->mutable_applied() = ToProto(RevisionId{number, tag});
    v1::ReportStatusResponse unread;
    return stub_->ReportStatus(&context, request, response != nullptr ? response : &unread);
  }

  grpc::Status Delete(const std::string& agent) {
    grpc::ClientContext context;
    v1::DeleteAgentRequest request;
    request.set_agent_id(agent);
    v1::DeleteAgentResponse response;
    return stub_->DeleteAgent(&context, request, &response);
  }

  FakeClock clock_;
  MemoryWriter writer_;
  bool assigned_ = false;
  AgentRegistry registry_{clock_};
  // Looks for what is due all the time; what is due is told by the fake clock.
  WatchHub hub_{
      writer_.feed(), clock_, {.heartbeat = absl::Seconds(10), .tick = absl::Milliseconds(1)}};
  absl::Mutex mutex_;
  std::vector<std::string> saved_ ABSL_GUARDED_BY(mutex_);
  std::thread::id catalog_thread_ ABSL_GUARDED_BY(mutex_);   // Which saved one last.
  std::function<void()> on_forget_ ABSL_GUARDED_BY(mutex_);  // While one is being forgotten.
  absl::Status forgotten_ ABSL_GUARDED_BY(mutex_);           // How forgetting an agent ends.
  NextBootUses uses_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Catalogs> catalogs_ ABSL_GUARDED_BY(mutex_) =
      std::make_shared<const Catalogs>();
  AgentService service_{
      {.save_status =
           [this](const AgentId& id, const AgentStatus& status, absl::Time) {
             absl::MutexLock lock(&mutex_);
             saved_.push_back(absl::StrCat(id.text(), " at ", status.applied.number));
           },
       .save_last_seen =
           [this](const AgentId& id) {
             absl::MutexLock lock(&mutex_);
             saved_.push_back(absl::StrCat(id.text(), " last seen"));
           },
       .save_catalog =
           [this](const AgentId& id, std::shared_ptr<const Catalog> catalog,
                  std::vector<CountedMove> moves) {
             absl::MutexLock lock(&mutex_);
             for (const CountedMove& moved : moves) {
               saved_.push_back(absl::StrCat(moved.move.Format(), " ", moved.move.version_before,
                                             " to ", moved.move.version_after, ": ", moved.hosts));
             }
             Catalogs catalogs = *catalogs_;
             catalogs[id] = std::move(catalog);
             catalog_thread_ = std::this_thread::get_id();
             catalogs_ = std::make_shared<const Catalogs>(std::move(catalogs));
           },
       .save_uses =
           [this](std::vector<NextBootUse> uses) {
             absl::MutexLock lock(&mutex_);
             std::vector<std::vector<NextBootUse>> used_twice;
             for (NextBootUse& use : uses) {
               std::vector<NextBootUse> same = uses_.Add(std::move(use));
               if (!same.empty()) used_twice.push_back(std::move(same));
             }
             return used_twice;
           },
       .apply =
           [this](WriteRequest request, const std::function<void(WriteOutcome)>& done) {
             writer_.Apply(std::move(request), done);
           },
       .forget =
           [this](const AgentId& id, const std::function<void(absl::Status)>& done) {
             std::function<void()> on_forget;
             {
               absl::MutexLock lock(&mutex_);
               on_forget = on_forget_;
             }
             if (on_forget != nullptr) on_forget();
             absl::Status status;
             {
               absl::MutexLock lock(&mutex_);
               saved_.push_back(absl::StrCat(id.text(), " deleted"));
               status = forgotten_;
             }
             done(status);
           }},
      [this] {
        absl::MutexLock lock(&mutex_);
        return catalogs_;
      },
      registry_,
      hub_,
      writer_.feed(),
      clock_};
  LoopbackServer server_{{&service_}};
  std::unique_ptr<v1::AgentService::Stub> stub_{v1::AgentService::NewStub(server_.Connect())};
};

}  // namespace autopxe::server
