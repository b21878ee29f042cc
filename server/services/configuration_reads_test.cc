// What ConfigurationService reads besides hosts and profiles: groups, selectors, the history.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/grpc_status.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "server/services/configuration_service.h"
#include "server/services/loopback_server.h"
#include "server/services/memory_writer.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Stub = v1::ConfigurationService::Stub;

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// A history of revisions 1 to `last`, of which those up to `trimmed_to` are gone. `filter` is what
// was asked for last.
struct FakeHistory {
  int64_t last = 0;
  int64_t trimmed_to = 0;
  int differences = 1;  // Of each revision.
  int loads = 0;
  HistoryFilter filter;

  HistoryReader Reader() {
    return {.find =
                [this](const HistoryFilter& asked, int64_t before, size_t at_most) {
                  filter = asked;
                  HistoryRevisions found;
                  found.trimmed = trimmed_to > 0;
                  for (int64_t i = std::min(before - 1, last); i > trimmed_to; --i) {
                    if (found.numbers.size() == at_most) break;
                    found.numbers.push_back(i);
                  }
                  return found;
                },
            .load =
                [this](const HistoryFilter&, int64_t number) {
                  ++loads;
                  if (number > last) return absl::optional<HistoryEntry>();
                  HistoryEntry entry;
                  entry.revision.id = {number, 7};
                  entry.revision.user = "agent lab";
                  for (int i = 0; i < differences; ++i) {
                    entry.differences.push_back(
                        {"host", absl::StrCat("cn0", i + 1), "next_boot", "local", {}});
                  }
                  return absl::optional<HistoryEntry>(entry);
                }};
  }
};

class ConfigurationReadsTest : public ::testing::Test {
 protected:
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const std::string& text) {
    grpc::ClientContext context;
    Response response;
    const grpc::Status status = ((*stub_).*method)(&context, FromText<Request>(text), &response);
    if (!status.ok()) return ToAbslStatus(status);
    return response;
  }

  // A host with a label.
  void AddHost(int number, const std::string& rack) {
    EXPECT_THAT(
        Call(&Stub::Apply,
             absl::StrCat("mutations { create_host { name: 'cn0", number, "' macs: '52540000000",
                          number, "' } } ", "mutations { update_host { host: 'cn0", number,
                          "' set_labels { key: 'rack' value: '", rack, "' } } }")),
        IsOk());
  }

  FakeClock clock_;
  MemoryWriter writer_;
  FakeHistory history_;
  ConfigurationService service_{
      [this](WriteRequest request, std::function<void(WriteOutcome)> done) {
        writer_.Apply(std::move(request), done);
      },
      history_.Reader(), writer_.feed(), clock_};
  LoopbackServer server_{{&service_}};
  std::unique_ptr<Stub> stub_{v1::ConfigurationService::NewStub(server_.Connect())};
};

TEST_F(ConfigurationReadsTest, GroupsAreListedInTheOrderInWhichTheyWin) {
  ASSERT_THAT(Call(&Stub::Apply,
                   "mutations { set_group { name: 'b' selector: 'x' priority: -1 } }"
                   "mutations { set_group { name: 'd' selector: 'x' priority: 10 } }"
                   "mutations { set_group { name: 'c' selector: 'x' priority: 10 } }"
                   "mutations { set_group { name: 'a' selector: 'x' } }"),
              IsOk());
  std::vector<std::string> names;
  std::string token;
  do {
    const auto page =
        Call(&Stub::ListGroups, absl::StrCat("page_size: 1 page_token: '", token, "'"));
    ASSERT_THAT(page, IsOk());
    for (const v1::Group& group : page->groups()) names.push_back(group.name());
    token = page->next_page_token();
  } while (!token.empty());
  EXPECT_THAT(names, ElementsAre("c", "d", "a", "b"));
  EXPECT_THAT(Call(&Stub::ListGroups, "page_token: 'x'"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")));
}

TEST_F(ConfigurationReadsTest, AGroupIsReadByItsName) {
  ASSERT_THAT(Call(&Stub::Apply, "mutations { set_group { name: 'gpu' selector: 'gpu!=none' } }"),
              IsOk());
  const auto group = Call(&Stub::GetGroup, "name: 'gpu'");
  ASSERT_THAT(group, IsOk());
  EXPECT_EQ(group->selector(), "gpu!=none");
  EXPECT_EQ(group->etag(), 1);
  EXPECT_THAT(
      Call(&Stub::GetGroup, "name: 'gpus'"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("no such group; did you mean \"gpu\"?")));
  EXPECT_THAT(Call(&Stub::GetGroup, "name: 'storage'"),
              StatusIs(absl::StatusCode::kNotFound,
                       "group \"storage\": no such group; see autopxectl group list"));
  EXPECT_THAT(Call(&Stub::GetProfile, "name: 'storage'"),
              StatusIs(absl::StatusCode::kNotFound,
                       "profile \"storage\": no such profile; see autopxectl profile list"));
  EXPECT_THAT(Call(&Stub::GetDeclaredDistro, "name: 'storage'"),
              StatusIs(absl::StatusCode::kNotFound,
                       "declared distro \"storage\": no such declared distro; see autopxectl "
                       "distro list"));
  EXPECT_THAT(Call(&Stub::GetGroup, "name: ''"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ConfigurationReadsTest, AHostsMistypedNameGetsTheOneThatWasMeant) {
  AddHost(1, "r1");
  EXPECT_THAT(
      Call(&Stub::GetHost, "host: 'cn10'"),
      StatusIs(absl::StatusCode::kNotFound, "host \"cn10\": no such host; did you mean \"cn01\"?"));
  // A MAC is like many others.
  EXPECT_THAT(Call(&Stub::GetHost, "host: '525400000002'"),
              StatusIs(absl::StatusCode::kNotFound,
                       "host \"52:54:00:00:00:02\": no such host; see autopxectl host list"));
}

TEST_F(ConfigurationReadsTest, HostsThatAreNamedAreListedInThatOrderWithoutTheUnknown) {
  for (int i = 1; i <= 4; ++i) AddHost(i, i % 2 == 0 ? "r2" : "r1");
  const auto first = Call(&Stub::ListHosts,
                          "hosts: 'CN04' hosts: 'nobody' hosts: '525400000001' hosts: 'cn03' "
                          "page_size: 2");
  ASSERT_THAT(first, IsOk());
  ASSERT_EQ(first->hosts_size(), 2);
  EXPECT_EQ(first->hosts(0).name(), "cn04");
  EXPECT_EQ(first->hosts(1).name(), "cn01");
  const auto second =
      Call(&Stub::ListHosts, absl::StrCat("hosts: 'CN04' hosts: 'nobody' hosts: '525400000001' "
                                          "hosts: 'cn03' selector: 'rack=r1' page_size: 9 "
                                          "page_token: '",
                                          first->next_page_token(), "'"));
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->hosts_size(), 1);
  EXPECT_EQ(second->next_page_token(), "");
  EXPECT_THAT(Call(&Stub::ListHosts, "hosts: 'a b'"), StatusIs(absl::StatusCode::kInvalidArgument));
  std::string many;
  for (int i = 0; i <= 1000; ++i) many += "hosts: 'cn01' ";
  EXPECT_THAT(Call(&Stub::ListHosts, many),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected 1000 at most")));
}

TEST_F(ConfigurationReadsTest, ADeclaredDistroIsReadByItsName) {
  ASSERT_THAT(Call(&Stub::Apply,
                   "mutations { declare_distro { name: 'memtest' kernel { file: 'memtest/mt86plus' "
                   "arguments: 'console=${tty:-ttyS0}' } architecture: 'x86_64' } }"),
              IsOk());
  const auto distro = Call(&Stub::GetDeclaredDistro, "name: 'memtest'");
  ASSERT_THAT(distro, IsOk());
  EXPECT_EQ(distro->kernel().file(), "memtest/mt86plus");
  EXPECT_EQ(distro->kernel().arguments(), "console=${tty:-ttyS0}");
  EXPECT_EQ(distro->architecture(), "x86_64");
  EXPECT_EQ(distro->etag(), 1);
  EXPECT_THAT(Call(&Stub::GetDeclaredDistro, "name: 'memtst'"),
              StatusIs(absl::StatusCode::kNotFound,
                       "declared distro \"memtst\": no such declared distro; "
                       "did you mean \"memtest\"?"));
  EXPECT_THAT(Call(&Stub::GetDeclaredDistro, "name: 'menu'"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ConfigurationReadsTest, DeclaredDistrosAreListedInPagesByTheirNames) {
  ASSERT_THAT(Call(&Stub::Apply,
                   "mutations { declare_distro { name: 'c' chain: 'http://x/' } }"
                   "mutations { declare_distro { name: 'a' chain: 'http://x/' } }"
                   "mutations { declare_distro { name: 'b' chain: 'tftp://x/y' } }"),
              IsOk());
  std::vector<std::string> names;
  std::string token;
  do {
    const auto page =
        Call(&Stub::ListDeclaredDistros, absl::StrCat("page_size: 2 page_token: '", token, "'"));
    ASSERT_THAT(page, IsOk());
    EXPECT_LE(page->declared_distros_size(), 2);
    for (const v1::DeclaredDistro& distro : page->declared_distros()) {
      names.push_back(distro.name());
    }
    token = page->next_page_token();
  } while (!token.empty());
  EXPECT_THAT(names, ElementsAre("a", "b", "c"));
  EXPECT_THAT(Call(&Stub::ListDeclaredDistros, "page_token: 'x'"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")));
  EXPECT_THAT(Call(&Stub::ListDeclaredDistros, "page_size: -1"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ConfigurationReadsTest, HostsAreListedByTheirLabelsAndAPageGoesOnWithThem) {
  for (int i = 1; i <= 4; ++i) AddHost(i, i % 2 == 0 ? "r2" : "r1");
  const auto first = Call(&Stub::ListHosts, "selector: 'rack=r1' page_size: 1");
  ASSERT_THAT(first, IsOk());
  ASSERT_EQ(first->hosts_size(), 1);
  EXPECT_EQ(first->hosts(0).name(), "cn01");
  const auto second =
      Call(&Stub::ListHosts, absl::StrCat("selector: 'rack=r1' page_size: 1 page_token: '",
                                          first->next_page_token(), "'"));
  ASSERT_THAT(second, IsOk());
  ASSERT_EQ(second->hosts_size(), 1);
  EXPECT_EQ(second->hosts(0).name(), "cn03");
  EXPECT_THAT(Call(&Stub::ListHosts, "selector: 'rack='"), IsOk());
  EXPECT_THAT(Call(&Stub::ListHosts, "selector: '=r1'"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ConfigurationReadsTest, HostsAreAssignedForATermAndUnassignedForTheNextBootOnly) {
  AddHost(1, "r1");
  ASSERT_THAT(Call(&Stub::AssignHosts, "hosts: 'cn01' distro: 'local' next_boot: true"), IsOk());
  ASSERT_THAT(Call(&Stub::AssignHosts, "hosts: 'cn01' distro: 'menu' duration { seconds: 7200 }"),
              IsOk());
  auto host = Call(&Stub::GetHost, "host: 'cn01'");
  ASSERT_THAT(host, IsOk());
  EXPECT_EQ(host->next_boot().distro(), "local");
  EXPECT_EQ(host->timed().distro(), "menu");
  EXPECT_EQ(host->distro(), "");
  ASSERT_THAT(Call(&Stub::UnassignHosts, "hosts: 'cn01' next_boot_only: true"), IsOk());
  host = Call(&Stub::GetHost, "host: 'cn01'");
  EXPECT_FALSE(host->has_next_boot());
  EXPECT_TRUE(host->has_timed());
  EXPECT_THAT(Call(&Stub::AssignHosts, "hosts: 'cn01' distro: 'menu' until { seconds: 1 }"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ConfigurationReadsTest, ALockedHostIsAssignedByForceOnly) {
  AddHost(1, "r1");
  ASSERT_THAT(Call(&Stub::Apply, "mutations { update_host { host: 'cn01' locked: true } }"),
              IsOk());
  EXPECT_THAT(Call(&Stub::AssignHosts, "hosts: 'cn01' distro: 'local'"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Call(&Stub::AssignHosts, "hosts: 'cn01' distro: 'local' options { force: true }"),
              IsOk());
}

TEST_F(ConfigurationReadsTest, TheHistoryComesInPagesFromTheNewest) {
  history_.last = 5;
  history_.trimmed_to = 2;
  const auto first = Call(&Stub::ListHistory, "page_size: 2");
  ASSERT_THAT(first, IsOk());
  ASSERT_EQ(first->entries_size(), 2);
  EXPECT_EQ(first->entries(0).revision().id().number(), 5);
  EXPECT_EQ(first->entries(0).revision().user(), "agent lab");
  EXPECT_EQ(first->entries(0).differences(0).field(), "next_boot");
  EXPECT_FALSE(first->trimmed());
  const auto last = Call(&Stub::ListHistory,
                         absl::StrCat("page_size: 2 page_token: '", first->next_page_token(), "'"));
  ASSERT_THAT(last, IsOk());
  ASSERT_EQ(last->entries_size(), 1);
  EXPECT_EQ(last->entries(0).revision().id().number(), 3);
  EXPECT_TRUE(last->trimmed());
  EXPECT_EQ(last->next_page_token(), "");
}

TEST_F(ConfigurationReadsTest, AnEntryTellsTheFirstHundredDifferencesAndPagesOfThemTellAll) {
  history_.last = 2;
  history_.differences = 250;
  const auto list = Call(&Stub::ListHistory, "page_size: 1");
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ(list->entries(0).differences_size(), 100);
  EXPECT_EQ(list->entries(0).more_differences(), 150);
  const v1::Difference& one = list->entries(0).differences(0);
  EXPECT_TRUE(one.has_before());
  EXPECT_FALSE(one.has_after());
  history_.loads = 0;
  std::vector<std::string> names;
  std::string token;
  do {
    const auto page = Call(&Stub::ListDifferences,
                           absl::StrCat("revision: 2 page_size: 120 page_token: '", token, "'"));
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(page->revision().user(), "agent lab");
    for (const v1::Difference& difference : page->differences()) names.push_back(difference.name());
    token = page->next_page_token();
  } while (!token.empty());
  EXPECT_EQ(names.size(), 250u);
  EXPECT_EQ(names.back(), "cn0250");
  EXPECT_EQ(history_.loads, 1);
}

TEST_F(ConfigurationReadsTest, DifferencesOfWhatIsNotThereAreNotFound) {
  history_.last = 2;
  EXPECT_THAT(Call(&Stub::ListDifferences, "revision: 3"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("revision 3: there is no such")));
  for (const char* wrong : {"revision: 1 kind: 'hosts'", "revision: 1 name: 'x'",
                            "revision: 1 page_size: -1", "revision: 1 page_token: 'x'"}) {
    EXPECT_THAT(Call(&Stub::ListDifferences, wrong), StatusIs(absl::StatusCode::kInvalidArgument))
        << wrong;
  }
}

TEST_F(ConfigurationReadsTest, WhatIsAskedOfTheHistoryIsParsed) {
  ASSERT_THAT(Call(&Stub::ListHistory, "kind: 'host' name: '525400000001'"), IsOk());
  EXPECT_EQ(history_.filter.kind, HistoryFilter::Kind::kHost);
  EXPECT_EQ(FormatHostReference(*history_.filter.host), "52:54:00:00:00:01");
  ASSERT_THAT(Call(&Stub::ListHistory, "kind: 'group' name: 'gpu'"), IsOk());
  EXPECT_EQ(history_.filter.kind, HistoryFilter::Kind::kGroup);
  EXPECT_EQ(history_.filter.name, "gpu");
  ASSERT_THAT(Call(&Stub::ListHistory, "kind: 'distro' name: 'memtest'"), IsOk());
  EXPECT_EQ(history_.filter.kind, HistoryFilter::Kind::kDistro);
  EXPECT_EQ(history_.filter.name, "memtest");
  for (const char* wrong :
       {"kind: 'hosts'", "kind: 'distro' name: 'debian/bookworm/latest/nfs'", "name: 'x'",
        "kind: 'settings' name: 'x'", "kind: 'profile' name: 'a b'", "kind: 'host' name: 'a b'",
        "page_size: -1", "page_token: 'x'"}) {
    EXPECT_THAT(Call(&Stub::ListHistory, wrong), StatusIs(absl::StatusCode::kInvalidArgument))
        << wrong;
  }
}

}  // namespace
}  // namespace autopxe::server
