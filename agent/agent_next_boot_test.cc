#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "agent/agent.h"
#include "agent/sync/fake_server.h"
#include "agent/test_agent.h"
#include "common/model/snapshot.h"
#include "common/status/status_matchers.h"
#include "common/wire/snapshot_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// SnapshotAt, and for its next boot debian/trixie/latest/overlayfs, by revision 4.
std::shared_ptr<const Snapshot> NextBootAt(int64_t number) {
  const std::shared_ptr<const Snapshot> before = SnapshotAt(number - 1);
  Host host = *before->FindHost(HostId{1});
  host.next = NextBoot{*Distro::Parse("debian/trixie/latest/overlayfs"), 4};
  Change change;
  change.base = before->revision().id;
  change.revision.id = {number, 7};
  change.hosts = {std::make_shared<const Host>(host)};
  return *Apply(*before, change);
}

constexpr char kNextKernel[] =
    "next/bc-24-11-b0-1a-de/4/boot/debian/trixie/boot/vmlinuz-6.1.0-25-amd64";
constexpr char kOnce[] = "this%20boot%20only";

TEST_F(AgentTest, ANextBootIsUsedUpByItsKernelAloneByWhicheverProtocol) {
  AddRelease("trixie");
  for (const bool by_tftp : {false, true}) {
    SCOPED_TRACE(by_tftp);
    std::filesystem::remove_all(folder_ + "/state");
    SaveView(NextBootAt(5));
    const auto agent = Agent::Start(BuildConfig());
    ASSERT_THAT(agent, IsOk());
    const auto fetch = [&](const std::string& path) {
      return by_tftp ? ByTftp(**agent, path) : ByHttp(**agent, path);
    };
    for (int i = 0; i < 2; ++i) EXPECT_THAT(fetch("autopxe-bc2411b01ade"), HasSubstr(kOnce));
    EXPECT_EQ(fetch("boot/debian/trixie/boot/vmlinuz-6.1.0-25-amd64"), "kernel of trixie");
    EXPECT_THAT(fetch("autopxe-bc2411b01ade"), HasSubstr(kOnce));
    EXPECT_EQ(fetch(kNextKernel), "kernel of trixie");
    EXPECT_THAT(
        fetch("autopxe-bc2411b01ade"),
        AllOf(Not(HasSubstr(kOnce)), HasSubstr("debian/bookworm/latest/overlayfs%20(assigned)")));
    EXPECT_EQ(fetch(kNextKernel), "kernel of trixie") << "asked again, as after a lost answer";
  }
}

TEST_F(AgentTest, WithTheServerAwayARestartBringsNoNextBootBackAndItIsReportedLater) {
  AddRelease("trixie");
  SaveView(NextBootAt(5));
  {
    const auto agent = Agent::Start(BuildConfig());
    ASSERT_THAT(agent, IsOk());
    EXPECT_EQ(ByHttp(**agent, kNextKernel), "kernel of trixie");
  }
  FakeServer server;
  {
    const auto agent = Agent::Start(BuildConfig(server.address()));
    ASSERT_THAT(agent, IsOk());
    EXPECT_THAT(ByHttp(**agent, "autopxe-bc2411b01ade"), Not(HasSubstr(kOnce)));
    EXPECT_EQ(server.WaitForWatch().resume_from().number(), 5);
    const v1::ReportUsedNextBootsRequest request = server.WaitForUsed();
    ASSERT_EQ(request.used_size(), 1);
    EXPECT_EQ(request.agent_id(), "lab");
    EXPECT_EQ(request.used(0).host_id(), 1);
    EXPECT_EQ(request.used(0).token(), 4);
    // A snapshot that the server made before it heard of it.
    v1::WatchConfigurationResponse response;
    *response.mutable_snapshot() = ToProto(*NextBootAt(6)).front();
    server.Send(response);
    while (server.WaitForStatus().status().applied().number() != 6) {
    }
    EXPECT_THAT(ByHttp(**agent, "autopxe-bc2411b01ade"), Not(HasSubstr(kOnce)));
  }
  // The configuration on disk still has it, and the server has it from here.
  const auto agent = Agent::Start(BuildConfig());
  ASSERT_THAT(agent, IsOk());
  EXPECT_THAT(ByHttp(**agent, "autopxe-bc2411b01ade"), Not(HasSubstr(kOnce)));
}

TEST_F(AgentTest, ANextBootThatIsAssignedAnewIsAnotherOne) {
  AddRelease("trixie");
  SaveView(NextBootAt(5));
  FakeServer server;
  const auto agent = Agent::Start(BuildConfig(server.address()));
  ASSERT_THAT(agent, IsOk());
  EXPECT_EQ(ByHttp(**agent, kNextKernel), "kernel of trixie");
  EXPECT_EQ(server.WaitForUsed().used(0).token(), 4);
  v1::WatchConfigurationResponse response;
  *response.mutable_snapshot() = ToProto(*NextBootAt(6)).front();
  response.mutable_snapshot()->mutable_hosts(0)->mutable_next_boot()->set_token(6);
  server.Send(response);
  while (server.WaitForStatus().status().applied().number() != 6) {
  }
  EXPECT_THAT(ByHttp(**agent, "autopxe-bc2411b01ade"),
              AllOf(HasSubstr(kOnce), HasSubstr("next/bc-24-11-b0-1a-de/6/")));
}

TEST_F(AgentTest, ADamagedJournalIsToldAndDoesNotKeepItFromServing) {
  SaveView(NextBootAt(5));
  std::ofstream(folder_ + "/state/journal") << "nonsense\n";
  FakeServer server;
  const auto agent = Agent::Start(BuildConfig(server.address()));
  ASSERT_THAT(agent, IsOk());
  const v1::AgentStatus status = server.WaitForStatus().status();
  ASSERT_EQ(status.problems_size(), 1);
  EXPECT_THAT(status.problems(0), HasSubstr("the journal could not be used"));
  EXPECT_NE(ByHttp(**agent, "autopxe-bc2411b01ade"), "");
}

}  // namespace
}  // namespace autopxe::agent
