// What a whole server does for administrators and agents.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/server_fixture.h"
#include "server/store/store.h"

namespace autopxe::server {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

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

}  // namespace
}  // namespace autopxe::server
