// What agents report, and what becomes of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/synchronization/notification.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/faulty_disk.h"
#include "server/store/configuration_sample.h"
#include "server/store/writer_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(WriterTest, WhatAgentsReportIsThereAfterARestart) {
  const AgentId id = *AgentId::Parse("attic");
  const AgentStatus status{.instance = *AgentInstance::Parse("i1"),
                           .applied = {.number = 3, .tag = 9},
                           .version = "0.1.0",
                           .start_time = kNow + absl::Nanoseconds(7),
                           .http_address = absl::nullopt,
                           .tftp_address = absl::nullopt};
  writer_->SaveAgentStatus(id, status, kNow);
  writer_->WaitUntilIdle();
  Restart();
  AgentReports reports = writer_->CurrentAgentReports();
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_EQ(reports.at(id).status->applied, status.applied);
  EXPECT_EQ(reports.at(id).last_seen, kNow);
  EXPECT_EQ(reports.at(id).catalog, nullptr);
  EXPECT_EQ(*reports.at(*AgentId::Parse("lab")).catalog, *SampleCatalogs().begin()->second);
  // No revision for it.
  EXPECT_EQ(writer_->CurrentSnapshot()->revision().id.number, 0);
}

TEST_F(WriterTest, StoppingWritesTheReportsThatWait) {
  const AgentId id = *AgentId::Parse("attic");
  audience_->CloseGate();
  Outcomes outcomes;
  writer_->Apply(AssignRequest(0), outcomes.Expect(0));
  audience_->AwaitArrivals(1);
  for (int i = 1; i <= 3; ++i) {
    AgentStatus status{.instance = *AgentInstance::Parse("i1"),
                       .applied = {.number = i, .tag = 9},
                       .version = "",
                       .start_time = kNow,
                       .http_address = absl::nullopt,
                       .tftp_address = absl::nullopt};
    writer_->SaveAgentStatus(id, status, kNow + absl::Seconds(i));
  }
  std::thread stopper([&] { writer_->Stop(); });
  audience_->OpenGate();
  stopper.join();
  Restart();
  EXPECT_EQ(writer_->CurrentAgentReports().at(id).status->applied.number, 3);
}

TEST_F(WriterTest, AReportThatIsAsBeforeIsNotWritten) {
  FaultyDisk disk;
  Restart();
  const int64_t before = disk.syncs();
  for (int i = 0; i < 3; ++i) {
    writer_->SaveAgentCatalog(*AgentId::Parse("lab"),
                              std::make_shared<Catalog>(*SampleCatalogs().begin()->second));
    writer_->WaitUntilIdle();
  }
  EXPECT_EQ(disk.syncs(), before);
}

// One agent's reports, which come every 30 s, and how often the disk was waited for.
class StatusReportTest : public WriterTest {
 protected:
  StatusReportTest() { Restart(); }

  // Whether the report was written.
  bool IsWritten(absl::Duration after, const AgentStatus& status) {
    writer_->SaveAgentStatus(attic_, status, kNow + after);
    return HasWritten();
  }
  bool HasWritten() {
    const int64_t before = syncs_;
    writer_->WaitUntilIdle();
    syncs_ = disk_.syncs();
    return syncs_ > before;
  }

  FaultyDisk disk_;
  int64_t syncs_ = 0;
  const AgentId attic_ = *AgentId::Parse("attic");
  AgentStatus status_{.instance = *AgentInstance::Parse("i1"),
                      .applied = {.number = 3, .tag = 9},
                      .view_age = absl::Seconds(1)};
};

TEST_F(StatusReportTest, AReportThatDiffersInItsAgeAloneIsWrittenEveryTenMinutes) {
  EXPECT_TRUE(IsWritten(absl::ZeroDuration(), status_));
  for (int seconds = 30; seconds < 600; seconds += 30) {
    status_.view_age = absl::Seconds(1 + seconds % 7);
    EXPECT_FALSE(IsWritten(absl::Seconds(seconds), status_)) << seconds;
  }
  EXPECT_EQ(writer_->CurrentAgentReports().at(attic_).last_seen, kNow + absl::Seconds(570));
  status_.view_age = absl::Seconds(5);
  EXPECT_TRUE(IsWritten(absl::Minutes(10), status_));
  EXPECT_FALSE(IsWritten(absl::Minutes(19), status_));
  EXPECT_TRUE(IsWritten(-absl::Hours(1), status_)) << "the clock was set back";
  Restart();
  const AgentReport report = writer_->CurrentAgentReports().at(attic_);
  EXPECT_EQ(report.last_seen, kNow - absl::Hours(1));
  EXPECT_EQ(report.status, status_);
  // What is on disk is known after a restart.
  HasWritten();
  EXPECT_FALSE(IsWritten(absl::Minutes(1) - absl::Hours(1), status_));
}

TEST_F(StatusReportTest, AReportThatDiffersInAnythingElseIsWrittenAtOnce) {
  EXPECT_TRUE(IsWritten(absl::ZeroDuration(), status_));
  status_.problems = {"the disk is full"};
  EXPECT_TRUE(IsWritten(absl::Seconds(30), status_));
  status_.applied.number = 4;
  EXPECT_TRUE(IsWritten(absl::Seconds(31), status_));
  status_.view_age = absl::nullopt;
  EXPECT_TRUE(IsWritten(absl::Seconds(32), status_)) << "it serves nothing any more";
  EXPECT_FALSE(IsWritten(absl::Seconds(62), status_));
}

TEST_F(StatusReportTest, WhenItWasLastSeenIsWrittenWhenItsWatchEnds) {
  IsWritten(absl::ZeroDuration(), status_);
  writer_->SaveLastSeen(attic_);
  writer_->SaveLastSeen(*AgentId::Parse("nobody"));
  EXPECT_FALSE(HasWritten());
  status_.view_age = absl::Seconds(9);
  EXPECT_FALSE(IsWritten(absl::Seconds(30), status_));
  writer_->SaveLastSeen(attic_);
  EXPECT_TRUE(HasWritten());
  Restart();
  EXPECT_EQ(writer_->CurrentAgentReports().at(attic_).last_seen, kNow + absl::Seconds(30));
  EXPECT_EQ(writer_->CurrentAgentReports().at(attic_).status, status_);
}

TEST_F(StatusReportTest, AReportAsBeforeTriesAgainWhatCouldNotBeWritten) {
  disk_.FailWrites(1);
  IsWritten(absl::ZeroDuration(), status_);
  EXPECT_TRUE(IsWritten(absl::Seconds(30), status_));
  Restart();
  EXPECT_EQ(writer_->CurrentAgentReports().at(attic_).last_seen, kNow + absl::Seconds(30));
}

TEST_F(WriterTest, ADeletedReportIsGoneFromPlansAndAfterARestart) {
  const AgentId lab = *AgentId::Parse("lab");
  absl::Notification done;
  writer_->DeleteAgentReport(lab, [&](const absl::Status& status) {
    EXPECT_THAT(status, IsOk());
    done.Notify();
  });
  EXPECT_THAT(*writer_->CurrentCatalogs(), SizeIs(0));
  done.WaitForNotification();
  Restart();
  EXPECT_THAT(writer_->CurrentAgentReports(), SizeIs(0));
}

TEST_F(WriterTest, ADeletionThatCouldNotBeWrittenIsToldAndWrittenLaterAndWhatCameSinceStays) {
  FaultyDisk disk;
  Restart();
  disk.FailWrites(1);
  const AgentId lab = *AgentId::Parse("lab");
  absl::Notification done;
  writer_->DeleteAgentReport(lab, [&](const absl::Status& status) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no longer listed")));
    done.Notify();
  });
  done.WaitForNotification();
  const AgentStatus status{.instance = *AgentInstance::Parse("i2"), .start_time = kNow};
  writer_->SaveAgentStatus(lab, status, kNow);
  writer_->WaitUntilIdle();
  Restart();
  const AgentReports reports = writer_->CurrentAgentReports();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports.at(lab).status, status);
  EXPECT_EQ(reports.at(lab).catalog, nullptr) << "deleted before";
}

TEST_F(WriterTest, AReportThatCouldNotBeWrittenIsWrittenLater) {
  FaultyDisk disk;
  Restart();
  disk.FailWrites(1);
  const CountedMove moved = {{"debian", "bookworm", "latest", "6.1.0-25", "6.1.0-28"}, 212};
  writer_->SaveAgentCatalog(*AgentId::Parse("attic"), SampleCatalogs().begin()->second, {moved});
  writer_->WaitUntilIdle();
  EXPECT_THAT(failures(), ElementsAre(StatusIs(absl::StatusCode::kUnavailable)));
  Accepted(AssignRequest(0));
  writer_->WaitUntilIdle();
  Restart();
  EXPECT_THAT(*writer_->CurrentCatalogs(), SizeIs(2));
  const RecordedMove recorded = {1, kNow, *AgentId::Parse("attic"), moved};
  EXPECT_THAT(*writer_->CurrentKernelMoves(), ElementsAre(recorded));
}

TEST_F(WriterTest, APlanSeesACatalogAsSoonAsItWasReported) {
  Accepted(RequestOf(SampleSetup()));
  const WriteOutcome refused = Apply(AssignRequest(1, "debian/trixie/latest/overlayfs"));
  EXPECT_TRUE(std::holds_alternative<Refusal>(refused));
  auto catalog = std::make_shared<Catalog>(*SampleCatalogs().begin()->second);
  catalog->distros[0].releases.push_back(catalog->distros[0].releases[0]);
  catalog->distros[0].releases[1].name = "trixie";
  writer_->SaveAgentCatalog(*AgentId::Parse("attic"), catalog);
  Accepted(AssignRequest(1, "debian/trixie/latest/overlayfs"));
}

TEST_F(WriterTest, UsedNextBootsAreKnownAfterARestart) {
  const auto use_at = [](const char* agent) {
    return std::vector<NextBootUse>{{.agent = *AgentId::Parse(agent),
                                     .host = HostId{1},
                                     .token = 7,
                                     .time = kNow + absl::Nanoseconds(3),
                                     .distro = "local"}};
  };
  EXPECT_THAT(writer_->SaveNextBootUses(use_at("attic")), SizeIs(0));
  writer_->WaitUntilIdle();
  Restart();
  EXPECT_THAT(writer_->SaveNextBootUses(use_at("attic")), SizeIs(0));
  const auto used_twice = writer_->SaveNextBootUses(use_at("cellar"));
  ASSERT_THAT(used_twice, SizeIs(1));
  ASSERT_THAT(used_twice[0], SizeIs(2));
  EXPECT_EQ(used_twice[0][0].agent.text(), "attic");
  EXPECT_EQ(used_twice[0][0].time, kNow);
  EXPECT_EQ(used_twice[0][0].distro, "local");
  EXPECT_THAT(writer_->NextBootUsedTwice(HostId{1}), SizeIs(2));
  EXPECT_THAT(writer_->NextBootUsedTwice(HostId{2}), SizeIs(0));
  // An agent of which nothing else is known is not listed for that.
  writer_->WaitUntilIdle();
  EXPECT_EQ(writer_->CurrentAgentReports().count(*AgentId::Parse("cellar")), 0u);
}

}  // namespace
}  // namespace autopxe::server
