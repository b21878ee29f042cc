#include "boot/agent_uris.h"

#include <string>

#include "common/model/name.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

std::string Text(const absl::optional<IpxeWord>& word) {
  return word.has_value() ? word->text() : "none";
}

TEST(AgentUrisTest, AHostIsToldWhereItReachesTheAgentBothWays) {
  const struct {
    const char* what;
    const char* advertise;
    const char* asked_at;
    uint16_t http_port;
    uint16_t tftp_port;
    Transport transport;
    const char* http;
    const char* tftp;
  } kCases[] = {
      {"by HTTP", "", "10.77.0.1", 8080, 69, Transport::kHttp, "/", "tftp://10.77.0.1/"},
      {"by TFTP", "", "10.77.0.1", 8080, 69, Transport::kTftp, "http://10.77.0.1:8080/",
       "tftp://10.77.0.1/"},
      {"behind NAT, by HTTP", "192.0.2.9", "172.17.0.2", 8080, 1069, Transport::kHttp, "/",
       "tftp://192.0.2.9:1069/"},
      {"behind NAT, by TFTP", "192.0.2.9", "172.17.0.2", 80, 69, Transport::kTftp,
       "http://192.0.2.9/", "tftp://192.0.2.9/"},
      {"IPv6", "", "fd00::1", 8080, 69, Transport::kTftp, "http://[fd00::1]:8080/",
       "tftp://[fd00::1]/"},
      {"no HTTP", "", "10.77.0.1", 0, 69, Transport::kTftp, "none", "tftp://10.77.0.1/"},
      {"no TFTP", "", "10.77.0.1", 8080, 0, Transport::kHttp, "/", "none"},
      {"no address, by TFTP", "", "0.0.0.0", 8080, 69, Transport::kTftp, "none", "/"},
      {"no address, by HTTP", "", "::", 8080, 69, Transport::kHttp, "/", "none"},
  };
  for (const auto& c : kCases) {
    AgentContext agent{.id = AgentId::Parse("a1").value(),
                       .rootfs_folder = "/srv",
                       .advertise = {},
                       .http_port = c.http_port,
                       .tftp_port = c.tftp_port};
    if (*c.advertise != '\0') agent.advertise = IpAddress::Parse(c.advertise).value();
    const AgentUris uris = BuildAgentUris(agent, c.transport, IpAddress::Parse(c.asked_at).value());
    EXPECT_EQ(Text(uris.http), c.http) << c.what;
    EXPECT_EQ(Text(uris.tftp), c.tftp) << c.what;
  }
}

}  // namespace
}  // namespace autopxe
