#include "server/services/decision_service.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boot/sample.h"
#include "common/status/grpc_status.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "server/services/loopback_server.h"
#include "server/services/memory_writer.h"

namespace autopxe::server {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

using Stub = v1::DecisionService::Stub;

class DecisionServiceTest : public ::testing::Test {
 protected:
  DecisionServiceTest() {
    WriteRequest request;
    for (int i = 1; i <= 3; ++i) {
      const MacAddress mac = MacAddress::FromNumber(0x525400000000u + unsigned(i));
      const HostName name = *HostName::Parse(absl::StrCat("cn0", i));
      request.batch.mutations.push_back(CreateHost{.name = name, .macs = {mac}});
      UpdateHost update{.host = name};
      update.set_labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse(i == 2 ? "r2" : "r1")}};
      request.batch.mutations.push_back(update);
    }
    SetGroup group{.name = *GroupName::Parse("r1"), .selector = *Selector::Parse("rack=r1")};
    group.distro = absl::optional<Distro>(Distro::Local());
    request.batch.mutations.push_back(group);
    UpdateAgentSettings settings{.agent = *AgentId::Parse("lab")};
    settings.default_distro = absl::optional<Distro>(Distro::Wait());
    request.batch.mutations.push_back(settings);
    writer_.Apply(std::move(request), [](const WriteOutcome& outcome) {
      ASSERT_TRUE(std::holds_alternative<WriteResult>(outcome));
    });
  }

  void Report(const char* agent) {
    AgentStatus status{.instance = *AgentInstance::Parse("i1")};
    status.http_address = *IpEndpoint::Parse("10.77.1.1:8080");
    status.view_age = absl::ZeroDuration();
    registry_.Report(*AgentId::Parse(agent), status);
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const std::string& text) {
    grpc::ClientContext context;
    Request request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
    Response response;
    const grpc::Status status = ((*stub_).*method)(&context, request, &response);
    if (!status.ok()) return ToAbslStatus(status);
    return response;
  }

  // Agents may report while a call is under way: the next reading is of the next ones, if any.
  std::shared_ptr<const Catalogs> ReadCatalogs() {
    const auto read = catalogs_.front();
    if (catalogs_.size() > 1) catalogs_.erase(catalogs_.begin());
    return read;
  }

  FakeClock clock_;
  MemoryWriter writer_;
  AgentRegistry registry_{clock_};
  std::vector<NextBootUse> used_twice_;
  std::vector<std::shared_ptr<const Catalogs>> catalogs_{std::make_shared<const Catalogs>()};
  DecisionService service_{[this] { return ReadCatalogs(); },
                           [this](HostId) { return used_twice_; }, registry_, writer_.feed(),
                           clock_};
  LoopbackServer server_{{&service_}};
  std::unique_ptr<Stub> stub_{v1::DecisionService::NewStub(server_.Connect())};
};

TEST_F(DecisionServiceTest, AHostIsExplainedAtTheOnlyAgent) {
  Report("lab");
  const auto response = Call(&Stub::Explain, "host: 'cn01' by_http: true");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->decision().agent_id(), "lab");
  EXPECT_EQ(response->decision().distro(), "local");
  EXPECT_EQ(response->decision().group(), "r1");
  EXPECT_EQ(response->decision().mac(), "52:54:00:00:00:01");
  EXPECT_EQ(response->revision().number(), 1);
  EXPECT_EQ(response->agent_state(), v1::AGENT_STATE_AWAY);
  EXPECT_EQ(response->verdict(), v1::VERDICT_DOUBTFUL);
  EXPECT_THAT(response->script(), HasSubstr("#!ipxe"));
}

TEST_F(DecisionServiceTest, WhereNoAgentIsNamedOneIsChosenAndSaidWhy) {
  EXPECT_THAT(Call(&Stub::Explain, "host: 'cn02'"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no agent has reported")));
  Report("attic");
  Report("lab");
  auto response = Call(&Stub::Explain, "host: 'cn02'");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->decision().agent_id(), "attic");
  EXPECT_THAT(response->agent_choice(), HasSubstr("none is connected"));
  registry_.WatchBegan(*AgentId::Parse("lab"), *AgentInstance::Parse("i1"));
  response = Call(&Stub::Explain, "host: 'cn02'");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->decision().agent_id(), "lab");
  EXPECT_EQ(response->decision().distro(), "wait");
  EXPECT_THAT(response->agent_choice(),
              HasSubstr("agent \"lab\" is the first of 2 that is connec"));
  ASSERT_EQ(response->elsewhere_size(), 1);
  EXPECT_EQ(response->elsewhere(0).agent_id(), "attic");
  EXPECT_EQ(response->elsewhere(0).distro(), "menu");
}

TEST_F(DecisionServiceTest, WhatIsReportedMeanwhileDoesNotContradictTheChoice) {
  Report("attic");
  Report("lab");
  Catalogs told;
  for (const char* agent : {"attic", "lab"}) {
    told[*AgentId::Parse(agent)] = std::make_shared<const Catalog>();
  }
  catalogs_.push_back(std::make_shared<const Catalogs>(told));
  const auto response = Call(&Stub::Explain, "host: 'cn02'");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->decision().agent_id(), "attic");
  EXPECT_FALSE(response->has_catalog());
}

TEST_F(DecisionServiceTest, TheAgentThatIsNamedIsTheOneThatIsExplained) {
  Report("attic");
  Report("lab");
  const auto response = Call(&Stub::Explain, "host: 'cn02' agent_id: 'attic'");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->decision().distro(), "menu");
  EXPECT_EQ(response->agent_choice(), "");
  EXPECT_EQ(response->elsewhere_size(), 0);
  EXPECT_THAT(Call(&Stub::Explain, "host: 'cn01' agent_id: 'cellar'"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("cellar")));
  EXPECT_THAT(Call(&Stub::Explain, "host: 'cn01' agent_id: 'a b'"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(DecisionServiceTest, WhereTheHostAsksIsTakenFromTheQuestion) {
  Report("lab");
  const auto response = Call(&Stub::Explain, "host: 'cn01' by_http: true asked_at: '10.77.1.9'");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->asked_at(), "10.77.1.9");
  for (const char* wrong : {"here", "0.0.0.0", "10.77.1.9:80"}) {
    EXPECT_THAT(Call(&Stub::Explain, absl::StrCat("host: 'cn01' asked_at: '", wrong, "'")),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(wrong)));
  }
}

TEST_F(DecisionServiceTest, ANextBootThatWasUsedTwiceIsSaidOfItsHost) {
  Report("lab");
  used_twice_ = {
      {.agent = *AgentId::Parse("lab"), .host = HostId{1}, .token = 1, .distro = "local"}};
  const auto response = Call(&Stub::Explain, "host: 'cn01'");
  ASSERT_THAT(response, IsOk());
  EXPECT_THAT(response->sentences(), Contains(HasSubstr("it used one next boot of local")));
}

TEST_F(DecisionServiceTest, AnUnknownNameIsAnErrorAndAnUnknownMacAHost) {
  Report("lab");
  EXPECT_THAT(Call(&Stub::Explain, "host: 'cn99'"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("cn99")));
  EXPECT_THAT(Call(&Stub::Explain, "host: 'a b'"), StatusIs(absl::StatusCode::kInvalidArgument));
  const auto response = Call(&Stub::Explain, "host: '525400000099'");
  ASSERT_THAT(response, IsOk());
  EXPECT_FALSE(response->decision().known());
  EXPECT_EQ(response->decision().distro(), "wait");
}

TEST_F(DecisionServiceTest, ManyHostsAreDecidedInPages) {
  const auto first = Call(&Stub::ListDecisions, "page_size: 2");
  ASSERT_THAT(first, IsOk());
  ASSERT_EQ(first->decisions_size(), 2);
  EXPECT_EQ(first->decisions(0).distro_origin(), v1::DISTRO_ORIGIN_GROUP);
  EXPECT_EQ(first->decisions(0).outcome(), v1::OUTCOME_UNSPECIFIED);
  EXPECT_EQ(first->decisions(1).distro_origin(), v1::DISTRO_ORIGIN_NOTHING);
  const auto last =
      Call(&Stub::ListDecisions, absl::StrCat("page_token: '", first->next_page_token(), "'"));
  ASSERT_THAT(last, IsOk());
  ASSERT_EQ(last->decisions_size(), 1);
  EXPECT_EQ(last->decisions(0).host(), "cn03");
  EXPECT_EQ(last->next_page_token(), "");
}

TEST_F(DecisionServiceTest, ASelectorAndAnAgentNarrowTheList) {
  Report("lab");
  const auto response = Call(&Stub::ListDecisions, "selector: 'rack=r2' agent_id: 'lab'");
  ASSERT_THAT(response, IsOk());
  ASSERT_EQ(response->decisions_size(), 1);
  EXPECT_EQ(response->decisions(0).host(), "cn02");
  EXPECT_EQ(response->decisions(0).distro_origin(), v1::DISTRO_ORIGIN_AGENT_DEFAULT);
  EXPECT_EQ(response->decisions(0).outcome(), v1::OUTCOME_WAIT);
  for (const char* wrong :
       {"selector: '=x'", "agent_id: 'a b'", "page_size: -1", "page_token: 'x'"}) {
    EXPECT_THAT(Call(&Stub::ListDecisions, wrong), StatusIs(absl::StatusCode::kInvalidArgument))
        << wrong;
  }
  EXPECT_THAT(Call(&Stub::ListDecisions, "agent_id: 'cellar'"),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DecisionServiceTest, HostsThatAreNamedAreDecidedInThatOrderAndAnUnknownMacAsNobodys) {
  Report("lab");
  for (const char* agent : {"", "agent_id: 'lab'"}) {
    const auto response =
        Call(&Stub::ListDecisions,
             absl::StrCat("hosts: 'cn03' hosts: 'nobody' hosts: '02:00:00:00:00:99' hosts: 'cn01' ",
                          agent));
    ASSERT_THAT(response, IsOk());
    ASSERT_EQ(response->decisions_size(), 3);
    EXPECT_EQ(response->decisions(0).host(), "cn03");
    EXPECT_TRUE(response->decisions(0).known());
    EXPECT_EQ(response->decisions(1).host(), "02:00:00:00:00:99");
    EXPECT_FALSE(response->decisions(1).known());
    EXPECT_EQ(response->decisions(2).host(), "cn01");
  }
}

}  // namespace
}  // namespace autopxe::server
