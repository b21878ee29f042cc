#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/agent_service_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;

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

TEST_F(AgentServiceTest, APageIsNeverTooLargeForOneMessage) {
  AgentStatus status{.instance = *AgentInstance::Parse("one")};
  status.problems.assign(AgentStatus::kMaxProblems,
                         std::string(AgentStatus::kMaxProblemLength, 'x'));
  for (int i = 1000; i < 2000; ++i) {
    registry_.Restore(*AgentId::Parse(absl::StrCat("agent-", i)), status, clock_.Now());
  }
  std::vector<std::string> ids;
  std::string token;
  do {
    const auto page = List(1000, token);
    EXPECT_LT(page.ByteSizeLong(), 4u << 20);
    ASSERT_GT(page.agents_size(), 0);
    for (const v1::Agent& agent : page.agents()) ids.push_back(agent.id());
    token = page.next_page_token();
  } while (!token.empty());
  ASSERT_EQ(ids.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(ids.back(), "agent-1999");
}

// The ring is short, so that the disk is asked soon; the disk answers once the gate is open.
class SlowDiskTest : public AgentServiceTest {
 protected:
  SlowDiskTest()
      : AgentServiceTest({.changes = 4, .resources = 1'000'000}, [this](RevisionId) {
          {
            absl::MutexLock lock(&thread_mutex_);
            asking_thread_ = std::this_thread::get_id();
          }
          gate_.WaitForNotification();
          return true;
        }) {}

  // A call of ListAgents whose answer is not waited for.
  struct PendingList {
    grpc::ClientContext context;
    v1::ListAgentsRequest request;
    v1::ListAgentsResponse response;
    grpc::Status status;
  };

  absl::Notification gate_;
  absl::Mutex thread_mutex_;
  std::thread::id asking_thread_ ABSL_GUARDED_BY(thread_mutex_);
};

TEST_F(SlowDiskTest, AListThatWaitsForTheDiskHoldsUpNoReport) {
  constexpr int kLists = 200;  // More than gRPC has threads.
  Revise(9);
  ASSERT_TRUE(Report("east", 1, 0x1001).ok());
  std::vector<std::unique_ptr<PendingList>> lists;
  absl::BlockingCounter pending(kLists);
  for (int i = 0; i < kLists; ++i) {
    PendingList& list = *lists.emplace_back(std::make_unique<PendingList>());
    stub_->async()->ListAgents(&list.context, &list.request, &list.response,
                               [&list, &pending](grpc::Status status) {
                                 list.status = std::move(status);
                                 pending.DecrementCount();
                               });
  }
  const auto is_asked = [this]() ABSL_SHARED_LOCKS_REQUIRED(thread_mutex_) {
    return asking_thread_ != std::thread::id();
  };
  {
    absl::MutexLock lock(&thread_mutex_);
    thread_mutex_.Await(absl::Condition(&is_asked));
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Report("west", 9, 0x1009).ok());
  gate_.Notify();
  pending.Wait();
  for (const auto& list : lists) {
    ASSERT_TRUE(list->status.ok());
    EXPECT_EQ(list->response.agents(0).lag(), 8);
  }
}

TEST_F(SlowDiskTest, HostsAreCountedByTheThreadThatMayWait) {
  gate_.Notify();
  Revise(9);
  ASSERT_TRUE(Report("east", 1, 0x1001).ok());
  EXPECT_EQ(List().agents(0).lag(), 8);
  grpc::ClientContext context;
  v1::ReportCatalogRequest request;
  request.set_agent_id("east");
  v1::ReportCatalogResponse response;
  ASSERT_TRUE(stub_->ReportCatalog(&context, request, &response).ok());
  absl::MutexLock lock(&thread_mutex_);
  absl::MutexLock saved_lock(&mutex_);
  EXPECT_EQ(catalog_thread_, asking_thread_);
}

}  // namespace
}  // namespace autopxe::server
