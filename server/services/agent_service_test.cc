#include "server/services/agent_service.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/status/grpc_status.h"
#include "common/status/status_matchers.h"
#include "common/wire/agent_status_wire.h"
#include "common/wire/catalog_wire.h"
#include "common/wire/change_wire.h"
#include "common/wire/revision_wire.h"
#include "common/wire/snapshot_wire.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "server/services/loopback_server.h"
#include "server/services/memory_writer.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

bool SameHosts(const Snapshot& a, const Snapshot& b) {
  if (a.revision().id != b.revision().id || a.host_count() != b.host_count()) return false;
  bool same = true;
  a.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    const auto other = b.FindHost(host->id);
    same = same && other != nullptr && *other == *host;
  });
  return same;
}

v1::AgentStatus FromText(const std::string& text) {
  v1::AgentStatus status;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &status)) << text;
  return status;
}

void MustSucceed(const WriteOutcome& outcome) {
  const auto* refusal = std::get_if<Refusal>(&outcome);
  ASSERT_TRUE(std::holds_alternative<WriteResult>(outcome))
      << (refusal != nullptr ? refusal->message : "");
}

class AgentServiceTest : public ::testing::Test {
 protected:
  explicit AgentServiceTest(Feed::Limits limits = Feed::Limits()) : writer_(limits) {}

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
                      const std::string& instance = "instance-1") {
    grpc::ClientContext context;
    v1::ReportStatusRequest request;
    request.set_agent_id(agent);
    request.mutable_status()->set_instance(instance);
    request.mutable_status()->set_version("0.1.0");
    *request.mutable_status()->mutable_applied() = ToProto(RevisionId{number, tag});
    v1::ReportStatusResponse response;
    return stub_->ReportStatus(&context, request, &response);
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
  absl::Status forgotten_ ABSL_GUARDED_BY(mutex_);  // How forgetting an agent ends.
  std::shared_ptr<const Catalogs> catalogs_ ABSL_GUARDED_BY(mutex_) =
      std::make_shared<const Catalogs>();
  AgentService service_{
      {.save_status =
           [this](const AgentId& id, const AgentStatus& status, absl::Time) {
             absl::MutexLock lock(&mutex_);
             saved_.push_back(absl::StrCat(id.text(), " at ", status.applied.number));
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
             catalogs_ = std::make_shared<const Catalogs>(std::move(catalogs));
           },
       .forget =
           [this](const AgentId& id, const std::function<void(absl::Status)>& done) {
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

TEST_F(AgentServiceTest, ANewAgentGetsASnapshotThenEachChangeAsItIsMade) {
  Revise(3);
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 3");
  Revise(2);
  EXPECT_EQ(watcher.Next(), "change 4");
  EXPECT_EQ(watcher.Next(), "change 5");
  EXPECT_TRUE(SameHosts(*watcher.snapshot(), *feed().Current()));
}

// faults.md 38.
TEST_F(AgentServiceTest, AnAgentResumesWhereItWas) {
  Revise(3);
  const RevisionId second{2, 0x1002};
  Watcher watcher(server_.Connect(), "east", second);
  EXPECT_EQ(watcher.Next(), "change 3");
  Watcher restored(server_.Connect(), "west", RevisionId{2, 0xbad});
  EXPECT_EQ(restored.Next(), "snapshot 3");
  Watcher future(server_.Connect(), "north", RevisionId{9, 0x1009});
  EXPECT_EQ(future.Next(), "snapshot 3");
  Watcher negative(server_.Connect(), "south", RevisionId{-9, 1});
  EXPECT_EQ(negative.Next(), "snapshot 3");
}

TEST_F(AgentServiceTest, AnAgentThatMissedNothingHearsAtOnceThatItIsConnected) {
  Revise(3);
  Watcher watcher(server_.Connect(), "east", feed().Current()->revision().id);
  EXPECT_EQ(watcher.Next(), "heartbeat 3");
  EXPECT_EQ(watcher.last_heartbeat().revision().tag(), feed().Current()->revision().id.tag);
}

TEST_F(AgentServiceTest, TenSecondsOfSilenceAreBrokenByAHeartbeat) {
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 0");
  clock_.Advance(absl::Milliseconds(9'999));
  Revise(1);
  EXPECT_EQ(watcher.Next(), "change 1");
  // A change is sent, so the silence begins again.
  clock_.Advance(absl::Milliseconds(9'999));
  Revise(1);
  EXPECT_EQ(watcher.Next(), "change 2");
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(watcher.Next(), "heartbeat 2");
  EXPECT_EQ(watcher.last_heartbeat().time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(watcher.Next(), "heartbeat 2");
}

// faults.md 44.
TEST_F(AgentServiceTest, AClockThatJumpsByAYearNeitherMakesAHeartbeatNorHidesOne) {
  const absl::Duration year = absl::Hours(24 * 365);
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 0");
  for (const absl::Duration jump : {year, -2 * year}) {
    clock_.Step(clock_.Now() + jump);
    clock_.Advance(absl::Milliseconds(9'999));
    Revise(1);
    EXPECT_EQ(watcher.Next(), absl::StrCat("change ", feed().Current()->revision().id.number));
    clock_.Advance(absl::Seconds(10));
    EXPECT_EQ(watcher.Next(), absl::StrCat("heartbeat ", feed().Current()->revision().id.number));
  }
}

TEST_F(AgentServiceTest, EachChangeIsEncodedOnceForAllWatchers) {
  constexpr int kWatchers = 100;
  std::vector<std::unique_ptr<Watcher>> watchers;
  const auto channel = server_.Connect();
  for (int i = 0; i < kWatchers; ++i) {
    watchers.push_back(std::make_unique<Watcher>(channel, absl::StrCat("agent-", i)));
  }
  for (auto& watcher : watchers) EXPECT_EQ(watcher->Next(), "snapshot 0");
  Revise(10);
  for (auto& watcher : watchers) {
    watcher->FollowTo(10);
    EXPECT_TRUE(SameHosts(*watcher->snapshot(), *feed().Current()));
  }
  EXPECT_EQ(hub_.encoded().encoded_changes(), 10u);
  EXPECT_EQ(hub_.encoded().encoded_snapshots(), 1u);
  EXPECT_EQ(List(1000).agents_size(), kWatchers);
}

TEST_F(AgentServiceTest, WatchersSeeOneUnbrokenStoryWhileOthersComeAndGo) {
  constexpr int kRevisions = 400;
  std::vector<std::thread> agents;
  for (int i = 0; i < 6; ++i) {
    agents.emplace_back([this, i] {
      const auto channel = server_.Connect();
      absl::optional<RevisionId> at;
      std::shared_ptr<const Snapshot> have;
      // Comes back every so often, from where it was.
      for (int64_t to : {int64_t{50}, int64_t{51}, int64_t{200}, int64_t{kRevisions}}) {
        Watcher watcher(channel, absl::StrCat("agent-", i), at);
        watcher.Have(have);
        watcher.FollowTo(to);
        have = watcher.snapshot();
        at = have->revision().id;
      }
      EXPECT_TRUE(SameHosts(*have, *feed().Current()));
    });
  }
  for (int i = 0; i < kRevisions; ++i)
    Assign(1 + i % 7, i % 2 == 0 ? Distro::Menu() : Distro::Wait());
  // Hosts that already have the distro make no revision: fill up.
  while (feed().Current()->revision().id.number < kRevisions) Revise(1);
  for (std::thread& agent : agents) agent.join();
}

TEST_F(AgentServiceTest, AChangeTooLargeForOneMessageArrivesAsASnapshot) {
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 0");
  WriteRequest request;
  for (uint64_t i = 0; i < 42'000; ++i) {
    request.batch.mutations.push_back(
        autopxe::Assign{MacAddress::FromNumber(0x525400000000 + i), Distro::Menu()});
  }
  writer_.Apply(std::move(request), MustSucceed);
  EXPECT_EQ(watcher.Next(), "snapshot 1");
  Assign(1, Distro::Wait());
  EXPECT_EQ(watcher.Next(), "change 2");
  EXPECT_TRUE(SameHosts(*watcher.snapshot(), *feed().Current()));
}

// The ring is short, so that falling behind is quick.
class ShortRingTest : public AgentServiceTest {
 protected:
  ShortRingTest() : AgentServiceTest({.changes = 4, .resources = 1'000'000}) {}
};

// faults.md 39.
TEST_F(ShortRingTest, AWatcherThatStopsReadingGetsASnapshotLaterAndNobodyElseNotices) {
  // Each revision changes all hosts: together far more than the 64 KiB that HTTP/2 lets a stream
  // have under way.
  const auto assign_all = [&](const Distro& distro) {
    WriteRequest request;
    for (uint64_t i = 1; i <= 300; ++i) {
      request.batch.mutations.push_back(
          autopxe::Assign{MacAddress::FromNumber(0x525400000000 + i), distro});
    }
    writer_.Apply(std::move(request), MustSucceed);
  };
  assign_all(Distro::Menu());
  Watcher stopped(server_.ConnectWithSmallWindow(), "stopped");
  EXPECT_EQ(stopped.Next(), "snapshot 1");
  Watcher good(server_.Connect(), "good");
  good.FollowTo(1);
  for (int revision = 2; revision <= 60; ++revision) {
    assign_all(revision % 2 == 0 ? Distro::Wait() : Distro::Menu());
    good.FollowTo(revision);
  }
  std::vector<std::string> events;
  while (stopped.snapshot()->revision().id.number < 60) events.push_back(stopped.Next());
  EXPECT_TRUE(SameHosts(*stopped.snapshot(), *feed().Current()));
  // Watcher::Next has checked that there is no gap; that it has skipped something is the point of
  // the snapshot.
  EXPECT_LT(events.size(), 59u);
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const std::string& event) {
    return event.rfind("snapshot", 0) == 0;
  })) << testing::PrintToString(events);
}

TEST_F(AgentServiceTest, AStoppingServerEndsItsWatchesWithUnavailable) {
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 0");
  hub_.Stop();
  EXPECT_EQ(watcher.Next(), "end");
  EXPECT_THAT(ToAbslStatus(watcher.status()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
  Watcher late(server_.Connect(), "west");
  EXPECT_EQ(late.Next(), "end");
  EXPECT_THAT(ToAbslStatus(late.status()), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(AgentServiceTest, AWatchWithoutAProperIdIsRefused) {
  const struct {
    const char* agent;
    const char* instance;
    const char* field;
  } kCases[] = {
      {"", "i", "agent_id"},     {"a b", "i", "agent_id"}, {"a\nb", "i", "agent_id"},
      {"../x", "i", "agent_id"}, {"east", "", "instance"}, {"east", "i\x1b[0m", "instance"},
  };
  for (const auto& c : kCases) {
    Watcher watcher(server_.Connect(), c.agent, absl::nullopt, c.instance);
    EXPECT_EQ(watcher.Next(), "end");
    EXPECT_THAT(ToAbslStatus(watcher.status()),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.field)));
  }
  EXPECT_THAT(List().agents(), IsEmpty());
}

TEST_F(AgentServiceTest, AnAgentThatGoesIsNoLongerConnected) {
  {
    Watcher watcher(server_.Connect(), "east");
    EXPECT_EQ(watcher.Next(), "snapshot 0");
    const auto agents = List();
    ASSERT_EQ(agents.agents_size(), 1);
    EXPECT_TRUE(agents.agents(0).connected());
    EXPECT_EQ(agents.agents(0).watches(), 1);
  }
  while (hub_.watches() > 0) std::this_thread::yield();
  EXPECT_FALSE(List().agents(0).connected());
}

// faults.md 44.
TEST_F(AgentServiceTest, TwoAgentsUnderOneIdBothFollowAndAreSeen) {
  Watcher one(server_.Connect(), "east", absl::nullopt, "one");
  Watcher two(server_.Connect(), "east", absl::nullopt, "two");
  EXPECT_EQ(one.Next(), "snapshot 0");
  EXPECT_EQ(two.Next(), "snapshot 0");
  EXPECT_EQ(List().agents(0).watches(), 2);
  Revise(1);
  EXPECT_EQ(one.Next(), "change 1");
  EXPECT_EQ(two.Next(), "change 1");
}

TEST_F(AgentServiceTest, LagTellsHowFarAnAgentIsBehind) {
  Revise(5);
  ASSERT_TRUE(Report("behind", 3, 0x1003).ok());
  ASSERT_TRUE(Report("current", 5, 0x1005).ok());
  ASSERT_TRUE(Report("empty", 0, 0).ok());
  ASSERT_TRUE(Report("stranger", 4, 0xbad).ok());
  ASSERT_TRUE(Report("ahead", 9, 0x1009).ok());
  std::map<std::string, int64_t> lag;
  const auto response = List();
  for (const v1::Agent& agent : response.agents()) lag[agent.id()] = agent.lag();
  EXPECT_EQ(lag,
            (std::map<std::string, int64_t>{
                {"ahead", -1}, {"behind", 2}, {"current", 0}, {"empty", 5}, {"stranger", -1}}));
  EXPECT_EQ(response.revision().number(), 5);
}

TEST_F(AgentServiceTest, TheListTellsHowEachAgentStandsAndWhy) {
  Revise(3);
  v1::ReportStatusRequest request;
  request.set_agent_id("east");
  *request.mutable_status() = FromText(
      "instance: 'one' applied { number: 3 tag: 0x1003 } view_age { seconds: 4 } "
      "problems: 'disk full'");
  grpc::ClientContext context;
  v1::ReportStatusResponse reported;
  ASSERT_TRUE(stub_->ReportStatus(&context, request, &reported).ok());
  Watcher watcher(server_.Connect(), "east", RevisionId{3, 0x1003}, "one");
  EXPECT_EQ(watcher.Next(), "heartbeat 3");
  clock_.Advance(absl::Seconds(20));
  auto listed = List();
  EXPECT_EQ(listed.agents(0).state(), v1::AGENT_STATE_CURRENT);
  EXPECT_THAT(listed.agents(0).reasons(), ElementsAre("disk full"));
  EXPECT_EQ(listed.time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  EXPECT_EQ(listed.agents(0).view_time().seconds(), listed.time().seconds());
  Revise(1);
  listed = List();
  EXPECT_EQ(listed.agents(0).state(), v1::AGENT_STATE_BEHIND);
  EXPECT_THAT(listed.agents(0).reasons(), ElementsAre("1 revision behind", "disk full"));
  EXPECT_EQ(listed.agents(0).view_time().seconds(), listed.time().seconds() - 24);
}

TEST_F(AgentServiceTest, AnAgentThatIsGoneCanBeDeletedOneThatIsConnectedCanNot) {
  EXPECT_EQ(Delete("no/id").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Delete("east").error_code(), grpc::StatusCode::NOT_FOUND);
  {
    Watcher watcher(server_.Connect(), "east");
    EXPECT_EQ(watcher.Next(), "snapshot 0");
    EXPECT_EQ(Delete("east").error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(List().agents_size(), 1);
  }
  while (List().agents(0).connected()) {
  }
  EXPECT_TRUE(Delete("east").ok());
  EXPECT_EQ(List().agents_size(), 0);
  // One that reports again is there again; what fails is told.
  ASSERT_TRUE(Report("east", 0, 0).ok());
  EXPECT_EQ(List().agents_size(), 1);
  {
    absl::MutexLock lock(&mutex_);
    forgotten_ = absl::UnavailableError("disk");
  }
  EXPECT_EQ(Delete("east").error_code(), grpc::StatusCode::UNAVAILABLE);
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(saved_, ElementsAre("east deleted", "east at 0", "east deleted"));
}

TEST_F(AgentServiceTest, AStatusIsListedAndWrittenDown) {
  ASSERT_TRUE(Report("east", 0, 0).ok());
  Revise(1);
  ASSERT_TRUE(Report("east", 1, 0x1001).ok());
  const auto agents = List();
  ASSERT_EQ(agents.agents_size(), 1);
  EXPECT_EQ(agents.agents(0).status().applied().number(), 1);
  EXPECT_EQ(agents.agents(0).status().version(), "0.1.0");
  EXPECT_FALSE(agents.agents(0).connected());
  EXPECT_EQ(agents.agents(0).last_seen().seconds(), absl::ToUnixSeconds(clock_.Now()));
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(saved_, ElementsAre("east at 0", "east at 1"));
}

TEST_F(AgentServiceTest, AMalformedReportIsRefusedAndSavesNothing) {
  EXPECT_EQ(Report("", 0, 0).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Report("east", -1, 0).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Report("east", 0, 0, "").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::ReportCatalogRequest request;
  request.set_agent_id("east");
  request.mutable_catalog()->add_distros()->set_name("../etc");
  grpc::ClientContext context;
  v1::ReportCatalogResponse response;
  const grpc::Status status = stub_->ReportCatalog(&context, request, &response);
  EXPECT_THAT(ToAbslStatus(status),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("../etc")));
  EXPECT_THAT(List().agents(), IsEmpty());
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(saved_, IsEmpty());
  EXPECT_TRUE(catalogs_->empty());
}

TEST_F(AgentServiceTest, ACatalogIsSavedAndItsKernelsAreCounted) {
  Catalog catalog;
  catalog.distros = {{"debian",
                      {{"bookworm",
                        "",
                        {{"latest", "6", "boot/vmlinuz-6", "boot/initrd.img-6"},
                         {"6", "6", "boot/vmlinuz-6", "boot/initrd.img-6"}}}}}};
  v1::ReportCatalogRequest request;
  request.set_agent_id("east");
  *request.mutable_catalog() = ToProto(catalog);
  grpc::ClientContext context;
  v1::ReportCatalogResponse response;
  ASSERT_TRUE(stub_->ReportCatalog(&context, request, &response).ok());
  const auto agents = List();
  ASSERT_EQ(agents.agents_size(), 1);
  EXPECT_EQ(agents.agents(0).kernels(), 2);
  absl::MutexLock lock(&mutex_);
  ASSERT_EQ(catalogs_->size(), 1u);
  EXPECT_EQ(*catalogs_->begin()->second, catalog);
}

TEST_F(AgentServiceTest, ANameThatStandsForAnotherKernelIsSavedWithTheHostsItAffects) {
  WriteRequest write;
  for (const uint64_t mac : {0x525400000001, 0x525400000002}) {
    write.batch.mutations.push_back(autopxe::Assign{MacAddress::FromNumber(mac),
                                                    *Distro::Parse("debian/bookworm/latest/nfs"),
                                                    /*allow_missing=*/true});
  }
  writer_.Apply(std::move(write), MustSucceed);
  const auto report = [&](const std::string& version) {
    Catalog catalog;
    catalog.distros = {{"debian",
                        {{"bookworm",
                          "",
                          {{.name = "latest",
                            .version = version,
                            .kernel_path = "boot/vmlinuz-" + version,
                            .initrd_path = "boot/initrd.img-" + version}}}}}};
    v1::ReportCatalogRequest request;
    request.set_agent_id("east");
    *request.mutable_catalog() = ToProto(catalog);
    grpc::ClientContext context;
    v1::ReportCatalogResponse response;
    ASSERT_TRUE(stub_->ReportCatalog(&context, request, &response).ok());
  };
  report("6.1.0-25");
  report("6.1.0-25");
  report("6.1.0-28");
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(saved_, ElementsAre("debian/bookworm/latest 6.1.0-25 to 6.1.0-28: 2"));
}

TEST_F(AgentServiceTest, PagesOfAgentsPutTogetherAreAllOfThemById) {
  for (const char* id : {"d", "b", "e", "a", "c"}) ASSERT_TRUE(Report(id, 0, 0).ok());
  std::vector<std::string> ids;
  std::string token;
  do {
    const auto page = List(2, token);
    for (const v1::Agent& agent : page.agents()) ids.push_back(agent.id());
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_THAT(ids, ElementsAre("a", "b", "c", "d", "e"));
}

}  // namespace
}  // namespace autopxe::server
