#include "ctl/server_choice.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::HasSubstr;

class ServerChoiceTest : public testing::Test {
 protected:
  ServerChoiceTest() {
    std::string folder = absl::StrCat(testing::TempDir(), "/homeXXXXXX");
    home_ = mkdtemp(folder.data());
    std::filesystem::create_directories(home_ + "/.config/autopxe");
    variables_["HOME"] = home_;
  }
  ~ServerChoiceTest() override { std::filesystem::remove_all(home_); }

  std::string UserFile() const { return home_ + "/.config/autopxe/ctl.yaml"; }
  std::string SystemFile() const { return home_ + "/system.yaml"; }
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }

  absl::StatusOr<std::string> Choose(absl::optional<std::string> flag = absl::nullopt) {
    return ChooseServer(
        flag,
        [this](const std::string& name) -> absl::optional<std::string> {
          const auto found = variables_.find(name);
          if (found == variables_.end()) return absl::nullopt;
          return found->second;
        },
        SystemFile());
  }

  std::string home_;
  std::map<std::string, std::string> variables_;
};

TEST_F(ServerChoiceTest, TheNearestPlaceThatSaysWins) {
  EXPECT_THAT(Choose(), IsOkAndHolds(std::string("127.0.0.1:7766")));
  Write(SystemFile(), "server: system:1\n");
  EXPECT_THAT(Choose(), IsOkAndHolds(std::string("system:1")));
  Write(UserFile(), "server: user:2\n");
  EXPECT_THAT(Choose(), IsOkAndHolds(std::string("user:2")));
  variables_["AUTOPXE_SERVER"] = "variable";
  EXPECT_THAT(Choose(), IsOkAndHolds(std::string("variable:7766")));
  EXPECT_THAT(Choose("flag:4"), IsOkAndHolds(std::string("flag:4")));
}

TEST_F(ServerChoiceTest, AnEmptyVariableIsNone) {
  variables_["AUTOPXE_SERVER"] = "";
  EXPECT_THAT(Choose(), IsOkAndHolds(std::string("127.0.0.1:7766")));
}

TEST_F(ServerChoiceTest, XdgConfigHomeReplacesTheOneInTheHomeFolder) {
  Write(UserFile(), "server: home:1\n");
  std::filesystem::create_directories(home_ + "/xdg/autopxe");
  Write(home_ + "/xdg/autopxe/ctl.yaml", "server: xdg:1\n");
  variables_["XDG_CONFIG_HOME"] = home_ + "/xdg";
  EXPECT_THAT(Choose(), IsOkAndHolds(std::string("xdg:1")));
}

TEST_F(ServerChoiceTest, AnErrorNamesThePlaceAndIsAUsageError) {
  const auto expect = [](const absl::StatusOr<std::string>& result, const std::string& text) {
    EXPECT_EQ(ExitCodeOf(result.status()), kExitUsage);
    EXPECT_THAT(std::string(result.status().message()), HasSubstr(text));
  };
  expect(Choose("a:b"), "--server: server address \"a:b\"");
  expect(Choose(""), "--server: server address \"\"");
  variables_["AUTOPXE_SERVER"] = "x y";
  expect(Choose(), "AUTOPXE_SERVER: server address \"x y\"");
  variables_.erase("AUTOPXE_SERVER");
  Write(UserFile(), "# where\nsrever: a:1\n");
  expect(Choose(), absl::StrCat(UserFile(), ":2: unknown key \"srever\"; expected server"));
  Write(UserFile(), "server: [a, b]\n");
  expect(Choose(), ":1: expected one server");
  Write(UserFile(), "server: ://\n");
  expect(Choose(), absl::StrCat(UserFile(), ":1: server address"));
  Write(UserFile(), "server: [\n");
  expect(Choose(), UserFile());
}

}  // namespace
}  // namespace autopxe::ctl
