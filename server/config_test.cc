#include "server/config.h"

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<Invocation> Parse(const std::vector<std::string>& args,
                                 const std::map<std::string, std::string>& environment = {}) {
  return ParseInvocation(args, [&](const std::string& name) -> absl::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return absl::nullopt;
    return found->second;
  });
}

std::vector<std::string> Listen(const Config& config) {
  std::vector<std::string> text;
  for (const IpEndpoint& endpoint : config.listen) text.push_back(endpoint.Format());
  return text;
}

TEST(ConfigTest, WithoutOptionsItServesTheLoopbackInterface) {
  const auto invocation = Parse({});
  ASSERT_THAT(invocation, IsOk());
  EXPECT_FALSE(invocation->print.has_value());
  EXPECT_THAT(Listen(invocation->config), testing::ElementsAre("127.0.0.1:7766"));
  EXPECT_TRUE(invocation->config.listen[0].address.is_loopback());
  EXPECT_EQ(invocation->config.database, "/var/lib/autopxe/autopxe.db");
  EXPECT_EQ(invocation->config.log_level, LogLevel::kInfo);
  EXPECT_EQ(invocation->config.keep_history, absl::Hours(90 * 24));
  EXPECT_EQ(invocation->config.shutdown_grace, absl::Seconds(10));
}

TEST(ConfigTest, EveryOptionHasOneNameAsFlagVariableAndKey) {
  const std::string file = testing::TempDir() + "/server.yaml";
  std::ofstream(file) << "listen: ['[::1]:1', 10.0.0.1:2]\n"
                         "database: /tmp/x.db\n"
                         "log-level: warn\n"
                         "keep-history: 0\n"
                         "shutdown-grace: 1m30s\n";
  const auto from_flags =
      Parse({"--listen", "[::1]:1", "--listen", "10.0.0.1:2", "--database", "/tmp/x.db",
             "--log-level", "warn", "--keep-history", "0", "--shutdown-grace", "90s"});
  const auto from_environment = Parse({}, {{"AUTOPXE_SERVER_LISTEN", "[::1]:1,10.0.0.1:2"},
                                           {"AUTOPXE_SERVER_DATABASE", "/tmp/x.db"},
                                           {"AUTOPXE_SERVER_LOG_LEVEL", "warn"},
                                           {"AUTOPXE_SERVER_KEEP_HISTORY", "0"},
                                           {"AUTOPXE_SERVER_SHUTDOWN_GRACE", "90s"}});
  const auto from_file = Parse({"--config", file});
  for (const auto* invocation : {&from_flags, &from_environment, &from_file}) {
    ASSERT_THAT(*invocation, IsOk());
    const Config& config = (*invocation)->config;
    EXPECT_THAT(Listen(config), testing::ElementsAre("[::1]:1", "10.0.0.1:2"));
    EXPECT_EQ(config.database, "/tmp/x.db");
    EXPECT_EQ(config.log_level, LogLevel::kWarn);
    EXPECT_EQ(config.keep_history, absl::ZeroDuration());
    EXPECT_EQ(config.shutdown_grace, absl::Seconds(90));
  }
}

TEST(ConfigTest, WhatIsWrongIsNamedWithItsPlaceAndValue) {
  const struct {
    std::vector<std::string> args;
    const char* place;
    const char* value;
  } kCases[] = {
      {{"--listen", "localhost:7766"}, "--listen: ", "localhost"},
      {{"--listen", "127.0.0.1"}, "--listen: ", "127.0.0.1"},
      {{"--listen", "127.0.0.1:65536"}, "--listen: ", "65536"},
      {{"--log-level", "verbose"}, "--log-level: ", "verbose"},
      {{"--keep-history", "90"}, "--keep-history: ", "\"90\""},
      {{"--keep-history", "90w"}, "--keep-history: ", "\"90w\""},
      {{"--keep-history", "-1h"}, "--keep-history: ", "-1h"},
      {{"--keep-history", "inf"}, "--keep-history: ", "inf"},
      {{"--shutdown-grace", "10"}, "--shutdown-grace: ", "\"10\""},
      {{"--shutdown-grace", "-1s"}, "--shutdown-grace: ", "-1s"},
      {{"--shutdown-grace", "inf"}, "--shutdown-grace: ", "inf"},
      {{"--lisen", "127.0.0.1:1"}, "--lisen", "see autopxe-server --help"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Parse(c.args), StatusIs(absl::StatusCode::kInvalidArgument,
                                        AllOf(HasSubstr(c.place), HasSubstr(c.value))));
  }
}

TEST(ConfigTest, HelpShowsEveryOptionAndExamples) {
  const auto invocation = Parse({"--help"});
  ASSERT_THAT(invocation, IsOk());
  ASSERT_TRUE(invocation->print.has_value());
  EXPECT_THAT(*invocation->print,
              AllOf(HasSubstr("--listen"), HasSubstr("--database"), HasSubstr("--log-level"),
                    HasSubstr("--keep-history"), HasSubstr("--shutdown-grace"),
                    HasSubstr("--config"), HasSubstr("Examples:"),
                    HasSubstr("takes over: keep-history, log-level, shutdown-grace.")));
}

}  // namespace
}  // namespace autopxe::server
