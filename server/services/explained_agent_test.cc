#include "server/services/explained_agent.h"

#include "boot/sample.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
const MacAddress kNode1 = MacAddress::Parse("bc:24:11:b0:1a:de").value();

AgentRegistry::Entry Lab() {
  return {.id = AgentId::Parse("lab").value(),
          .status = AgentStatus{AgentInstance::Parse("i1").value()},
          .reported_at = kNow,
          .last_seen = kNow};
}

TEST(ExplainedAgentTest, AnAgentIsWhatItReported) {
  AgentRegistry::Entry lab = Lab();
  lab.status->http_port = 8080;
  lab.status->tftp_port = 69;
  lab.status->rootfs_folder = "/srv/rootfs";
  lab.status->advertise = IpAddress::Parse("192.0.2.9").value();
  const AgentContext context = BuildAgentContext(lab);
  EXPECT_EQ(context.id.text(), "lab");
  EXPECT_EQ(context.http_port, 8080);
  EXPECT_EQ(context.tftp_port, 69);
  EXPECT_EQ(context.rootfs_folder, "/srv/rootfs");
  EXPECT_EQ(context.advertise->Format(), "192.0.2.9");
  lab.status.reset();
  EXPECT_EQ(BuildAgentContext(lab).id.text(), "lab");
  EXPECT_EQ(BuildAgentContext(lab).http_port, 0);
}

TEST(ExplainedAgentTest, AnEarlierAgentsPortsAreThoseOfItsAddresses) {
  AgentRegistry::Entry lab = Lab();
  lab.status->http_address = IpEndpoint::Parse("10.77.1.1:8081").value();
  EXPECT_EQ(BuildAgentContext(lab).http_port, 8081);
  EXPECT_EQ(BuildAgentContext(lab).tftp_port, 0);
}

TEST(ExplainedAgentTest, WhereAHostAsksIsKnownAsFarAsTheAgentOrTheQuestionSaysIt) {
  AgentRegistry::Entry lab = Lab();
  const auto asked = [&](bool by_http, const char* at) -> std::string {
    HostQuestion question{.mac = kNode1, .by_http = by_http};
    if (*at != '\0') question.asked_at = IpAddress::Parse(at).value();
    const absl::optional<IpAddress> address = FindAskedAddress(lab, question);
    return address.has_value() ? address->Format() : "";
  };
  EXPECT_EQ(asked(true, ""), "");
  EXPECT_EQ(asked(true, "10.77.1.9"), "10.77.1.9");
  lab.status->http_address = IpEndpoint::Parse("10.77.1.1:8080").value();
  EXPECT_EQ(asked(true, ""), "10.77.1.1");
  EXPECT_EQ(asked(false, ""), "") << "it may listen on others for TFTP";
  lab.status->tftp_address = IpEndpoint::Parse("10.77.1.2:69").value();
  EXPECT_EQ(asked(false, ""), "10.77.1.2");
  EXPECT_EQ(asked(true, "10.77.1.9"), "10.77.1.9");
  lab.status->advertise = IpAddress::Parse("192.0.2.9").value();
  EXPECT_EQ(asked(true, "10.77.1.9"), "192.0.2.9") << "scripts name no other";
  lab.status.reset();
  EXPECT_EQ(asked(true, ""), "");
}

TEST(ExplainedAgentTest, WithoutACatalogNobodyKnowsWhetherAKernelIsThere) {
  const Sample sample;
  const auto snapshot = sample.Build();
  const HostQuestion question{.mac = kNode1, .by_http = true};
  const v1::Decision unknown = BuildDecision(*snapshot, Lab(), nullptr, question, kNow);
  EXPECT_EQ(unknown.distro(), "debian/bookworm/latest/overlayfs");
  EXPECT_EQ(unknown.outcome(), v1::OUTCOME_UNSPECIFIED);
  EXPECT_EQ(unknown.missing(), "");
  const Catalog empty;
  const v1::Decision missing = BuildDecision(*snapshot, Lab(), &empty, question, kNow);
  EXPECT_EQ(missing.outcome(), v1::OUTCOME_MISSING);
  EXPECT_NE(missing.missing(), "");
  Sample local;
  local.settings.default_distro = Distro::Local();
  local.hosts.clear();
  EXPECT_EQ(BuildDecision(*local.Build(), Lab(), nullptr, question, kNow).outcome(),
            v1::OUTCOME_LOCAL);
}

}  // namespace
}  // namespace autopxe::server
