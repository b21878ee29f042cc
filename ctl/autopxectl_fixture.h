#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "ctl/autopxectl.h"
#include "ctl/fake_server.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {

// For tests of commands: runs them as typed, against a FakeServer.
class AutopxectlTest : public testing::Test {
 protected:
  AutopxectlTest() {
    variables_ = {{"AUTOPXE_SERVER", server_.address()}, {"USER", "ada"}};
    server_.applied.mutable_revision()->mutable_id()->set_number(17);
  }

  int Ctl(const std::vector<std::string>& args) {
    std::istringstream in(in_);
    std::ostringstream out;
    std::ostringstream err;
    const Environment environment{
        .variables = [this](const std::string& name) -> absl::optional<std::string> {
          const auto found = variables_.find(name);
          if (found == variables_.end()) return absl::nullopt;
          return found->second;
        },
        .host_name = "desk",
        .login_name = "joan",
        .system_file = "/nonexistent/ctl.yaml",
        .in = in,
        .out = out,
        .err = err};
    const int code = ctl::Run(args, environment);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  void AddAgent(int64_t applied, int64_t lag) {
    v1::ListAgentsResponse agents;
    v1::Agent* agent = agents.add_agents();
    agent->set_id("lab");
    agent->set_connected(true);
    agent->mutable_status()->mutable_applied()->set_number(applied);
    agent->set_lag(lag);
    agent->set_state(lag == 0 ? v1::AGENT_STATE_CURRENT : v1::AGENT_STATE_BEHIND);
    if (lag != 0) {
      agent->add_reasons("1 revision behind");
      agent->add_reasons("disk \x1b[2J full");
      agent->mutable_view_time()->set_seconds(1'700'000'000);
    }
    agents.mutable_time()->set_seconds(1'700'000'192);
    server_.agents.push_back(agents);
  }

  static std::string FileWith(const std::string& text) {
    const std::string path = absl::StrCat(testing::TempDir(), "/config.yaml");
    std::ofstream(path) << text;
    return path;
  }

  FakeServer server_;
  std::map<std::string, std::string> variables_;
  std::string in_;  // What stands on standard input.
  std::string out_;
  std::string err_;
};

}  // namespace autopxe::ctl
