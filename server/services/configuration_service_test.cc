#include "server/services/configuration_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "common/status/grpc_status.h"
#include "common/status/status_matchers.h"
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
using ::testing::StartsWith;

using Stub = v1::ConfigurationService::Stub;

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// The service over a real connection, with `apply` behind it.
class Service {
 public:
  Service(ApplyFn apply, const Feed& feed)
      : service_(std::move(apply), HistoryReader(), feed, clock_) {}

  Stub& stub() { return *stub_; }

 private:
  FakeClock clock_;
  ConfigurationService service_;
  LoopbackServer server_{{&service_}};
  std::unique_ptr<Stub> stub_{v1::ConfigurationService::NewStub(server_.Connect())};
};

class ConfigurationServiceTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::ApplyResponse> Apply(const std::string& text) {
    grpc::ClientContext context;
    v1::ApplyResponse response;
    last_ = stub().Apply(&context, FromText<v1::ApplyRequest>(text), &response);
    if (!last_.ok()) return ToAbslStatus(last_);
    return response;
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const std::string& text) {
    grpc::ClientContext context;
    Response response;
    last_ = (stub().*method)(&context, FromText<Request>(text), &response);
    if (!last_.ok()) return ToAbslStatus(last_);
    return response;
  }

  Stub& stub() { return service_.stub(); }

  MemoryWriter writer_;
  Service service_{[this](WriteRequest request, std::function<void(WriteOutcome)> done) {
                     writer_.Apply(std::move(request), done);
                   },
                   writer_.feed()};
  grpc::Status last_;
};

TEST_F(ConfigurationServiceTest, AnAssignmentIsAnsweredWithItsRevisionAndCanBeRead) {
  const auto response = Call(&Stub::AssignHosts,
                             "hosts: '5254.0012.3456' distro: 'menu' options { user: 'ann@ops' "
                             "request_id: 'r-1' }");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->revision().id().number(), 1);
  EXPECT_EQ(response->revision().user(), "ann@ops");
  EXPECT_EQ(response->revision().request_id(), "r-1");
  EXPECT_THAT(response->revision().origin(), StartsWith("ipv4:127.0.0.1:"));
  EXPECT_GT(response->differences_size(), 0);
  EXPECT_FALSE(response->replayed());

  // faults.md 32: every spelling is the same host.
  for (const char* mac : {"52:54:00:12:34:56", "52-54-00-12-34-56", "525400123456"}) {
    const auto host = Call(&Stub::GetHost, absl::StrCat("host: '", mac, "'"));
    ASSERT_THAT(host, IsOk()) << mac;
    EXPECT_EQ(host->name(), "52:54:00:12:34:56");
    EXPECT_EQ(host->distro(), "menu");
    EXPECT_EQ(host->etag(), 1);
  }
}

TEST_F(ConfigurationServiceTest, EveryConvenientRpcIsOneBatchLikeAnyOther) {
  ASSERT_THAT(Call(&Stub::CreateHost, "name: 'web-1' macs: '525400000001' macs: '525400000002'"),
              IsOk());
  ASSERT_THAT(Call(&Stub::CreateHost, "macs: '525400000003'"), IsOk());
  ASSERT_THAT(Call(&Stub::AssignHosts, "hosts: 'web-1' hosts: '525400000003' distro: 'wait'"),
              IsOk());
  ASSERT_THAT(Call(&Stub::SetProfile, "name: 'nfs' command_line: 'root=/dev/nfs ro'"), IsOk());
  ASSERT_THAT(Call(&Stub::UpdateSettings,
                   "update { default_distro: 'local' set_variables { key: 'nfs-server' value: "
                   "'10.0.0.1' } menu_timeout { seconds: 3 } }"),
              IsOk());
  EXPECT_EQ(Call(&Stub::GetHost, "host: 'WEB-1'")->distro(), "wait");
  EXPECT_EQ(Call(&Stub::GetHost, "host: '525400000003'")->distro(), "wait");
  EXPECT_EQ(Call(&Stub::GetProfile, "name: 'nfs'")->command_line(), "root=/dev/nfs ro");
  const auto settings = Call(&Stub::GetSettings, "");
  ASSERT_THAT(settings, IsOk());
  EXPECT_EQ(settings->default_distro(), "local");
  EXPECT_EQ(settings->variables().at("nfs-server"), "10.0.0.1");
  EXPECT_EQ(settings->menu_timeout().seconds(), 3);

  ASSERT_THAT(Call(&Stub::UnassignHosts, "hosts: 'web-1'"), IsOk());
  EXPECT_EQ(Call(&Stub::GetHost, "host: 'web-1'")->distro(), "");
  ASSERT_THAT(Call(&Stub::DeleteProfile, "name: 'nfs'"), IsOk());
  EXPECT_THAT(Call(&Stub::GetProfile, "name: 'nfs'"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(Call(&Stub::DeleteHosts, "hosts: 'web-1' hosts: '525400000003'"), IsOk());
  EXPECT_THAT(Call(&Stub::ListHosts, "")->hosts(), IsEmpty());
  EXPECT_EQ(writer_.feed().Current()->revision().id.number, 8);
}

TEST_F(ConfigurationServiceTest, ARefusalCarriesOneProblemForEachMutationRefused) {
  EXPECT_THAT(Apply("mutations { unassign { host: 'ghost-1' } }"
                    "mutations { assign { host: '525400000001' distro: 'menu' } }"
                    "mutations { delete_host { host: 'ghost-2' } }"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("ghost-[1-2]")));
  const std::vector<Problem> problems = ProblemsOf(last_);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].reason, Reason::kHostUnknown);
  EXPECT_EQ(problems[0].mutation, 0);
  EXPECT_EQ(problems[1].mutation, 2);
  EXPECT_EQ(problems[1].value, "ghost-2");
  EXPECT_EQ(writer_.feed().Current()->revision().id.number, 0);
}

// faults.md 31: what can't be written safely never reaches the plan.
TEST_F(ConfigurationServiceTest, WhatDoesNotParseIsRefusedWithItsFieldAndValue) {
  const struct {
    std::string request;
    std::string field;
  } kCases[] = {
      {"mutations { assign { host: 'a b' distro: 'menu' } }", "host"},
      {"mutations { assign { host: '52:54:00:12:34' distro: 'menu' } }", "host"},
      {"mutations { assign { host: 'a' distro: 'menu\\nshell' } }", "distro"},
      {"mutations { set_profile { name: 'p' command_line: 'quiet\\nboot' } }", "command_line"},
      {"mutations { update_settings { set_variables { key: 'v' value: '${ip}' } } }", ""},
      {"mutations { }", ""},
      {"", "mutations"},
      {"mutations { unassign { host: 'a' } } options { user: 'a\\nb' }", "user"},
      {"mutations { unassign { host: 'a' } } options { user: 'caf\\303\\251' }", "user"},
      {absl::StrCat("mutations { unassign { host: 'a' } } options { user: '", std::string(129, 'u'),
                    "' }"),
       "user"},
      {absl::StrCat("mutations { unassign { host: 'a' } } options { request_id: '",
                    std::string(65, 'u'), "' }"),
       "request_id"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Apply(c.request), StatusIs(absl::StatusCode::kInvalidArgument)) << c.request;
    const std::vector<Problem> problems = ProblemsOf(last_);
    ASSERT_FALSE(problems.empty()) << c.request;
    EXPECT_THAT(problems[0].field, HasSubstr(c.field)) << c.request;
  }
  EXPECT_EQ(writer_.feed().Current()->revision().id.number, 0);
}

TEST_F(ConfigurationServiceTest, ReadsOfWhatIsNotThereNameIt) {
  EXPECT_THAT(Call(&Stub::GetHost, "host: 'ghost'"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"ghost\"")));
  ASSERT_EQ(ProblemsOf(last_).size(), 1u);
  EXPECT_EQ(ProblemsOf(last_)[0].reason, Reason::kHostUnknown);
  EXPECT_THAT(Call(&Stub::GetHost, "host: ''"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Call(&Stub::GetHost, "host: 'a\\nb'"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Call(&Stub::GetProfile, "name: 'nfs'"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"nfs\"")));
  EXPECT_THAT(Call(&Stub::GetProfile, "name: '-'"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ConfigurationServiceTest, PagesOfHostsPutTogetherAreAllOfThemByName) {
  std::string batch;
  std::vector<std::string> want;
  for (int i = 10; i < 60; ++i) {
    const int shuffled = 10 + (i * 37) % 50;
    absl::StrAppend(&batch, "mutations { create_host { name: 'h", shuffled, "' macs: '5254000000",
                    shuffled, "' } }");
    want.push_back(absl::StrCat("h", i));
  }
  ASSERT_THAT(Apply(batch), IsOk());
  for (int size : {0, 1, 7, 50, 1000}) {
    std::vector<std::string> names;
    std::string token;
    do {
      const auto page =
          Call(&Stub::ListHosts, absl::StrCat("page_size: ", size, " page_token: '", token, "'"));
      ASSERT_THAT(page, IsOk());
      EXPECT_LE(page->hosts_size(), size == 0 ? 100 : size);
      for (const v1::Host& host : page->hosts()) names.push_back(host.name());
      token = page->next_page_token();
    } while (!token.empty());
    EXPECT_EQ(names, want) << size;
  }
  EXPECT_THAT(Call(&Stub::ListHosts, "page_size: -1"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Call(&Stub::ListHosts, "page_token: 'h10'"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ConfigurationServiceTest, PagesOfProfilesPutTogetherAreAllOfThemByName) {
  for (const char* name : {"c", "a", "b"}) {
    ASSERT_THAT(Call(&Stub::SetProfile, absl::StrCat("name: '", name, "'")), IsOk());
  }
  std::vector<std::string> names;
  std::string token;
  do {
    const auto page =
        Call(&Stub::ListProfiles, absl::StrCat("page_size: 2 page_token: '", token, "'"));
    ASSERT_THAT(page, IsOk());
    for (const v1::Profile& profile : page->profiles()) names.push_back(profile.name());
    token = page->next_page_token();
  } while (!token.empty());
  EXPECT_THAT(names, ElementsAre("a", "b", "c"));
}

TEST_F(ConfigurationServiceTest, TheSettingsOfAnAgentAreReadAndListedAsTheyWereSet) {
  const auto nothing = Call(&Stub::GetAgentSettings, "agent_id: 'rack1'");
  ASSERT_THAT(nothing, IsOk());
  EXPECT_EQ(nothing->ShortDebugString(), "agent_id: \"rack1\"");
  EXPECT_THAT(Call(&Stub::GetAgentSettings, "agent_id: 'a b'"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"a b\"")));

  for (const char* agent : {"rack3", "rack1", "rack2"}) {
    const auto response =
        Call(&Stub::UpdateAgentSettings,
             absl::StrCat("update { agent_id: '", agent,
                          "' default_distro: 'wait' set_variables { key: 'nfs-server' value: "
                          "'10.77.1.1' } rootfs_path_prefix: '/export' } options { user: 'ann' }"));
    ASSERT_THAT(response, IsOk());
    EXPECT_EQ(response->revision().user(), "ann");
    ASSERT_EQ(response->differences_size(), 3);
    EXPECT_EQ(response->differences(0).kind(), "agent");
    EXPECT_EQ(response->differences(0).name(), agent);
  }
  EXPECT_EQ(Call(&Stub::GetAgentSettings, "agent_id: 'rack1'")->ShortDebugString(),
            "agent_id: \"rack1\" default_distro: \"wait\" variables { key: \"nfs-server\" value: "
            "\"10.77.1.1\" } rootfs_path_prefix: \"/export\" etag: 2");
  std::vector<std::string> agents;
  std::string token;
  do {
    const auto page =
        Call(&Stub::ListAgentSettings, absl::StrCat("page_size: 2 page_token: '", token, "'"));
    ASSERT_THAT(page, IsOk());
    EXPECT_LE(page->agents_size(), 2);
    for (const v1::AgentSettings& one : page->agents()) agents.push_back(one.agent_id());
    token = page->next_page_token();
  } while (!token.empty());
  EXPECT_THAT(agents, ElementsAre("rack1", "rack2", "rack3"));
  EXPECT_THAT(Call(&Stub::ListAgentSettings, "page_token: 'rack1'"),
              StatusIs(absl::StatusCode::kInvalidArgument));

  EXPECT_THAT(Apply("mutations { update_agent_settings { agent_id: 'rack1' default_distro: '' "
                    "unset_variables: 'nfs-server' rootfs_path_prefix: '' } } options { "
                    "expected_etags { agent: 'rack1' etag: 3 } }"),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("\"rack1\"")));
  ASSERT_THAT(Apply("mutations { update_agent_settings { agent_id: 'rack1' default_distro: '' "
                    "unset_variables: 'nfs-server' rootfs_path_prefix: '' } } options { "
                    "expected_etags { agent: 'rack1' etag: 2 } }"),
              IsOk());
  EXPECT_EQ(Call(&Stub::GetAgentSettings, "agent_id: 'rack1'")->etag(), 0);
  EXPECT_EQ(Call(&Stub::ListAgentSettings, "")->agents_size(), 2);
}

TEST_F(ConfigurationServiceTest, APageOfAgentSettingsIsNeverTooLargeForOneMessage) {
  std::string variables;
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&variables, "set_variables { key: 'v", i, "' value: '", std::string(1000, 'x'),
                    "' } ");
  }
  for (int i = 100; i < 160; ++i) {
    ASSERT_THAT(Apply(absl::StrCat("mutations { update_agent_settings { agent_id: 'rack", i, "' ",
                                   variables, "} }")),
                IsOk());
  }
  std::vector<std::string> agents;
  std::string token;
  do {
    const auto page =
        Call(&Stub::ListAgentSettings, absl::StrCat("page_size: 1000 page_token: '", token, "'"));
    ASSERT_THAT(page, IsOk());
    ASSERT_GT(page->agents_size(), 0);
    for (const v1::AgentSettings& one : page->agents()) agents.push_back(one.agent_id());
    token = page->next_page_token();
  } while (!token.empty());
  ASSERT_EQ(agents.size(), 60u);
  EXPECT_EQ(agents.back(), "rack159");
}

TEST_F(ConfigurationServiceTest, ValidateOnlySaysWhatWouldChangeAndChangesNothing) {
  const auto response = Apply(
      "mutations { assign { host: '525400000001' distro: 'menu' } } options { "
      "validate_only: true }");
  ASSERT_THAT(response, IsOk());
  EXPECT_GT(response->differences_size(), 0);
  EXPECT_EQ(response->revision().id().number(), 0);
  EXPECT_THAT(Call(&Stub::GetHost, "host: '525400000001'"), StatusIs(absl::StatusCode::kNotFound));
}

// faults.md 35.
TEST(ConfigurationServiceFailureTest, AWriterThatCanNotWriteIsTheCallersUnavailable) {
  MemoryWriter memory;
  for (const absl::Status& failure : {absl::UnavailableError("database is locked"),
                                      absl::ResourceExhaustedError("disk is full")}) {
    Service service(
        [&](WriteRequest, const std::function<void(WriteOutcome)>& done) { done(failure); },
        memory.feed());
    grpc::ClientContext context;
    v1::ApplyResponse response;
    const grpc::Status status = service.stub().UnassignHosts(
        &context, FromText<v1::UnassignHostsRequest>("hosts: 'a'"), &response);
    EXPECT_EQ(ToAbslStatus(status), failure);
    EXPECT_FALSE(response.has_revision());
    // Reads go on.
    grpc::ClientContext read;
    v1::Settings settings;
    EXPECT_TRUE(service.stub().GetSettings(&read, v1::GetSettingsRequest(), &settings).ok());
  }
}

TEST(ConfigurationServiceFailureTest, CallsThatWaitForTheirCommitHoldNoThread) {
  constexpr int kCalls = 300;
  MemoryWriter memory;
  absl::Mutex mutex;
  std::vector<std::function<void(WriteOutcome)>> waiting;
  Service service(
      [&](WriteRequest, std::function<void(WriteOutcome)> done) {
        absl::MutexLock lock(&mutex);
        waiting.push_back(std::move(done));
      },
      memory.feed());
  struct Pending {
    grpc::ClientContext context;
    v1::UnassignHostsRequest request = FromText<v1::UnassignHostsRequest>("hosts: 'a'");
    v1::ApplyResponse response;
  };
  std::vector<std::unique_ptr<Pending>> calls;
  absl::BlockingCounter done(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(std::make_unique<Pending>());
    Pending& call = *calls.back();
    service.stub().async()->UnassignHosts(&call.context, &call.request, &call.response,
                                          [&done](const grpc::Status& status) {
                                            EXPECT_TRUE(status.ok());
                                            done.DecrementCount();
                                          });
  }
  // All of them are under way at once, which a thread for each would not bear for long.
  const auto all = [&] {
    mutex.AssertHeld();
    return waiting.size() == kCalls;
  };
  std::vector<std::function<void(WriteOutcome)>> commits;
  {
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(&all));
    commits = std::move(waiting);
  }
  int64_t number = 0;
  for (const auto& commit : commits) {
    WriteResult result;
    result.revision.id = {++number, 1};
    commit(result);
  }
  done.Wait();
  std::vector<bool> answered(kCalls + 1);
  for (const auto& call : calls)
    answered[static_cast<size_t>(call->response.revision().id().number())] = true;
  EXPECT_EQ(std::count(answered.begin(), answered.end(), true), kCalls);
}

}  // namespace
}  // namespace autopxe::server
