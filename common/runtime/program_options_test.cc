#include "common/runtime/program_options.h"

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "common/runtime/version.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A program with an option of each kind.
struct Program {
  std::string database = "/var/lib/db";
  std::string log_level = "info";
  std::vector<std::string> listen = {"127.0.0.1:7766"};
  bool start_script = true;
  bool trace = false;
  ProgramOptions options{"autopxe-server", "Keeps what hosts boot.", "Examples:\n  autopxe-server"};

  Program() {
    options.AddText("database", &database, "FILE", "the database");
    options.AddText("log-level", &log_level, "LEVEL", "what is logged");
    options.AddList("listen", &listen, "ADDRESS:PORT", "where to listen");
    options.AddSwitch("start-script", &start_script, "serve the start script");
    options.AddSwitch("trace", &trace, "trace");
  }

  absl::StatusOr<absl::optional<std::string>> Parse(
      const std::vector<std::string>& args,
      const std::map<std::string, std::string>& environment = {}) {
    return options.Parse(args, [&](const std::string& name) -> absl::optional<std::string> {
      const auto found = environment.find(name);
      if (found == environment.end()) return absl::nullopt;
      return found->second;
    });
  }
};

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

TEST(ProgramOptionsTest, WithoutAnythingTheDefaultsHold) {
  Program program;
  EXPECT_THAT(program.Parse({}), IsOkAndHolds(absl::optional<std::string>()));
  EXPECT_EQ(program.database, "/var/lib/db");
  EXPECT_THAT(program.listen, ElementsAre("127.0.0.1:7766"));
  EXPECT_TRUE(program.start_script);
  EXPECT_EQ(program.options.Source("listen"), "default of --listen");
}

TEST(ProgramOptionsTest, AFlagBeatsTheEnvironmentWhichBeatsTheFileWhichBeatsTheDefault) {
  const std::string file = WriteFile("precedence.yaml",
                                     "database: from-file\n"
                                     "log-level: from-file\n"
                                     "listen: [1.1.1.1:1, 2.2.2.2:2]\n"
                                     "start-script: no\n");
  Program program;
  ASSERT_THAT(program.Parse({"--database", "from-flag", "--config=" + file},
                            {{"AUTOPXE_SERVER_DATABASE", "from-env"},
                             {"AUTOPXE_SERVER_LOG_LEVEL", "from-env"}}),
              IsOk());
  EXPECT_EQ(program.database, "from-flag");
  EXPECT_EQ(program.log_level, "from-env");
  EXPECT_THAT(program.listen, ElementsAre("1.1.1.1:1", "2.2.2.2:2"));
  EXPECT_FALSE(program.start_script);
  EXPECT_FALSE(program.trace);
  EXPECT_EQ(program.options.Source("database"), "--database");
  EXPECT_EQ(program.options.Source("log-level"), "AUTOPXE_SERVER_LOG_LEVEL");
  EXPECT_EQ(program.options.Source("listen"), file + ":3 (listen)");
  EXPECT_THAT(program.options.ErrorIn("listen", absl::NotFoundError("no such address")),
              StatusIs(absl::StatusCode::kInvalidArgument, file + ":3 (listen): no such address"));
}

TEST(ProgramOptionsTest, TheFileCanBeNamedInTheEnvironment) {
  Program program;
  ASSERT_THAT(program.Parse({}, {{"AUTOPXE_SERVER_CONFIG", WriteFile("env.yaml", "trace: on\n")}}),
              IsOk());
  EXPECT_TRUE(program.trace);
}

TEST(ProgramOptionsTest, AListIsGivenByRepetitionOrByCommas) {
  Program program;
  ASSERT_THAT(program.Parse({"--listen", "a:1", "--listen=b:2,c:3"}), IsOk());
  EXPECT_THAT(program.listen, ElementsAre("a:1", "b:2", "c:3"));
  Program other;
  ASSERT_THAT(other.Parse({}, {{"AUTOPXE_SERVER_LISTEN", "a:1, b:2"}}), IsOk());
  EXPECT_THAT(other.listen, ElementsAre("a:1", "b:2"));
}

TEST(ProgramOptionsTest, ASwitchIsTurnedOnAndOff) {
  const struct {
    std::vector<std::string> args;
    bool want;
  } kCases[] = {{{}, true},
                {{"--start-script"}, true},
                {{"--no-start-script"}, false},
                {{"--start-script=false"}, false},
                {{"--no-start-script", "--start-script"}, true}};
  for (const auto& c : kCases) {
    Program program;
    ASSERT_THAT(program.Parse(c.args), IsOk());
    EXPECT_EQ(program.start_script, c.want) << testing::PrintToString(c.args);
  }
}

TEST(ProgramOptionsTest, AnEmptyVariableIsNoValue) {
  Program program;
  ASSERT_THAT(program.Parse({}, {{"AUTOPXE_SERVER_DATABASE", ""}}), IsOk());
  EXPECT_EQ(program.database, "/var/lib/db");
}

TEST(ProgramOptionsTest, WhatIsWrongIsNamedWithItsPlace) {
  const struct {
    std::vector<std::string> args;
    std::map<std::string, std::string> environment;
    std::string file;
    std::string want;
  } kCases[] = {
      {{"--lissten", "x"}, {}, "", "\"--lissten\": no such option; see autopxe-server --help"},
      {{"stray"}, {}, "", "\"stray\": expected an option"},
      {{"--database"}, {}, "", "--database"},
      {{"--database", "a", "--database", "b"}, {}, "", "--database"},
      {{"--database="}, {}, "", "--database"},
      {{"--listen", "a,,b"}, {}, "", "--listen: \"a,,b\": expected a value"},
      {{},
       {{"AUTOPXE_SERVER_TRACE", "maybe"}},
       "",
       "AUTOPXE_SERVER_TRACE: \"maybe\": expected true"},
      {{}, {}, "trace: maybe\n", ":1 (trace): \"maybe\": expected true or false"},
      {{},
       {},
       "# x\nlissten: a\n",
       ":2: unknown key \"lissten\"; known: database, listen, log-level, start-script, trace"},
      {{}, {}, "database: [a, b]\n", ":1 (database): expected one value, got a list"},
      {{}, {}, "database: ''\n", ":1 (database): expected a value, got an empty one"},
      {{}, {}, "listen: []\n", ":1 (listen): expected a value, got an empty list"},
      {{}, {}, "config: other.yaml\n", ":1: unknown key \"config\""},
      {{}, {}, "database:\n  path: x\n", ":2: \"database\": keys don't nest"},
  };
  for (const auto& c : kCases) {
    Program program;
    std::vector<std::string> args = c.args;
    if (!c.file.empty()) args.push_back("--config=" + WriteFile("wrong.yaml", c.file));
    EXPECT_THAT(program.Parse(args, c.environment),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.want)))
        << c.file << testing::PrintToString(args);
  }
}

TEST(ProgramOptionsTest, AConfigFileThatIsNotThereIsAnError) {
  Program program;
  EXPECT_THAT(program.Parse({"--config", "/nowhere/server.yaml"}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nowhere/server.yaml")));
}

TEST(ProgramOptionsTest, HelpNamesEveryOptionItsVariableAndItsDefault) {
  Program program;
  const auto help = program.Parse({"--help"});
  ASSERT_THAT(help, IsOk());
  ASSERT_TRUE(help->has_value());
  EXPECT_THAT(**help,
              AllOf(HasSubstr("--listen"), HasSubstr("AUTOPXE_SERVER_LISTEN"),
                    HasSubstr("127.0.0.1:7766"), HasSubstr("ADDRESS:PORT"),
                    HasSubstr("--no-start-script"), HasSubstr("--config"), HasSubstr("Examples:")));
}

TEST(ProgramOptionsTest, ADurationHasAUnitAndItsBounds) {
  absl::Duration grace = absl::Seconds(10);
  ProgramOptions options("autopxe-server", "", "");
  options.AddDuration("grace", &grace, absl::Seconds(1), absl::Hours(1), "");
  const auto none = [](const std::string&) -> absl::optional<std::string> { return absl::nullopt; };
  ASSERT_THAT(options.Parse({"--grace", "1m30s"}, none), IsOk());
  EXPECT_EQ(grace, absl::Seconds(90));
  for (const char* text : {"10", "0s", "61m", "-1s", "inf", "s", ""}) {
    ProgramOptions fresh("autopxe-server", "", "");
    fresh.AddDuration("grace", &grace, absl::Seconds(1), absl::Hours(1), "");
    EXPECT_THAT(fresh.Parse({"--grace", text}, none),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--grace: ")))
        << text;
  }
  EXPECT_EQ(grace, absl::Seconds(90));
  absl::Duration kept;
  ProgramOptions long_ones("autopxe-server", "", "");
  long_ones.AddDuration("keep-history", &kept, absl::ZeroDuration(), absl::Hours(9000), "");
  ASSERT_THAT(long_ones.Parse({"--keep-history", "90d"}, none), IsOk());
  EXPECT_EQ(kept, absl::Hours(2160));
}

TEST(ProgramOptionsTest, WhatAReloadTakesOverIsSaidOnceAndShownByHelp) {
  std::string level = "info";
  std::vector<std::string> listen = {"a", "b"};
  bool start_script = true;
  absl::Duration grace = absl::Seconds(90);
  ProgramOptions options("autopxe-server", "", "Examples:");
  options.AddText("log-level", &level, "LEVEL", "", TakesEffect::kOnReload);
  options.AddList("listen", &listen, "ADDRESS", "");
  options.AddSwitch("start-script", &start_script, "");
  options.AddDuration("grace", &grace, absl::ZeroDuration(), absl::Hours(1), "",
                      TakesEffect::kOnReload);
  const auto none = [](const std::string&) -> absl::optional<std::string> { return absl::nullopt; };
  const auto help = options.Parse({"--help"}, none);
  ASSERT_THAT(help, IsOk());
  EXPECT_THAT(**help, HasSubstr("SIGHUP reads the configuration again and takes over: grace, "
                                "log-level.\n"));
  ASSERT_THAT(options.Parse({"--log-level", "debug", "--no-start-script"}, none), IsOk());
  std::vector<std::string> values;
  for (const OptionValue& value : options.Values()) {
    values.push_back(value.name + "=" + value.text +
                     (value.takes_effect == TakesEffect::kOnReload ? " live" : ""));
  }
  EXPECT_THAT(values, testing::ElementsAre("log-level=debug live", "listen=a,b",
                                           "start-script=false", "grace=1m30s live"));
}

TEST(ProgramOptionsTest, VersionPrintsTheOneVersion) {
  Program program;
  EXPECT_THAT(program.Parse({"--version"}),
              IsOkAndHolds(absl::make_optional("autopxe-server " + std::string(kVersion) + "\n")));
}

}  // namespace
}  // namespace autopxe
