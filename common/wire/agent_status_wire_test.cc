#include "common/wire/agent_status_wire.h"

#include <string>

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "common/wire/time_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

TEST(AgentStatusWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const AgentStatus status = random.AnyAgentStatus();
    EXPECT_THAT(FromProto(ToProto(status)), IsOkAndHolds(status));
  }
}

TEST(AgentStatusWireTest, AllButTheInstanceMayBeAbsent) {
  v1::AgentStatus status;
  status.set_instance("i1");
  EXPECT_THAT(FromProto(status), IsOkAndHolds(AgentStatus{AgentInstance::Parse("i1").value()}));
}

TEST(AgentStatusWireTest, RefusesEachInvalidFieldByItsName) {
  const v1::AgentStatus good = ToProto(RandomValues(2).AnyAgentStatus());
  const auto refused = [&](const char* error, auto change) {
    v1::AgentStatus status = good;
    change(status);
    EXPECT_THAT(FromProto(status), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  refused("instance: agent instance \"\"", [](v1::AgentStatus& s) { s.clear_instance(); });
  refused("instance: agent instance \"a b\"", [](v1::AgentStatus& s) { s.set_instance("a b"); });
  refused("applied.number: \"-1\"",
          [](v1::AgentStatus& s) { s.mutable_applied()->set_number(-1); });
  refused("version: \"1\\n\"", [](v1::AgentStatus& s) { s.set_version("1\n"); });
  refused("version: ", [](v1::AgentStatus& s) { s.set_version(std::string(65, '1')); });
  refused("start_time: ", [](v1::AgentStatus& s) { s.mutable_start_time()->set_nanos(-1); });
  refused("http_address: endpoint \"localhost:80\"",
          [](v1::AgentStatus& s) { s.set_http_address("localhost:80"); });
  refused("tftp_address: endpoint \"10.0.0.1\"",
          [](v1::AgentStatus& s) { s.set_tftp_address("10.0.0.1"); });
  refused("rootfs_folder: \"/a\\nb\"", [](v1::AgentStatus& s) { s.set_rootfs_folder("/a\nb"); });
  refused("rootfs_folder: ",
          [](v1::AgentStatus& s) { s.set_rootfs_folder(std::string(4097, 'a')); });
  refused("advertise: ", [](v1::AgentStatus& s) { s.set_advertise("10.0.0.1:80"); });
  refused("http_port: \"65536\": expected 65535 at most",
          [](v1::AgentStatus& s) { s.set_http_port(65'536); });
  refused("tftp_port: \"4294967295\"", [](v1::AgentStatus& s) { s.set_tftp_port(4'294'967'295u); });
  refused("view_age: \"-1s\": expected 0 or more",
          [](v1::AgentStatus& s) { *s.mutable_view_age() = ToProto(-absl::Seconds(1)); });
  refused("view_age: ", [](v1::AgentStatus& s) { s.mutable_view_age()->set_nanos(2'000'000'000); });
  const auto refused_problem = [&](const char* error, const std::string& problem) {
    refused(error, [&](v1::AgentStatus& s) {
      s.clear_problems();
      s.add_problems("fine");
      s.add_problems(problem);
    });
  };
  refused_problem("problems[1]: \"\": expected a sentence", "");
  refused_problem("problems[1]: ", std::string(257, 'a'));
  refused_problem("problems[1]: \"two\\nlines\"", "two\nlines");
  refused_problem("problems[1]: \"\\x1b[2J\"", "\x1b[2J");
  refused("problems: \"17\": expected 16 at most", [](v1::AgentStatus& s) {
    s.clear_problems();
    for (int i = 0; i < 17; ++i) s.add_problems("too many");
  });
}

TEST(AgentStatusWireTest, DamagedMessagesNeverCrash) {
  DamageEverywhere(ToProto(RandomValues(3).AnyAgentStatus()),
                   [](const v1::AgentStatus& status) { return FromProto(status); });
}

}  // namespace
}  // namespace autopxe
