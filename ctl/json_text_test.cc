#include "ctl/json_text.h"

#include "autopxe/v1/agent.pb.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::HasSubstr;

TEST(JsonTextTest, FieldsHaveTheirNamesOfTheProtoFilesAndDefaultsAreThere) {
  v1::Host host;
  host.set_id(7);
  host.set_name("web1");
  host.add_macs("52:54:00:12:34:56");
  EXPECT_THAT(JsonText(host), IsOkAndHolds(std::string("{\n"
                                                       " \"id\": \"7\",\n"
                                                       " \"name\": \"web1\",\n"
                                                       " \"macs\": [\n"
                                                       "  \"52:54:00:12:34:56\"\n"
                                                       " ],\n"
                                                       " \"distro\": \"\",\n"
                                                       " \"etag\": \"0\",\n"
                                                       " \"labels\": {},\n"
                                                       " \"variables\": {},\n"
                                                       " \"note\": \"\",\n"
                                                       " \"locked\": false\n"
                                                       "}\n")));
  v1::Settings settings;
  settings.set_default_distro("local");
  EXPECT_THAT(*JsonText(settings), HasSubstr("\"default_distro\": \"local\""));
}

TEST(JsonTextTest, NoByteButPrintableAsciiAndNewlinesComesOutAndNothingIsLost) {
  v1::Agent agent;
  agent.set_id("a\x1b[2J\x7f\n\"\\\xc2\x9b\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  const absl::StatusOr<std::string> text = JsonText(agent);
  ASSERT_THAT(text, IsOk());
  for (const char c : *text) EXPECT_TRUE((c >= ' ' && c <= '~') || c == '\n');
  EXPECT_THAT(*text, HasSubstr("\\u009b\\u00e4\\u20ac\\ud83d\\ude00"));
  v1::Agent back;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(*text, &back).ok());
  EXPECT_EQ(back.id(), agent.id());
}

TEST(JsonTextTest, ATimeThatNoCalendarHasIsAnErrorNotACrash) {
  v1::Agent agent;
  agent.mutable_last_seen()->set_seconds(1LL << 60);
  EXPECT_THAT(JsonText(agent), StatusIs(absl::StatusCode::kInternal));
}

}  // namespace
}  // namespace autopxe::ctl
