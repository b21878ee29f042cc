#include <string>

#include "absl/status/status.h"
#include "agent/content/test_resolver.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(PathResolverTest, AHostsMenuHasItsDecision) {
  Configure({{"bc:24:11:b0:1a:de", "debian/bookworm/latest/overlayfs"}});
  const auto resolved = Resolve("autopxe-BC2411B01ADE");
  ASSERT_THAT(resolved, IsOk());
  EXPECT_EQ(resolved->path, "autopxe-bc2411b01ade");
  EXPECT_EQ(resolved->result, "menu");
  EXPECT_EQ(resolved->host, Parsed<MacAddress>("bc:24:11:b0:1a:de"));
  EXPECT_FALSE(resolved->cacheable);
  EXPECT_THAT(resolved->content->text(),
              AllOf(StartsWith("#!ipxe\n"), HasSubstr("172.25.2.11"),
                    HasSubstr("debian/bookworm/latest/overlayfs"),
                    HasSubstr("boot/debian/bookworm/boot/vmlinuz-6.1.0-26-amd64")));
}

// Faults, case 32.
TEST_F(PathResolverTest, EverySpellingOfAMacGetsTheSameMenuAndAnUnknownHostAnother) {
  Configure({{"bc:24:11:b0:1a:de", "local"}});
  const auto expected = Resolve("autopxe-bc2411b01ade");
  ASSERT_THAT(expected, IsOk());
  for (const std::string mac : {"BC2411B01ADE", "bC2411B01aDe", "bc:24:11:b0:1a:de",
                                "BC-24-11-B0-1A-DE", "bc24.11b0.1ade"}) {
    const auto resolved = Resolve("autopxe-" + mac);
    ASSERT_THAT(resolved, IsOk()) << mac;
    EXPECT_EQ(resolved->content->text(), expected->content->text()) << mac;
  }
  const auto unknown = Resolve("autopxe-bc2411b01adf");
  ASSERT_THAT(unknown, IsOk());
  EXPECT_NE(unknown->content->text(), expected->content->text());
  EXPECT_THAT(unknown->content->text(), HasSubstr("debian/stable/latest/overlayfs"));
}

TEST_F(PathResolverTest, AnIgnoredHostGetsNoAnswerByAnyPathOfItsMenu) {
  Configure({{"bc:24:11:b0:1a:de", "ignore"}});
  for (const std::string path : {"autopxe-bc2411b01ade", "autopxe-BC2411B01ADE",
                                 "/autopxe-bc2411b01ade", "autopxe-bc2411b01ade.poll"}) {
    EXPECT_THAT(Resolve(path),
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("bc:24:11:b0:1a:de")));
  }
}

TEST_F(PathResolverTest, AnAgentWithoutAConfigurationSaysSo) {
  const auto resolved = Resolve("autopxe-bc2411b01ade");
  ASSERT_THAT(resolved, IsOk());
  EXPECT_EQ(resolved->result, "unconfigured");
  EXPECT_FALSE(resolved->cacheable);
  EXPECT_THAT(resolved->content->text(), StartsWith("#!ipxe\n"));
  Configure({});
  EXPECT_THAT(Resolve("autopxe-bc2411b01ade")->result, "menu");
}

TEST_F(PathResolverTest, APollIsTheSameByNameAndByQuery) {
  Configure({{"bc:24:11:b0:1a:de", "debian/bookworm/latest/overlayfs"}});
  const auto by_name = Resolve("autopxe-bc2411b01ade.poll");
  ContentRequest request = Request("autopxe-bc2411b01ade");
  const auto start = resolver_->Resolve(request);
  request.query = {{"stage", "poll"}};
  const auto by_query = resolver_->Resolve(request);
  ASSERT_THAT(by_name, IsOk());
  ASSERT_THAT(by_query, IsOk());
  EXPECT_EQ(by_name->content->text(), by_query->content->text());
  EXPECT_EQ(by_query->path, "autopxe-bc2411b01ade.poll");
  EXPECT_NE(start->content->text(), by_query->content->text());
}

// Faults, case 31.
TEST_F(PathResolverTest, HostileQueriesAddNothingToAScript) {
  Configure({{"bc:24:11:b0:1a:de", "menu"}});
  ContentRequest request = Request("autopxe-bc2411b01ade", Transport::kHttp);
  const auto expected = resolver_->Resolve(request);
  ASSERT_THAT(expected, IsOk());
  for (const std::string value : {"x\nshell", "${uuid}", "a || shell", "a && shell", "# x", "\"",
                                  "caf\xc3\xa9", "x y", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    for (const char* name : {"stage", "platform", "buildarch", "uuid", "serial", "other"}) {
      request.query = {{name, value}};
      const auto resolved = resolver_->Resolve(request);
      ASSERT_THAT(resolved, IsOk());
      EXPECT_EQ(resolved->content->text(), expected->content->text()) << name << "=" << value;
    }
  }
}

TEST_F(PathResolverTest, BothNamesOfTheStartScriptGiveItForTheTransport) {
  for (const std::string path : {"boot.ipxe", "/boot.ipxe", "autoexec.ipxe"}) {
    for (const Transport transport : {Transport::kTftp, Transport::kHttp}) {
      const ContentRequest request = Request(path, transport);
      const auto resolved = resolver_->Resolve(request);
      ASSERT_THAT(resolved, IsOk());
      EXPECT_EQ(resolved->result, "start-script");
      EXPECT_EQ(resolved->path, "boot.ipxe");
      EXPECT_FALSE(resolved->cacheable);
      EXPECT_EQ(resolved->content->text(), RenderStartScript({.id = Parsed<AgentId>("a1"),
                                                              .rootfs_folder = tree_.rootfs(),
                                                              .http_port = 8080,
                                                              .tftp_port = 69},
                                                             transport, request.asked_at));
    }
  }
}

TEST_F(PathResolverTest, ALoaderThatIpxeAsksForIsTheStartScript) {
  // The last one is not there: DHCP may name a loader of another server.
  for (const std::string path : {"undionly.kpxe", "/ipxe.efi", "snponly.efi"}) {
    ContentRequest request = Request(path);
    request.from_ipxe = true;
    const auto resolved = resolver_->Resolve(request);
    ASSERT_THAT(resolved, IsOk()) << path;
    EXPECT_EQ(resolved->result, "start-script");
    EXPECT_THAT(resolved->content->text(), StartsWith("#!ipxe\n"));
    EXPECT_FALSE(resolved->cacheable);
  }
  // Only a loader is: everything else is for iPXE what it is for others.
  ContentRequest request = Request("notes.txt");
  request.from_ipxe = true;
  EXPECT_THAT(resolver_->Resolve(request), StatusIs(absl::StatusCode::kNotFound));
  request = Request("boot/debian/bookworm/vmlinuz");
  request.from_ipxe = true;
  EXPECT_EQ(resolver_->Resolve(request)->result, "kernel");
}

TEST_F(PathResolverTest, ASettingGivesIpxeTheLoaderItself) {
  Reopen(false);
  ContentRequest request = Request("undionly.kpxe");
  request.from_ipxe = true;
  const auto resolved = resolver_->Resolve(request);
  ASSERT_THAT(resolved, IsOk());
  EXPECT_EQ(resolved->result, "loader");
  EXPECT_EQ(Bytes(*resolved->content), "bios ipxe");
  request.path = "snponly.efi";
  EXPECT_THAT(resolver_->Resolve(request), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace autopxe::agent
