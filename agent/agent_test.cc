#include "agent/agent.h"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/sync/fake_server.h"
#include "agent/test_agent.h"
#include "agent/tftp/packet.h"
#include "agent/tftp/test_client.h"
#include "common/model/snapshot.h"
#include "common/status/status_matchers.h"
#include "common/wire/snapshot_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST_F(AgentTest, WithTheServerAwayItServesWhatIsOnDisk) {  // faults.md, case 43.
  SaveView(SnapshotAt(5));
  const auto agent = Agent::Start(BuildConfig());
  ASSERT_THAT(agent, IsOk());
  const std::string by_http = ByHttp(**agent, "autopxe-BC2411B01ADE");
  EXPECT_THAT(by_http, AllOf(HasSubstr("debian/bookworm/latest/overlayfs"),
                             HasSubstr("set nfs-server:uristring 172.25.2.11")));
  EXPECT_THAT(ByTftp(**agent, "autopxe-bc2411b01ade"),
              HasSubstr("debian/bookworm/latest/overlayfs"));
  EXPECT_EQ(ByHttp(**agent, "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"),
            "kernel of bookworm");
  EXPECT_EQ(ByTftp(**agent, "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"),
            "kernel of bookworm");
  EXPECT_EQ(ByTftp(**agent, "undionly.kpxe"), "loader");
}

// faults.md, case 31. What may be set, and what a script may hold, is tested with common/model and
// boot; this is that nothing is lost on the way.
TEST_F(AgentTest, AHostileValueAddsNoCommandToTheScriptThatIsServed) {
  const std::string value = "x || shell && #\"' ;\\ isset ${ shell }";
  EXPECT_FALSE(VariableValue::Parse(value).ok());
  for (const char* text : {"a\nshell", "a\rshell", "a\tb", "\xc3\xa9", "a\x1b[31m"}) {
    EXPECT_FALSE(VariableValue::Parse(text).ok()) << text;
  }
  {
    auto file = SnapshotFile::Open(folder_ + "/state");
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->Save({SnapshotAt(5, "x || shell && #\"' ;\\ % isset"),
                               absl::FromUnixSeconds(1'700'000'000)}),
                IsOk());
  }
  const auto agent = Agent::Start(BuildConfig());
  ASSERT_THAT(agent, IsOk());
  for (const std::string& script :
       {ByHttp(**agent, "autopxe-bc2411b01ade"), ByTftp(**agent, "autopxe-bc2411b01ade")}) {
    EXPECT_THAT(script, HasSubstr("set nfs-server:uristring x%20%7C%7C%20shell%20%26%26%20%23"));
    EXPECT_THAT(script, testing::Not(AnyOf(HasSubstr("|| shell"), HasSubstr("&& #"))));
  }
}

// faults.md, case 32.
TEST_F(AgentTest, EverySpellingOfAMacIsTheSameHostAndAnotherMacIsNot) {
  SaveView(SnapshotAt(5));
  const auto agent = Agent::Start(BuildConfig());
  ASSERT_THAT(agent, IsOk());
  const std::string assigned = ByHttp(**agent, "autopxe-bc2411b01ade");
  EXPECT_THAT(assigned, HasSubstr("debian/bookworm/latest/overlayfs%20(assigned)"));
  for (const char* spelling :
       {"BC2411B01ADE", "bc:24:11:b0:1a:de", "BC:24:11:B0:1A:DE", "bc%3A24%3a11:b0:1a:de",
        "bc-24-11-b0-1a-de", "Bc-24-11-B0-1a-dE", "bc24.11b0.1ade"}) {
    EXPECT_EQ(ByHttp(**agent, absl::StrCat("autopxe-", spelling)), assigned) << spelling;
    if (std::string(spelling).find('%') != std::string::npos) continue;
    EXPECT_NE(ByTftp(**agent, absl::StrCat("autopxe-", spelling)).find("overlayfs"),
              std::string::npos)
        << spelling;
  }
  for (const char* other : {"bc2411b01adf", "c2411b01ade", "bc2411b01ade0", "bc:24:11:b0:1a",
                            "bc2411b01ade%00", "ffffffffffff", ""}) {
    EXPECT_EQ(ByHttp(**agent, absl::StrCat("autopxe-", other)).find("(assigned)"),
              std::string::npos)
        << other;
  }
}

TEST_F(AgentTest, WithoutAnyConfigurationItSaysSoOnTheScreen) {
  const auto agent = Agent::Start(BuildConfig());
  ASSERT_THAT(agent, IsOk());
  EXPECT_THAT(ByHttp(**agent, "autopxe-bc2411b01ade"), HasSubstr("#!ipxe"));
}

TEST_F(AgentTest, WhatTheServerSaidSurvivesARestartWithoutIt) {
  {
    FakeServer server;
    const auto agent = Agent::Start(BuildConfig(server.address()));
    ASSERT_THAT(agent, IsOk());
    EXPECT_EQ(server.WaitForWatch().agent_id(), "lab");
    v1::WatchConfigurationResponse response;
    *response.mutable_snapshot() = ToProto(*SnapshotAt(5)).front();
    server.Send(response);
    while (server.WaitForStatus().status().applied().number() != 5) {
    }
    EXPECT_THAT(ByHttp(**agent, "autopxe-bc2411b01ade"),
                HasSubstr("debian/bookworm/latest/overlayfs"));
  }
  const auto agent = Agent::Start(BuildConfig());
  ASSERT_THAT(agent, IsOk());
  EXPECT_THAT(ByHttp(**agent, "autopxe-bc2411b01ade"),
              HasSubstr("debian/bookworm/latest/overlayfs"));
}

TEST_F(AgentTest, AReleaseThatIsInstalledIsServedAndTold) {
  FakeServer server;
  const auto agent = Agent::Start(BuildConfig(server.address()));
  ASSERT_THAT(agent, IsOk());
  EXPECT_EQ(server.WaitForCatalog().catalog().distros(0).releases_size(), 1);
  AddRelease("trixie");
  // A reconnection may have told the old one once more.
  while (server.WaitForCatalog().catalog().distros(0).releases_size() != 2) {
  }
  EXPECT_EQ(ByHttp(**agent, "boot/debian/trixie/boot/vmlinuz-6.1.0-25-amd64"), "kernel of trixie");
  std::filesystem::remove_all(folder_ + "/rootfs");
  (*agent)->Rescan();
  EXPECT_NE(ByHttp(**agent, "autopxe-bc2411b01ade"), "") << "a tree that is gone does not end it";
}

TEST_F(AgentTest, AFileOfTheFolderOfFilesIsServedInPartsAndOnlyWhenItIsAnotherOne) {
  std::filesystem::create_directories(folder_ + "/files/memtest");
  std::ofstream(folder_ + "/files/memtest/mt86plus") << "memory test";
  std::filesystem::last_write_time(
      folder_ + "/files/memtest/mt86plus",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  FakeServer server;
  const auto agent = Agent::Start(BuildConfig(server.address()));
  ASSERT_THAT(agent, IsOk());
  const v1::Catalog catalog = server.WaitForCatalog().catalog();
  ASSERT_EQ(catalog.files_size(), 1);
  EXPECT_EQ(catalog.files(0).path(), "memtest/mt86plus");
  EXPECT_EQ(catalog.files(0).size(), 11);
  EXPECT_EQ(ByHttp(**agent, "files/memtest/mt86plus"), "memory test");
  EXPECT_EQ(ByTftp(**agent, "files/memtest/mt86plus"), "memory test");
  const std::string url = absl::StrCat("http://", (*agent)->http_endpoints().front().Format(),
                                       "/files/memtest/mt86plus");
  EXPECT_EQ(Fetch(absl::StrCat(url, "' --range 7- '")), "test");
  const std::string head = Fetch(absl::StrCat(url, "' --head '"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 11\r\n"));
  // By its date: what was put there just now may have another tag in each answer.
  const std::string name = "Last-Modified: ";
  const size_t field = head.find(name);
  ASSERT_NE(field, std::string::npos) << head;
  const size_t value = field + name.size();
  const std::string date = head.substr(value, head.find('\r', value) - value);
  EXPECT_EQ(
      Fetch(absl::StrCat(url, "' --write-out '%{http_code}' --header 'If-Modified-Since: ", date)),
      "304");

  // What is put there is told, and served.
  std::ofstream(folder_ + "/files/firmware.efi") << "update";
  while (server.WaitForCatalog().catalog().files_size() != 2) {
  }
  EXPECT_EQ(ByHttp(**agent, "files/firmware.efi"), "update");
}

TEST_F(AgentTest, WithoutAFolderOfFilesItServesTheRest) {
  Config config = BuildConfig();
  config.files_folder = "";
  const auto agent = Agent::Start(config);
  ASSERT_THAT(agent, IsOk());
  EXPECT_EQ(ByTftp(**agent, "undionly.kpxe"), "loader");
  EXPECT_EQ(ByTftp(**agent, "files/memtest/mt86plus"), "");
}

TEST_F(AgentTest, ItTellsWhereHostsReachItAsFarAsItKnows) {
  FakeServer server;
  {
    const auto agent = Agent::Start(BuildConfig(server.address()));
    ASSERT_THAT(agent, IsOk());
    const v1::AgentStatus status = server.WaitForStatus().status();
    EXPECT_EQ(status.http_address(), (*agent)->http_endpoints().front().Format());
    EXPECT_EQ(status.tftp_address(), (*agent)->tftp_endpoints().front().Format());
    EXPECT_EQ(status.rootfs_folder(), folder_ + "/rootfs");
    EXPECT_EQ(status.advertise(), "");
    EXPECT_EQ(status.http_port(), (*agent)->http_endpoints().front().port);
    EXPECT_EQ(status.tftp_port(), (*agent)->tftp_endpoints().front().port);
  }
  FakeServer another;
  Config config = BuildConfig(another.address());
  config.http_listen = {*IpEndpoint::Parse("0.0.0.0:0")};
  config.tftp_listen = {*IpEndpoint::Parse("0.0.0.0:0")};
  {
    const auto agent = Agent::Start(config);
    ASSERT_THAT(agent, IsOk());
    const v1::AgentStatus status = another.WaitForStatus().status();
    EXPECT_EQ(status.http_address(), "");
    EXPECT_EQ(status.http_port(), (*agent)->http_endpoints().front().port);
    EXPECT_EQ(status.tftp_port(), (*agent)->tftp_endpoints().front().port);
  }
  FakeServer several;
  Config of_several = BuildConfig(several.address());
  of_several.http_listen.push_back(*IpEndpoint::Parse("127.0.0.2:0"));
  {
    const auto agent = Agent::Start(of_several);
    ASSERT_THAT(agent, IsOk());
    const v1::AgentStatus status = several.WaitForStatus().status();
    EXPECT_EQ(status.http_address(), "") << "hosts reach it at either";
    EXPECT_NE(status.tftp_address(), "");
    EXPECT_EQ(status.http_port(), (*agent)->http_endpoints().front().port);
  }
  FakeServer third;
  config.server = third.address();
  config.advertise = *IpAddress::Parse("10.77.1.1");
  const auto agent = Agent::Start(config);
  ASSERT_THAT(agent, IsOk());
  const v1::AgentStatus status = third.WaitForStatus().status();
  EXPECT_EQ(status.advertise(), "10.77.1.1");
  EXPECT_EQ(status.http_address(),
            absl::StrCat("10.77.1.1:", (*agent)->http_endpoints().front().port));
}

TEST_F(AgentTest, WhatKeepsItFromStartingIsNamedWithItsOption) {
  const auto expect = [](const Config& config, const std::string& what, const std::string& option) {
    const auto agent = Agent::Start(config);
    ASSERT_FALSE(agent.ok()) << option;
    EXPECT_THAT(std::string(agent.status().message()), AllOf(HasSubstr(what), HasSubstr(option)));
  };
  Config config = BuildConfig();
  config.rootfs_folder = folder_ + "/none";
  expect(config, folder_ + "/none", "--rootfs");

  config = BuildConfig();
  config.loaders_folder = folder_ + "/none";
  expect(config, folder_ + "/none", "--loaders");

  config = BuildConfig();
  config.files_folder = folder_ + "/none";
  expect(config, folder_ + "/none", "--files");

  config = BuildConfig();
  config.state_folder = folder_ + "/loaders/undionly.kpxe";
  expect(config, folder_ + "/loaders/undionly.kpxe", "--state");

  const auto running = Agent::Start(BuildConfig());
  ASSERT_THAT(running, IsOk());
  expect(BuildConfig(), "another agent uses", "--state");
  config = BuildConfig();
  config.state_folder = folder_ + "/other";
  config.http_listen = (*running)->http_endpoints();
  expect(config, (*running)->http_endpoints().front().Format(), "--http-listen");
  config = BuildConfig();
  config.state_folder = folder_ + "/other";
  config.tftp_listen = (*running)->tftp_endpoints();
  expect(config, (*running)->tftp_endpoints().front().Format(), "--tftp-listen");
}

TEST_F(AgentTest, AReloadTakesEffectAtOnceAndIsTold) {
  FakeServer server;
  Config config = BuildConfig(server.address());
  const auto agent = Agent::Start(config);
  ASSERT_THAT(agent, IsOk());
  server.WaitForStatus();
  const std::string http_port = absl::StrCat((*agent)->http_endpoints().front().port);
  EXPECT_THAT(ByTftp(**agent, "boot.ipxe"), HasSubstr("127.0.0.1"));

  config.advertise = *IpAddress::Parse("10.77.1.1");
  (*agent)->Reload(config);
  EXPECT_THAT(ByTftp(**agent, "boot.ipxe"), HasSubstr("10.77.1.1"));
  while (server.WaitForStatus().status().http_address() != absl::StrCat("10.77.1.1:", http_port)) {
  }

  config.start_script_for_ipxe = false;
  config.advertise = absl::nullopt;
  (*agent)->Reload(config);
  EXPECT_THAT(ByTftp(**agent, "boot.ipxe"), HasSubstr("127.0.0.1"));
  const std::string as_ipxe =
      absl::StrCat("http://", (*agent)->http_endpoints().front().Format(), "/undionly.kpxe");
  EXPECT_EQ(Fetch(as_ipxe + "' --user-agent 'iPXE/1.21.1"), "loader");
  config.start_script_for_ipxe = true;
  (*agent)->Reload(config);
  EXPECT_THAT(Fetch(as_ipxe + "' --user-agent 'iPXE/1.21.1"), HasSubstr("#!ipxe"));
}

TEST_F(AgentTest, AReloadChangesTheLimitsOfTftp) {
  Config config = BuildConfig();
  const auto agent = Agent::Start(config);
  ASSERT_THAT(agent, IsOk());
  const auto granted = [&] {
    tftp::TestClient client;
    client.Ask((*agent)->tftp_endpoints().front(),
               {"boot.ipxe", tftp::Mode::kOctet, {{"blksize", "1400"}}});
    const auto answer = client.Receive();
    const auto* options = std::get_if<tftp::OptionAcknowledgement>(&answer->packet);
    return options == nullptr ? "" : options->options.at(0).value;
  };
  EXPECT_EQ(granted(), "1400");
  config.tftp_limits.max_block_size = 1000;
  (*agent)->Reload(config);
  // From soon on.
  while (granted() != "1000") continue;
}

TEST_F(AgentTest, DrainedItTakesNoMore) {
  const auto agent = Agent::Start(BuildConfig());
  ASSERT_THAT(agent, IsOk());
  EXPECT_NE(ByHttp(**agent, "boot.ipxe"), "");
  (*agent)->Drain(absl::Seconds(5));
  EXPECT_EQ(ByHttp(**agent, "boot.ipxe"), "");
}

}  // namespace
}  // namespace autopxe::agent
