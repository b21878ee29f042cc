#include "agent/sync/reporter.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/journal/journal.h"
#include "agent/sync/fake_server.h"
#include "agent/sync/server_channel.h"
#include "common/model/snapshot.h"
#include "common/runtime/captured_log.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

std::shared_ptr<const Snapshot> SnapshotAt(int64_t number) {
  Revision revision;
  revision.id = {number, 7};
  return Snapshot::Empty(revision);
}

// Stands still until it is moved, and tells how often it was looked at.
class WatchedClock final : public Clock {
 public:
  absl::Time Now() const override { return clock_.Now(); }
  absl::Duration Monotonic() const override {
    ++looks_;
    return clock_.Monotonic();
  }
  void Advance(absl::Duration duration) { clock_.Advance(duration); }
  int looks() const { return looks_; }

 private:
  FakeClock clock_;
  mutable std::atomic<int> looks_ = 0;
};

class ReporterTest : public testing::Test {
 protected:
  ReporterTest() {
    std::string folder = absl::StrCat(testing::TempDir(), "/treeXXXXXX");
    folder_ = mkdtemp(folder.data());
    std::filesystem::create_directories(absl::StrCat(folder_, "/rootfs"));
    std::filesystem::create_directories(absl::StrCat(folder_, "/loaders"));
    catalog_ = std::make_unique<LiveCatalog>(CatalogFolders{
        .rootfs = folder_ + "/rootfs", .loaders = folder_ + "/loaders", .files = ""});
    AddRelease("bookworm");
    journal_ = *Journal::Open(folder_, Journal::Options());
  }
  ~ReporterTest() override {
    journal_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  static JournalUse Use(int64_t host) {
    return {.used = {HostId{host}, 7},
            .mac = MacAddress::FromNumber(0x525400123456),
            .time = absl::FromUnixSeconds(1'700'000'000 + host)};
  }

  void AddRelease(const std::string& release) {
    const std::string boot = absl::StrCat(folder_, "/rootfs/debian/", release, "/boot");
    std::filesystem::create_directories(boot);
    for (const char* name : {"/vmlinuz-6.1.0-25-amd64", "/initrd.img-6.1.0-25-amd64"}) {
      std::ofstream(boot + name) << name;
      // What is new may still be on its way in.
      std::filesystem::last_write_time(
          boot + name, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    }
    EXPECT_THAT(catalog_->Rescan(), IsOk());
  }

  std::unique_ptr<Reporter> Report(const std::string& address,
                                   absl::Duration interval = absl::Hours(1)) {
    AgentStatus status{.instance = *AgentInstance::Parse("i1"),
                       .applied = {},
                       .version = "0.1.0",
                       .start_time = absl::FromUnixSeconds(1'700'000'000),
                       .http_address = *IpEndpoint::Parse("10.77.1.1:8080"),
                       .tftp_address = {}};
    Reporter::Options options{.agent_id = *AgentId::Parse("lab"), .status = status};
    options.interval = interval;
    options.first_backoff = absl::Milliseconds(1);
    options.most_backoff = absl::Milliseconds(20);
    return Report(address, options, clock_);
  }

  // With back-off by a clock that stands still.
  std::unique_ptr<Reporter> ReportBy(WatchedClock& clock, const std::string& address) {
    Reporter::Options options{.agent_id = *AgentId::Parse("lab"),
                              .status = {.instance = *AgentInstance::Parse("i1")}};
    options.interval = absl::Hours(24);
    options.first_backoff = kBackoff;
    options.most_backoff = kBackoff;
    return Report(address, options, clock);
  }

  std::unique_ptr<Reporter> Report(const std::string& address, const Reporter::Options& options,
                                   const Clock& clock) {
    return std::make_unique<Reporter>(options, BuildServerChannel(address), view_, *catalog_,
                                      *journal_, problems_, clock);
  }

  // Returns once it has been woken again and again and has looked what is to be done.
  static void WakeManyTimes(Reporter& reporter, const WatchedClock& clock) {
    const int before = clock.looks();
    while (clock.looks() < before + 30) {
      reporter.Wake();
      std::this_thread::yield();
    }
  }

  static constexpr absl::Duration kBackoff = absl::Hours(1);  // At the most.
  SystemClock clock_;
  View view_;
  std::string folder_;
  std::unique_ptr<LiveCatalog> catalog_;
  std::unique_ptr<Journal> journal_;
  Problems problems_;
};

TEST_F(ReporterTest, AtTheStartEverythingIsTold) {
  view_.Set(SnapshotAt(5));
  FakeServer server;
  const auto reporter = Report(server.address());
  const v1::ReportStatusRequest status = server.WaitForStatus();
  EXPECT_EQ(status.agent_id(), "lab");
  EXPECT_EQ(status.status().applied().number(), 5);
  EXPECT_EQ(status.status().applied().tag(), 7u);
  EXPECT_EQ(status.status().version(), "0.1.0");
  EXPECT_EQ(status.status().instance(), "i1");
  EXPECT_EQ(status.status().http_address(), "10.77.1.1:8080");
  EXPECT_EQ(status.status().tftp_address(), "");
  const v1::ReportCatalogRequest catalog = server.WaitForCatalog();
  EXPECT_EQ(catalog.agent_id(), "lab");
  EXPECT_EQ(catalog.instance(), "i1");
  ASSERT_EQ(catalog.catalog().distros_size(), 1);
  EXPECT_EQ(catalog.catalog().distros(0).releases(0).name(), "bookworm");
}

TEST_F(ReporterTest, AnAgentWithoutAViewSaysSo) {
  FakeServer server;
  const auto reporter = Report(server.address());
  const v1::AgentStatus status = server.WaitForStatus().status();
  EXPECT_EQ(status.applied().number(), 0);
  EXPECT_FALSE(status.has_view_age());
}

TEST_F(ReporterTest, HowOldTheViewIsIsTold) {
  view_.Set(SnapshotAt(5));
  view_.Confirm(clock_.Monotonic() - absl::Hours(2));
  FakeServer server;
  const auto reporter = Report(server.address());
  const int64_t seconds = server.WaitForStatus().status().view_age().seconds();
  EXPECT_GE(seconds, 7200);
  EXPECT_LT(seconds, 7200 + 600);
}

TEST_F(ReporterTest, AProblemIsToldWhenItComesAndWhenItGoes) {
  FakeServer server;
  const auto reporter = Report(server.address());
  EXPECT_EQ(server.WaitForStatus().status().problems_size(), 0);
  problems_.Set(Problems::Kind::kSnapshotNotSaved, "disk full");
  const v1::AgentStatus status = server.WaitForStatus().status();
  ASSERT_EQ(status.problems_size(), 1);
  EXPECT_EQ(status.problems(0), "disk full");
  problems_.Clear(Problems::Kind::kSnapshotNotSaved);
  EXPECT_EQ(server.WaitForStatus().status().problems_size(), 0);
}

TEST_F(ReporterTest, ACatalogThatTheServerRefusesIsAProblemUntilItTakesOne) {
  FakeServer server;
  const auto reporter = Report(server.address());
  server.WaitForStatus();
  server.WaitForCatalog();
  server.RefuseCatalogs(2, grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "a name is too long"));
  AddRelease("trixie");
  reporter->Wake();
  const v1::AgentStatus status = server.WaitForStatus().status();
  ASSERT_EQ(status.problems_size(), 1);
  EXPECT_EQ(status.problems(0), "the server refused the catalog: a name is too long");
  server.WaitForCatalog();
  EXPECT_EQ(server.WaitForStatus().status().problems_size(), 0);
}

TEST_F(ReporterTest, ARefusedCatalogWaitsOutItsBackoffWhileWhatChangesIsToldAtOnce) {
  WatchedClock clock;
  FakeServer server;
  server.RefuseCatalogs(1, grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "a name is too long"));
  const auto reporter = ReportBy(clock, server.address());
  EXPECT_EQ(server.WaitForStatus().status().problems_size(), 0);
  // That it was refused is a problem, which the reporter sets itself.
  EXPECT_EQ(server.WaitForStatus().status().problems_size(), 1);
  problems_.Set(Problems::Kind::kSnapshotNotSaved, "disk full");
  EXPECT_EQ(server.WaitForStatus().status().problems_size(), 2);
  view_.Set(SnapshotAt(5));
  reporter->Wake();
  EXPECT_EQ(server.WaitForStatus().status().applied().number(), 5);
  AddRelease("trixie");
  WakeManyTimes(*reporter, clock);
  EXPECT_EQ(server.catalog_attempts(), 1);
  clock.Advance(kBackoff);
  reporter->Wake();
  EXPECT_EQ(server.WaitForCatalog().catalog().distros(0).releases_size(), 2);
  EXPECT_EQ(server.catalog_attempts(), 2);
  EXPECT_EQ(server.WaitForStatus().status().problems_size(), 1);
}

TEST_F(ReporterTest, ARefusedStatusWaitsOutItsBackoffWhateverChanges) {
  WatchedClock clock;
  FakeServer server;
  server.RefuseReports(1, grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no"));
  const auto reporter = ReportBy(clock, server.address());
  while (server.status_attempts() == 0) std::this_thread::yield();
  problems_.Set(Problems::Kind::kSnapshotNotSaved, "disk full");
  view_.Set(SnapshotAt(5));
  reporter->SetAddresses(absl::nullopt, *IpEndpoint::Parse("10.77.1.2:8080"), absl::nullopt);
  WakeManyTimes(*reporter, clock);
  EXPECT_EQ(server.status_attempts(), 1);
  EXPECT_EQ(server.catalog_attempts(), 0);
  clock.Advance(kBackoff);
  reporter->Wake();
  const v1::AgentStatus status = server.WaitForStatus().status();
  EXPECT_EQ(status.applied().number(), 5);
  EXPECT_EQ(status.problems_size(), 1);
  EXPECT_EQ(status.http_address(), "10.77.1.2:8080");
  server.WaitForCatalog();
}

TEST_F(ReporterTest, AReportThatGetsNoAnswerIsGivenUpAndMadeAgain) {
  FakeServer server;
  server.HoldStatus();
  Reporter::Options options{.agent_id = *AgentId::Parse("lab"),
                            .status = {.instance = *AgentInstance::Parse("i1")}};
  options.first_backoff = absl::Milliseconds(1);
  options.deadline = absl::Milliseconds(50);
  const auto reporter = Report(server.address(), options, clock_);
  server.WaitForStatus();
  EXPECT_GT(server.status_attempts(), 1);
  server.WaitForCatalog();
}

TEST_F(ReporterTest, AConnectionCutsTheBackoffShort) {
  WatchedClock clock;
  FakeServer server;
  server.RefuseReports(1, grpc::Status(grpc::StatusCode::UNAVAILABLE, "starting"));
  const auto reporter = ReportBy(clock, server.address());
  while (server.status_attempts() == 0) std::this_thread::yield();
  reporter->Reconnected();
  server.WaitForStatus();
  server.WaitForCatalog();
}

TEST_F(ReporterTest, EachNewViewIsToldAndTheNewestIsTheLast) {
  FakeServer server;
  const auto reporter = Report(server.address());
  server.WaitForStatus();
  for (int64_t number = 1; number <= 50; ++number) {
    view_.Set(SnapshotAt(number));
    reporter->Wake();
  }
  int reports = 0;
  int64_t told = 0;
  while (told < 50) {
    const int64_t next = server.WaitForStatus().status().applied().number();
    EXPECT_GT(next, told);
    told = next;
    ++reports;
  }
  EXPECT_LE(reports, 50);
}

TEST_F(ReporterTest, AnotherCatalogIsToldWhenItIsFound) {
  FakeServer server;
  const auto reporter = Report(server.address());
  EXPECT_EQ(server.WaitForCatalog().catalog().distros(0).releases_size(), 1);
  AddRelease("trixie");
  reporter->Wake();
  EXPECT_EQ(server.WaitForCatalog().catalog().distros(0).releases_size(), 2);
}

TEST_F(ReporterTest, ACatalogThatTheServerWantsIsToldAgainOnce) {
  FakeServer server;
  const auto reporter = Report(server.address());
  server.WaitForStatus();
  server.WaitForCatalog();
  server.WantCatalog();
  view_.Set(SnapshotAt(1));
  reporter->Wake();
  EXPECT_EQ(server.WaitForCatalog().catalog().distros(0).releases_size(), 1);
  server.WaitForStatus();
  // The second of these has been told when all that the first one brought was done.
  for (int64_t number = 2; number <= 3; ++number) {
    view_.Set(SnapshotAt(number));
    reporter->Wake();
    EXPECT_EQ(server.WaitForStatus().status().applied().number(), number);
  }
  EXPECT_EQ(server.catalog_attempts(), 2);
}

TEST_F(ReporterTest, ACatalogThatTheServerWantsAndRefusesWaitsOutItsBackoff) {
  WatchedClock clock;
  FakeServer server;
  const auto reporter = ReportBy(clock, server.address());
  server.WaitForStatus();
  server.WaitForCatalog();
  server.RefuseCatalogs(1, grpc::Status(grpc::StatusCode::UNAVAILABLE, "disk"));
  for (int64_t number = 1; number <= 3; ++number) {
    server.WantCatalog();
    view_.Set(SnapshotAt(number));
    reporter->Wake();
    EXPECT_EQ(server.WaitForStatus().status().applied().number(), number);
  }
  WakeManyTimes(*reporter, clock);
  EXPECT_EQ(server.catalog_attempts(), 2);
  clock.Advance(kBackoff);
  reporter->Wake();
  server.WaitForCatalog();
}

TEST_F(ReporterTest, TheStatusIsToldAgainAtIntervals) {
  FakeServer server;
  const auto reporter = Report(server.address(), absl::Milliseconds(5));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(server.WaitForStatus().agent_id(), "lab");
}

TEST_F(ReporterTest, AServerThatIsThereAgainIsToldEverything) {
  FakeServer server;
  const auto reporter = Report(server.address());
  server.WaitForStatus();
  server.WaitForCatalog();
  reporter->Reconnected();
  server.WaitForStatus();
  server.WaitForCatalog();
}

TEST_F(ReporterTest, AnotherAddressIsToldAtOnce) {
  FakeServer server;
  const auto reporter = Report(server.address());
  server.WaitForStatus();
  reporter->SetAddresses(*IpAddress::Parse("10.77.1.2"), *IpEndpoint::Parse("10.77.1.2:8080"),
                         *IpEndpoint::Parse("10.77.1.2:69"));
  const v1::AgentStatus status = server.WaitForStatus().status();
  EXPECT_EQ(status.http_address(), "10.77.1.2:8080");
  EXPECT_EQ(status.tftp_address(), "10.77.1.2:69");
  EXPECT_EQ(status.advertise(), "10.77.1.2");
}

TEST_F(ReporterTest, AReportThatFailedIsSentAgain) {
  FakeServer server;
  server.RefuseReports(3, grpc::Status(grpc::StatusCode::UNAVAILABLE, "starting"));
  const auto reporter = Report(server.address());
  server.WaitForStatus();
  server.RefuseReports(1, grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no"));
  reporter->Reconnected();
  server.WaitForStatus();
  server.WaitForCatalog();
}

TEST_F(ReporterTest, WhatIsInTheJournalIsToldOnceInItsOrder) {
  for (int64_t host = 1; host <= 2'500; ++host) journal_->Add(Use(host));
  FakeServer server;
  const auto reporter = Report(server.address());
  int64_t next = 1;
  for (const int size : {1000, 1000, 500}) {
    const v1::ReportUsedNextBootsRequest request = server.WaitForUsed();
    EXPECT_EQ(request.agent_id(), "lab");
    ASSERT_EQ(request.used_size(), size);
    for (const v1::UsedNextBoot& used : request.used()) {
      EXPECT_EQ(used.host_id(), next);
      EXPECT_EQ(used.token(), 7);
      EXPECT_EQ(used.time().seconds(), 1'700'000'000 + next);
      ++next;
    }
  }
  journal_->Add(Use(3'000));
  reporter->Wake();
  EXPECT_EQ(server.WaitForUsed().used(0).host_id(), 3'000);
  reporter->Reconnected();
  server.WaitForStatus();
  while (!journal_->Pending(1).empty()) std::this_thread::yield();
  EXPECT_EQ(server.used_attempts(), 4);
}

// One of an earlier version.
TEST_F(ReporterTest, AServerThatKnowsNoNextBootIsToldTheRestAndAskedAgainLater) {
  journal_->Add(Use(1));
  WatchedClock clock;
  CapturedLog log;
  FakeServer server;
  server.RefuseUsed(2, grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no such method"));
  const auto reporter = ReportBy(clock, server.address());
  server.WaitForCatalog();
  WakeManyTimes(*reporter, clock);
  EXPECT_EQ(server.used_attempts(), 1);
  clock.Advance(kBackoff);
  reporter->Wake();
  while (server.used_attempts() < 2) std::this_thread::yield();
  EXPECT_THAT(journal_->Pending(10), testing::ElementsAre(Use(1)));
  reporter->Reconnected();
  EXPECT_EQ(server.WaitForUsed().used(0).host_id(), 1);
  const std::string text = log.Text();
  const size_t refused = text.find("event=report-refused");
  EXPECT_NE(refused, std::string::npos);
  EXPECT_EQ(text.find("event=report-refused", refused + 1), std::string::npos) << text;
}

TEST_F(ReporterTest, ItEndsAtOnceWithoutAServer) { const auto reporter = Report("127.0.0.1:1"); }

}  // namespace
}  // namespace autopxe::agent
