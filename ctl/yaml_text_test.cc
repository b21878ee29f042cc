#include "ctl/yaml_text.h"

#include <string>

#include "autopxe/v1/agent.pb.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "yaml-cpp/yaml.h"

namespace autopxe::ctl {
namespace {

TEST(YamlTextTest, TheBlockStyleWithEveryField) {
  v1::ListHostsResponse hosts;
  v1::Host* host = hosts.add_hosts();
  host->set_id(7);
  host->set_name("web1");
  host->add_macs("52:54:00:12:34:56");
  host->add_macs("52:54:00:12:34:57");
  host->set_distro("debian/bookworm/latest/nfs");
  hosts.add_hosts()->set_name("yes");
  EXPECT_THAT(YamlText(hosts), IsOkAndHolds(std::string("hosts:\n"
                                                        "  - id: \"7\"\n"
                                                        "    name: web1\n"
                                                        "    macs:\n"
                                                        "      - \"52:54:00:12:34:56\"\n"
                                                        "      - \"52:54:00:12:34:57\"\n"
                                                        "    distro: debian/bookworm/latest/nfs\n"
                                                        "    etag: \"0\"\n"
                                                        "    labels: {}\n"
                                                        "    variables: {}\n"
                                                        "    note: \"\"\n"
                                                        "    locked: false\n"
                                                        "  - id: \"0\"\n"
                                                        "    name: \"yes\"\n"
                                                        "    macs: []\n"
                                                        "    distro: \"\"\n"
                                                        "    etag: \"0\"\n"
                                                        "    labels: {}\n"
                                                        "    variables: {}\n"
                                                        "    note: \"\"\n"
                                                        "    locked: false\n"
                                                        "next_page_token: \"\"\n")));
}

TEST(YamlTextTest, NumbersAndTruthsStayWhatTheyAre) {
  v1::Agent agent;
  agent.set_id("x");
  agent.set_connected(true);
  agent.set_watches(2);
  const absl::StatusOr<std::string> text = YamlText(agent);
  ASSERT_THAT(text, IsOk());
  EXPECT_THAT(*text, testing::HasSubstr("connected: true\n"));
  EXPECT_THAT(*text, testing::HasSubstr("watches: 2\n"));
}

TEST(YamlTextTest, HostileTextSurvivesARoundTripAndIsPrintableAscii) {
  for (const char* value : {"a: b",
                            "- x",
                            "#c",
                            "'q'",
                            "\"q\"",
                            "\\",
                            "\x1b[2J\n\t\x7f",
                            "~",
                            "null",
                            "No",
                            "1e3",
                            "0x1",
                            "&a",
                            "*a",
                            "!t",
                            "%d",
                            "@x",
                            "`",
                            "{}",
                            "[]",
                            "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                            " lead",
                            "trail ",
                            "",
                            "---",
                            "...",
                            "\\ud83d\\ude00",
                            "\xf3\xa0\x80\x81"}) {
    v1::Profile profile;
    profile.set_name(value);
    const absl::StatusOr<std::string> text = YamlText(profile);
    ASSERT_THAT(text, IsOk());
    for (const char c : *text) EXPECT_TRUE((c >= ' ' && c <= '~') || c == '\n') << value;
    const YAML::Node node = YAML::Load(*text)["name"];
    EXPECT_EQ(node.Scalar(), value) << *text;
  }
}

}  // namespace
}  // namespace autopxe::ctl
