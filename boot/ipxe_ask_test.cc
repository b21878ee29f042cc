#include "boot/ipxe_ask.h"

#include <string>

#include "absl/strings/match.h"
#include "boot/agent_context.h"
#include "boot/host_facts.h"
#include "boot/ipxe_interpreter.h"
#include "common/model/name.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;

std::string Script(uint16_t http_port, uint16_t tftp_port) {
  const AgentContext agent{.id = AgentId::Parse("a1").value(),
                           .rootfs_folder = "/srv",
                           .advertise = {},
                           .http_port = http_port,
                           .tftp_port = tftp_port};
  IpxeScript script;
  script.Add("#!ipxe");
  AddAskSettings(script, MacAddress::Parse("52:54:00:12:34:56").value(),
                 BuildAgentUris(agent, Transport::kTftp, IpAddress::Parse("10.77.0.1").value()));
  script.Add(":hold");
  script.Add("sleep 4");
  AddAsk(script, 4);
  return script.text();
}

TEST(IpxeAskTest, AsksByHttpThenByTftpSayingThatItHasWaited) {
  IpxeInterpreter ipxe;
  ipxe.SetOwn("platform", "efi", true);
  ipxe.SetOwn("buildarch", "x86_64", true);
  ipxe.serves = [](const std::string& uri) { return absl::StartsWith(uri, "tftp:"); };
  const auto result = ipxe.Run(Script(8080, 69));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, IpxeInterpreter::End::kChained);
  EXPECT_THAT(result->requests,
              ElementsAre("http://10.77.0.1:8080/autopxe-525400123456?stage=poll&platform=efi&"
                          "buildarch=x86_64",
                          "tftp://10.77.0.1/autopxe-525400123456.poll"));
  EXPECT_EQ(result->milliseconds, 4000);
}

TEST(IpxeAskTest, AnAgentWithoutHttpIsNotAskedByIt) {
  IpxeInterpreter ipxe;
  const auto result = ipxe.Run(Script(0, 69));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->requests, ElementsAre("tftp://10.77.0.1/autopxe-525400123456.poll"));
}

TEST(IpxeAskTest, AnAgentThatComesBackIsFoundAndDhcpIsAskedMeanwhile) {
  for (const bool dhcp_answers : {true, false}) {
    IpxeInterpreter ipxe;
    ipxe.dhcp_answers = dhcp_answers;
    int requests = 0;
    ipxe.serves = [&](const std::string&) { return ++requests > 40; };
    const auto result = ipxe.Run(Script(8080, 69));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->end, IpxeInterpreter::End::kChained);
    // 20 rounds in vain, every fifth followed by DHCP and another try at once.
    EXPECT_EQ(result->dhcp_requests, 4);
    EXPECT_EQ(result->milliseconds, 17 * 4000);
  }
}

TEST(IpxeAskTest, TheLeaseIsRenewedAboutEveryTenMinutesThroughScriptsThatFollowEachOther) {
  IpxeInterpreter ipxe;
  int dhcp_requests = 0;
  int64_t milliseconds = 0;
  for (int round = 0; round < 1000; ++round) {
    const auto result = ipxe.Run(Script(8080, 69));
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->end, IpxeInterpreter::End::kChained);
    dhcp_requests += result->dhcp_requests;
    milliseconds += result->milliseconds;
  }
  EXPECT_EQ(dhcp_requests, milliseconds / 600'000);
  EXPECT_EQ(dhcp_requests, 6);
}

}  // namespace
}  // namespace autopxe
