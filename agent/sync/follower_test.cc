#include "agent/sync/follower.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/sync/fake_server.h"
#include "agent/sync/server_channel.h"
#include "common/wire/change_wire.h"
#include "common/wire/revision_wire.h"
#include "common/wire/snapshot_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

Revision RevisionAt(int64_t number, uint64_t tag = 7) {
  Revision revision;
  revision.id = {number, tag};
  return revision;
}

std::shared_ptr<const Host> HostAt(int64_t id) {
  return std::make_shared<const Host>(
      Host{.id = HostId{id},
           .name = *HostName::Parse(absl::StrCat("host", id)),
           .macs = {MacAddress::FromNumber(0x525400000000 + static_cast<uint64_t>(id))},
           .distro = Distro::Local(),
           .etag = 1});
}

std::shared_ptr<const Snapshot> SnapshotAt(Revision revision, int hosts = 0) {
  std::vector<std::shared_ptr<const Host>> all;
  for (int id = 1; id <= hosts; ++id) all.push_back(HostAt(id));
  return *Snapshot::Create(revision, Settings(), {}, all);
}

std::vector<v1::WatchConfigurationResponse> Parts(const Snapshot& snapshot, size_t per_part = 500) {
  std::vector<v1::WatchConfigurationResponse> responses;
  for (const v1::SnapshotPart& part : ToProto(snapshot, per_part)) {
    *responses.emplace_back().mutable_snapshot() = part;
  }
  return responses;
}

// Adds a host whose id is the new revision's number.
v1::WatchConfigurationResponse ChangeFrom(int64_t base, uint64_t tag = 7) {
  Change change;
  change.base = {base, tag};
  change.revision = RevisionAt(base + 1);
  change.hosts.push_back(HostAt(base + 1));
  v1::WatchConfigurationResponse response;
  *response.mutable_change() = ToProto(change);
  return response;
}

v1::WatchConfigurationResponse HeartbeatAt(int64_t number, uint64_t tag = 7) {
  v1::WatchConfigurationResponse response;
  *response.mutable_heartbeat()->mutable_revision() = ToProto(RevisionAt(number, tag).id);
  return response;
}

// What the follower told, in order.
class Told {
 public:
  Follower::Listener AsListener() {
    return {[this] {
              absl::MutexLock lock(&mutex_);
              ++connections_;
            },
            [this](const std::shared_ptr<const Snapshot>& snapshot) {
              absl::MutexLock lock(&mutex_);
              applied_.push_back(snapshot);
            }};
  }

  std::shared_ptr<const Snapshot> WaitForApplied() {
    const auto has_one = [this]()
                             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !applied_.empty(); };
    absl::MutexLock lock(&mutex_, absl::Condition(&has_one));
    std::shared_ptr<const Snapshot> first = applied_.front();
    applied_.pop_front();
    return first;
  }

  void WaitForConnections(int count) {
    const auto has_them = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return connections_ >= count;
    };
    absl::MutexLock lock(&mutex_, absl::Condition(&has_them));
  }

 private:
  absl::Mutex mutex_;
  int connections_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::shared_ptr<const Snapshot>> applied_ ABSL_GUARDED_BY(mutex_);
};

class FollowerTest : public testing::Test {
 protected:
  static Follower::Options QuickOptions(const std::string& server) {
    return {.agent_id = *AgentId::Parse("lab"),
            .instance = *AgentInstance::Parse("i1"),
            .server = server,
            .first_backoff = absl::Milliseconds(1),
            .most_backoff = absl::Milliseconds(20)};
  }

  std::unique_ptr<Follower> Follow(const std::string& address) {
    return Follow(address, QuickOptions(address));
  }
  std::unique_ptr<Follower> Follow(const std::string& address, Follower::Options options) {
    return std::make_unique<Follower>(std::move(options), BuildServerChannel(address), view_,
                                      problems_, clock_, told_.AsListener());
  }

  // Until a problem is there whose sentence has `part`, or, for "", none.
  void WaitForProblem(const std::string& part) {
    absl::Mutex mutex;
    const auto is_there = [&] {
      const std::vector<std::string> problems = problems_.Current();
      if (part.empty()) return problems.empty();
      return !problems.empty() && absl::StrContains(problems.front(), part);
    };
    problems_.OnChange([&mutex] { absl::MutexLock wakes_whoever_waits(&mutex); });
    { absl::MutexLock lock(&mutex, absl::Condition(&is_there)); }
    problems_.OnChange(nullptr);
  }

  SystemClock clock_;
  View view_;
  Problems problems_;
  Told told_;
};

TEST_F(FollowerTest, WithoutAViewItAsksForASnapshotAndTakesItInParts) {
  FakeServer server;
  const auto follower = Follow(server.address());
  const v1::WatchConfigurationRequest request = server.WaitForWatch();
  EXPECT_EQ(request.agent_id(), "lab");
  EXPECT_EQ(request.instance(), "i1");
  EXPECT_FALSE(request.has_resume_from());
  for (const auto& part : Parts(*SnapshotAt(RevisionAt(5), 10), 3)) server.Send(part);
  EXPECT_EQ(told_.WaitForApplied()->host_count(), 10u);
  EXPECT_EQ(view_.Current()->revision(), RevisionAt(5));
}

TEST_F(FollowerTest, ChangesAreAppliedInTheirOrder) {
  FakeServer server;
  const auto follower = Follow(server.address());
  server.Send(Parts(*SnapshotAt(RevisionAt(5))).front());
  server.Send(ChangeFrom(5));
  server.Send(HeartbeatAt(6));
  server.Send(ChangeFrom(6));
  for (int64_t number : {5, 6, 7}) {
    EXPECT_EQ(told_.WaitForApplied()->revision().id.number, number);
  }
  EXPECT_EQ(view_.Current()->host_count(), 2u);
}

TEST_F(FollowerTest, AViewFromDiskIsResumedNotFetchedAgain) {
  view_.Set(SnapshotAt(RevisionAt(5)));
  FakeServer server;
  const auto follower = Follow(server.address());
  const v1::WatchConfigurationRequest request = server.WaitForWatch();
  EXPECT_EQ(request.resume_from().number(), 5);
  EXPECT_EQ(request.resume_from().tag(), 7u);
  server.Send(ChangeFrom(5));
  EXPECT_EQ(told_.WaitForApplied()->revision().id.number, 6);
}

TEST_F(FollowerTest, AGapIsNeverSkippedButASnapshotAskedFor) {
  view_.Set(SnapshotAt(RevisionAt(5)));
  FakeServer server;
  const auto follower = Follow(server.address());
  EXPECT_TRUE(server.WaitForWatch().has_resume_from());
  server.Send(ChangeFrom(6));  // 5 -> 6 is missing.
  EXPECT_FALSE(server.WaitForWatch().has_resume_from());
  EXPECT_EQ(view_.Current()->revision().id.number, 5) << "served meanwhile as it was";
  server.Send(Parts(*SnapshotAt(RevisionAt(9))).front());
  EXPECT_EQ(told_.WaitForApplied()->revision().id.number, 9);
}

TEST_F(FollowerTest, AChangeOfARevisionWithAnotherTagDoesNotFit) {
  view_.Set(SnapshotAt(RevisionAt(5)));
  FakeServer server;
  const auto follower = Follow(server.address());
  server.WaitForWatch();
  server.Send(ChangeFrom(5, /*tag=*/8));
  EXPECT_FALSE(server.WaitForWatch().has_resume_from());
}

TEST_F(FollowerTest, AValueThatDoesNotParseIsNeverServed) {
  view_.Set(SnapshotAt(RevisionAt(5)));
  FakeServer server;
  const auto follower = Follow(server.address());
  server.WaitForWatch();
  v1::WatchConfigurationResponse bad = ChangeFrom(5);
  bad.mutable_change()->mutable_hosts(0)->set_distro("a\nb");
  server.Send(bad);
  EXPECT_FALSE(server.WaitForWatch().has_resume_from());
  EXPECT_EQ(view_.Current()->revision().id.number, 5);
  WaitForProblem("the configuration that the server sent was refused: hosts[0].distro");
  server.Send(Parts(*SnapshotAt(RevisionAt(9))).front());
  WaitForProblem("");
}

// faults.md, case 41.
TEST_F(FollowerTest, AServerOnAnEmptyDatabaseLeavesTheViewAsItIsUntilItHasSomething) {
  view_.Set(SnapshotAt(RevisionAt(50), 4));
  view_.Confirm(clock_.Monotonic() - absl::Hours(1));
  FakeServer server;
  const auto follower = Follow(server.address());
  EXPECT_EQ(server.WaitForWatch().resume_from().number(), 50);
  server.Send(Parts(*SnapshotAt(RevisionAt(0, 0))).front());
  server.Send(HeartbeatAt(0, 0));
  WaitForProblem("the server has no configuration (revision 0), so revision 50-");
  told_.WaitForConnections(1);
  EXPECT_EQ(view_.Current()->revision().id.number, 50);
  EXPECT_GE(view_.AgeAt(clock_.Monotonic()), absl::Hours(1)) << "not the server's";
  // It is asked again after an interruption, and says the same.
  server.EndWatch(grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping"));
  EXPECT_EQ(server.WaitForWatch().resume_from().number(), 50);
  server.Send(Parts(*SnapshotAt(RevisionAt(0, 0))).front());
  // Its first revision is followed, without another snapshot.
  v1::WatchConfigurationResponse first = ChangeFrom(0, 0);
  server.Send(first);
  EXPECT_EQ(told_.WaitForApplied()->revision().id.number, 1);
  EXPECT_EQ(view_.Current()->host_count(), 1u) << "nothing of the old one";
  WaitForProblem("");
  EXPECT_LT(view_.AgeAt(clock_.Monotonic()), absl::Hours(1));
}

TEST_F(FollowerTest, AServerThatWasEmptyAndIsRestoredToTheViewIsNoProblemAnyMore) {
  view_.Set(SnapshotAt(RevisionAt(50)));
  FakeServer server;
  const auto follower = Follow(server.address());
  server.WaitForWatch();
  server.Send(Parts(*SnapshotAt(RevisionAt(0, 0))).front());
  WaitForProblem("the server has no configuration");
  server.EndWatch(grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping"));
  EXPECT_EQ(server.WaitForWatch().resume_from().number(), 50);
  server.Send(HeartbeatAt(50));
  WaitForProblem("");
}

TEST_F(FollowerTest, AnAgentThatHasNothingTakesAnEmptyConfigurationToo) {
  FakeServer server;
  const auto follower = Follow(server.address());
  server.Send(Parts(*SnapshotAt(RevisionAt(0, 0))).front());
  EXPECT_EQ(told_.WaitForApplied()->revision().id.number, 0);
  EXPECT_TRUE(problems_.Current().empty());
}

TEST_F(FollowerTest, AHeartbeatConfirmsTheViewOfItsRevisionOnly) {
  view_.Set(SnapshotAt(RevisionAt(5)));
  view_.Confirm(clock_.Monotonic() - absl::Hours(1));
  FakeServer server;
  const auto follower = Follow(server.address());
  server.WaitForWatch();
  server.Send(HeartbeatAt(6));
  told_.WaitForConnections(1);
  EXPECT_GE(view_.AgeAt(clock_.Monotonic()), absl::Hours(1));
  server.EndWatch(grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping"));
  server.WaitForWatch();
  server.Send(HeartbeatAt(5));
  told_.WaitForConnections(2);
  EXPECT_LT(view_.AgeAt(clock_.Monotonic()), absl::Hours(1)) << "before it is said to be connected";
}

TEST_F(FollowerTest, ASnapshotOfAServerRestoredFromABackupReplacesANewerView) {
  view_.Set(SnapshotAt(RevisionAt(50), 4));
  FakeServer server;
  const auto follower = Follow(server.address());
  server.WaitForWatch();
  server.Send(Parts(*SnapshotAt(RevisionAt(20, 99), 1)).front());
  EXPECT_EQ(told_.WaitForApplied()->revision(), RevisionAt(20, 99));
  EXPECT_EQ(view_.Current()->host_count(), 1u);
}

TEST_F(FollowerTest, AnEmptyMessageOfALaterServerIsASignOfLife) {
  FakeServer server;
  const auto follower = Follow(server.address());
  server.Send(v1::WatchConfigurationResponse());
  server.Send(Parts(*SnapshotAt(RevisionAt(1))).front());
  EXPECT_EQ(told_.WaitForApplied()->revision().id.number, 1);
}

TEST_F(FollowerTest, AWatchThatEndsIsBegunAgainWhereTheViewIs) {
  FakeServer server;
  const auto follower = Follow(server.address());
  server.WaitForWatch();
  server.Send(Parts(*SnapshotAt(RevisionAt(5))).front());
  for (const grpc::Status& end : {grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping"),
                                  grpc::Status::OK, grpc::Status(grpc::StatusCode::INTERNAL, "")}) {
    server.EndWatch(end);
    EXPECT_EQ(server.WaitForWatch().resume_from().number(), 5);
  }
}

TEST_F(FollowerTest, ASnapshotThatIsCutOffIsNotTaken) {
  FakeServer server;
  const auto follower = Follow(server.address());
  server.WaitForWatch();
  const auto parts = Parts(*SnapshotAt(RevisionAt(5), 10), 3);
  server.Send(parts[0]);
  server.Send(parts[1]);
  server.EndWatch(grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping"));
  EXPECT_FALSE(server.WaitForWatch().has_resume_from());
  EXPECT_EQ(view_.Current(), nullptr);
  // Nor are its parts mixed with those of the next.
  for (const auto& part : Parts(*SnapshotAt(RevisionAt(6), 2), 3)) server.Send(part);
  EXPECT_EQ(told_.WaitForApplied()->host_count(), 2u);
}

TEST_F(FollowerTest, ASilentConnectionCountsAsLost) {
  FakeServer server;
  Follower::Options options = QuickOptions(server.address());
  options.silence = absl::Milliseconds(50);
  const auto follower = Follow(server.address(), options);
  server.WaitForWatch();
  EXPECT_EQ(server.WaitForEnd().error_code(), grpc::StatusCode::CANCELLED);
  server.WaitForWatch();
}

// faults.md, case 44.
TEST_F(FollowerTest, AClockThatJumpsByAYearNeitherEndsAWatchNorAgesTheView) {
  FakeClock clock;
  FakeServer server;
  Follower follower(QuickOptions(server.address()), BuildServerChannel(server.address()), view_,
                    problems_, clock, told_.AsListener());
  server.WaitForWatch();
  server.Send(Parts(*SnapshotAt(RevisionAt(5))).front());
  EXPECT_EQ(told_.WaitForApplied()->revision().id.number, 5);
  const absl::Time start = clock.Now();
  for (const int years : {1, -1}) {
    clock.Step(start + years * absl::Hours(24 * 365));
    const int64_t before = view_.Current()->revision().id.number;
    server.Send(ChangeFrom(before));  // To the watch of before: another one would have to ask.
    EXPECT_EQ(told_.WaitForApplied()->revision().id.number, before + 1);
    EXPECT_EQ(view_.AgeAt(clock.Monotonic()), absl::ZeroDuration());
  }
  EXPECT_EQ(server.watches(), 1);
}

TEST_F(FollowerTest, AServerThatComesBackIsFollowedAgain) {  // faults.md, case 43.
  auto server = std::make_unique<FakeServer>();
  const int port = server->port();
  const auto follower = Follow(server->address());
  server->WaitForWatch();
  server->Send(Parts(*SnapshotAt(RevisionAt(5))).front());
  EXPECT_EQ(told_.WaitForApplied()->revision().id.number, 5);
  server = nullptr;
  EXPECT_EQ(view_.Current()->revision().id.number, 5) << "served while the server is away";
  server = std::make_unique<FakeServer>(port);
  EXPECT_EQ(server->WaitForWatch().resume_from().number(), 5);
  server->Send(HeartbeatAt(5));
  told_.WaitForConnections(2);
}

TEST_F(FollowerTest, ItEndsAtOnceWhetherTheServerIsThereOrNot) {
  view_.Set(SnapshotAt(RevisionAt(5)));
  { const auto follower = Follow("127.0.0.1:1"); }
  Follower::Options patient = QuickOptions("127.0.0.1:1");
  patient.first_backoff = patient.most_backoff = absl::Hours(1);
  { const auto follower = Follow("127.0.0.1:1", patient); }
  FakeServer server;
  {
    const auto follower = Follow(server.address());
    server.WaitForWatch();
  }
  EXPECT_EQ(server.WaitForEnd().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace autopxe::agent
