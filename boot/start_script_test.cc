#include "boot/start_script.h"

#include <string>

#include "absl/strings/match.h"
#include "boot/golden.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;

std::string Script(Transport transport) {
  return RenderIpxeStartScript(Sample().agent, transport, IpAddress::Parse("10.77.0.1").value());
}

IpxeInterpreter Host() {
  IpxeInterpreter ipxe;
  ipxe.SetOwn("mac", "52:54:00:12:34:56", false);
  ipxe.SetOwn("ip", "10.77.0.10", false);
  ipxe.SetOwn("uuid", "aaaaaaaa-0000-4000-8000-525400123456", false);
  ipxe.SetOwn("platform", "pcbios", true);
  ipxe.SetOwn("buildarch", "i386", true);
  return ipxe;
}

TEST(StartScriptTest, IsTheSameForEveryHost) {
  EXPECT_TRUE(IsGolden(Script(Transport::kHttp), "start_by_http.ipxe"));
  EXPECT_TRUE(IsGolden(Script(Transport::kTftp), "start_by_tftp.ipxe"));
}

TEST(StartScriptTest, AHostSaysWhatItIsAndGoesOnWithItsMenu) {
  IpxeInterpreter ipxe = Host();
  ipxe.SetOwn("serial", "A b#1", true);
  const auto result = ipxe.Run(Script(Transport::kHttp));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, IpxeInterpreter::End::kChained);
  EXPECT_EQ(result->uri,
            "/autopxe-525400123456?platform=pcbios&buildarch=i386&ip=10.77.0.10"
            "&uuid=aaaaaaaa-0000-4000-8000-525400123456&serial=A%20b%231");
  EXPECT_EQ(result->dhcp_requests, 0);
}

TEST(StartScriptTest, TftpIsTheOtherWayAndAnAgentThatIsAwayIsAskedAgain) {
  IpxeInterpreter ipxe = Host();
  int requests = 0;
  ipxe.serves = [&](const std::string& uri) {
    return ++requests > 30 && absl::StartsWith(uri, "tftp:");
  };
  const auto result = ipxe.Run(Script(Transport::kTftp));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->uri, "tftp://10.77.0.1/autopxe-525400123456");
  EXPECT_TRUE(absl::StartsWith(result->requests[0], "http://10.77.0.1:8080/autopxe-525400123456?"));
  EXPECT_EQ(result->milliseconds, 15 * 5000);
  EXPECT_EQ(result->dhcp_requests, 1);
}

TEST(StartScriptTest, AHostWithoutAnAddressAsksForOneFirst) {
  IpxeInterpreter ipxe;
  const auto result = ipxe.Run(Script(Transport::kTftp));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->dhcp_requests, 1);
}

}  // namespace
}  // namespace autopxe
