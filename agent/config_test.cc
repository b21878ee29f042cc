#include "agent/config.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<ParsedConfig> Parse(const std::vector<std::string>& args,
                                   const std::map<std::string, std::string>& variables = {}) {
  return ParseConfig(
      args,
      [&](const std::string& name) -> absl::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return absl::nullopt;
        return found->second;
      },
      "rack7");
}

Config Parsed(const std::vector<std::string>& args,
              const std::map<std::string, std::string>& variables = {}) {
  const absl::StatusOr<ParsedConfig> parsed = Parse(args, variables);
  EXPECT_THAT(parsed, IsOk());
  return parsed.value().config.value();
}

TEST(AgentConfigTest, OnlyTheTreeHasToBeNamed) {
  const Config config = Parsed({"--rootfs", "/srv/rootfs"});
  EXPECT_EQ(config.id.text(), "rack7");
  EXPECT_EQ(config.server, "127.0.0.1:7766");
  EXPECT_EQ(config.rootfs_folder, "/srv/rootfs");
  EXPECT_EQ(config.loaders_folder, "/usr/lib/ipxe");
  EXPECT_EQ(config.files_folder, "");
  EXPECT_EQ(config.state_folder, "/var/lib/autopxe-agent");
  ASSERT_EQ(config.tftp_listen.size(), 1u);
  EXPECT_EQ(config.tftp_listen[0].Format(), "0.0.0.0:69");
  EXPECT_FALSE(config.tftp_ports.has_value());
  EXPECT_FALSE(config.tftp_single_port);
  EXPECT_FALSE(config.tftp_limits.max_block_size.has_value());
  EXPECT_EQ(config.tftp_limits.max_transfers, 8192u);
  EXPECT_EQ(config.tftp_limits.max_transfers_of_address, 1024u);
  ASSERT_EQ(config.http_listen.size(), 1u);
  EXPECT_EQ(config.http_listen[0].Format(), "0.0.0.0:8080");
  EXPECT_FALSE(config.advertise.has_value());
  EXPECT_TRUE(config.start_script_for_ipxe);
  EXPECT_EQ(config.log_level, LogLevel::kInfo);
}

TEST(AgentConfigTest, EveryOptionCanBeGiven) {
  const Config config = Parsed({"--id",
                                "lab",
                                "--server",
                                "[fd00::1]:1",
                                "--rootfs",
                                "/r",
                                "--loaders",
                                "/l",
                                "--files",
                                "/f",
                                "--state",
                                "/s",
                                "--tftp-listen",
                                "127.0.0.1:0",
                                "--tftp-listen",
                                "[::1]:0",
                                "--tftp-ports",
                                "50000-50999",
                                "--tftp-max-block-size",
                                "1024",
                                "--tftp-max-transfers",
                                "100",
                                "--tftp-max-transfers-of-address",
                                "10",
                                "--http-listen",
                                "127.0.0.1:0",
                                "--advertise",
                                "10.0.0.1",
                                "--no-start-script-for-ipxe",
                                "--rescan-interval",
                                "90s",
                                "--log-level",
                                "debug",
                                "--shutdown-grace",
                                "5s"});
  EXPECT_EQ(config.id.text(), "lab");
  EXPECT_EQ(config.server, "[fd00::1]:1");
  EXPECT_EQ(config.loaders_folder, "/l");
  EXPECT_EQ(config.files_folder, "/f");
  EXPECT_EQ(config.tftp_listen.size(), 2u);
  EXPECT_EQ(config.tftp_ports, (PortRange{50000, 50999}));
  EXPECT_EQ(config.tftp_limits.max_block_size, 1024);
  EXPECT_EQ(config.tftp_limits.max_transfers, 100u);
  EXPECT_EQ(config.tftp_limits.max_transfers_of_address, 10u);
  EXPECT_TRUE(Parsed({"--rootfs", "/r", "--tftp-single-port"}).tftp_single_port);
  EXPECT_EQ(config.advertise->Format(), "10.0.0.1");
  EXPECT_FALSE(config.start_script_for_ipxe);
  EXPECT_EQ(config.rescan_interval, absl::Seconds(90));
  EXPECT_EQ(config.log_level, LogLevel::kDebug);
  EXPECT_EQ(config.shutdown_grace, absl::Seconds(5));
}

TEST(AgentConfigTest, TheFileAndTheEnvironmentSayTheSameAsFlags) {
  const std::string path = absl::StrCat(testing::TempDir(), "/agent.yaml");
  std::ofstream(path) << "id: from-file\nrootfs: /file\nhttp-listen: [127.0.0.1:1, 127.0.0.1:2]\n";
  const Config config = Parsed({"--config", path}, {{"AUTOPXE_AGENT_ID", "from-environment"}});
  EXPECT_EQ(config.id.text(), "from-environment");
  EXPECT_EQ(config.rootfs_folder, "/file");
  EXPECT_EQ(config.http_listen.size(), 2u);
  EXPECT_EQ(Parsed({"--config", path, "--id", "flag"}).id.text(), "flag");
}

TEST(AgentConfigTest, ARelativeTreeGetsTheNameByWhichHostsCanMountIt) {
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(Parsed({"--rootfs", "tree"}).rootfs_folder, here + "/tree");
  EXPECT_EQ(Parsed({"--rootfs", "./a/b"}).rootfs_folder, here + "/a/b");
  EXPECT_EQ(Parsed({"--rootfs", "/pxe/rootfs/"}).rootfs_folder, "/pxe/rootfs");
}

TEST(AgentConfigTest, AMistakeIsNamedWithItsPlaceAndItsValue) {
  const struct {
    std::vector<std::string> args;
    std::string option;
    std::string what;
  } kCases[] = {
      {{}, "--rootfs", "name the folder"},
      {{"--rootfs", ""}, "rootfs", "empty"},
      {{"--rootfs", "/r", "--files", ""}, "--files", "empty"},
      {{"--rootfs", "/r", "--id", "a b"}, "--id", "\"a b\""},
      {{"--rootfs", "/r", "--server", "nowhere:x"}, "--server", "expected host:port"},
      {{"--rootfs", "/r", "--tftp-listen", "69"}, "--tftp-listen", "\"69\""},
      {{"--rootfs", "/r", "--tftp-ports", "9-1"}, "--tftp-ports", "\"9-1\": expected ports"},
      {{"--rootfs", "/r", "--tftp-ports", "1-9", "--tftp-single-port"},
       "--tftp-ports",
       "leave one of them out"},
      {{"--rootfs", "/r", "--tftp-max-block-size", "7"},
       "--tftp-max-block-size",
       "\"7\": expected a number from 8 to 65464"},
      {{"--rootfs", "/r", "--tftp-max-block-size", "+9"}, "--tftp-max-block-size", "\"+9\""},
      {{"--rootfs", "/r", "--tftp-max-transfers", "0"}, "--tftp-max-transfers", "\"0\""},
      {{"--rootfs", "/r", "--tftp-max-transfers-of-address", "many"},
       "--tftp-max-transfers-of-address",
       "\"many\""},
      {{"--rootfs", "/r", "--http-listen", "host:80"}, "--http-listen", "\"host:80\""},
      {{"--rootfs", "/r", "--advertise", "me"}, "--advertise", "\"me\""},
      {{"--rootfs", "/r", "--advertise", "0.0.0.0"}, "--advertise", "0.0.0.0"},
      {{"--rootfs", "/r", "--rescan-interval", "0s"}, "--rescan-interval", "\"0s\": expected"},
      {{"--rootfs", "/r", "--rescan-interval", "often"}, "--rescan-interval", "\"often\""},
      {{"--rootfs", "/r", "--log-level", "loud"}, "--log-level", "\"loud\""},
      {{"--rootfs", "/r", "--shutdown-grace", "2h"}, "--shutdown-grace", "\"2h\""},
      {{"--rootfs", "/r", "--no-such"}, "no-such", ""},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Parse(c.args), StatusIs(absl::StatusCode::kInvalidArgument,
                                        AllOf(HasSubstr(c.option), HasSubstr(c.what))))
        << testing::PrintToString(c.args);
  }
}

TEST(AgentConfigTest, HelpShowsEveryOptionAndAnExample) {
  const absl::StatusOr<ParsedConfig> parsed = Parse({"--help"});
  ASSERT_THAT(parsed, IsOk());
  EXPECT_FALSE(parsed->config.has_value());
  for (const char* word : {"--id",
                           "--server",
                           "--rootfs",
                           "--loaders",
                           "--files",
                           "--state",
                           "--tftp-listen",
                           "--tftp-ports",
                           "tftp-single-port",
                           "--tftp-max-block-size",
                           "--tftp-max-transfers",
                           "--tftp-max-transfers-of-address",
                           "--http-listen",
                           "--advertise",
                           "start-script-for-ipxe",
                           "--rescan-interval",
                           "--log-level",
                           "--shutdown-grace",
                           "--config",
                           "Examples:",
                           "takes over: advertise, log-level, rescan-interval, shutdown-grace, "
                           "start-script-for-ipxe, tftp-max-block-size, tftp-max-transfers, "
                           "tftp-max-transfers-of-address"}) {
    EXPECT_THAT(parsed->print, HasSubstr(word));
  }
}

}  // namespace
}  // namespace autopxe::agent
