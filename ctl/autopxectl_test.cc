#include "ctl/autopxectl.h"

#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "autopxe/v1/catalog.grpc.pb.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A server that notes what it is asked, and answers what a test says.
class FakeServer final : public v1::ConfigurationService::Service,
                         public v1::CatalogService::Service,
                         public v1::AgentService::Service {
 public:
  FakeServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(static_cast<v1::ConfigurationService::Service*>(this));
    builder.RegisterService(static_cast<v1::CatalogService::Service*>(this));
    builder.RegisterService(static_cast<v1::AgentService::Service*>(this));
    server_ = builder.BuildAndStart();
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  // Requests that change something, in their order, as text without their request ids.
  std::vector<std::string> changes() const {
    absl::MutexLock lock(&mutex_);
    return changes_;
  }
  std::vector<std::string> request_ids() const {
    absl::MutexLock lock(&mutex_);
    return request_ids_;
  }

  void Refuse(int count, grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    refusals_ = count;
    refusal_ = std::move(status);
  }

  v1::ApplyResponse applied;
  std::deque<v1::ListAgentsResponse> agents;  // The last one again and again.
  v1::ListDistrosResponse distros;
  v1::ListHostsResponse hosts;
  v1::Settings settings;
  v1::AgentSettings agent_settings;

  grpc::Status Apply(grpc::ServerContext*, const v1::ApplyRequest* request,
                     v1::ApplyResponse* response) override {
    return Note(*request, response);
  }
  grpc::Status AssignHosts(grpc::ServerContext*, const v1::AssignHostsRequest* request,
                           v1::ApplyResponse* response) override {
    return Note(*request, response);
  }
  grpc::Status UnassignHosts(grpc::ServerContext*, const v1::UnassignHostsRequest* request,
                             v1::ApplyResponse* response) override {
    return Note(*request, response);
  }
  grpc::Status CreateHost(grpc::ServerContext*, const v1::CreateHostRequest* request,
                          v1::ApplyResponse* response) override {
    return Note(*request, response);
  }
  grpc::Status DeleteHosts(grpc::ServerContext*, const v1::DeleteHostsRequest* request,
                           v1::ApplyResponse* response) override {
    return Note(*request, response);
  }
  grpc::Status SetProfile(grpc::ServerContext*, const v1::SetProfileRequest* request,
                          v1::ApplyResponse* response) override {
    return Note(*request, response);
  }
  grpc::Status DeleteProfile(grpc::ServerContext*, const v1::DeleteProfileRequest* request,
                             v1::ApplyResponse* response) override {
    return Note(*request, response);
  }
  grpc::Status UpdateSettings(grpc::ServerContext*, const v1::UpdateSettingsRequest* request,
                              v1::ApplyResponse* response) override {
    return Note(*request, response);
  }
  grpc::Status UpdateAgentSettings(grpc::ServerContext*,
                                   const v1::UpdateAgentSettingsRequest* request,
                                   v1::ApplyResponse* response) override {
    return Note(*request, response);
  }
  grpc::Status GetAgentSettings(grpc::ServerContext*, const v1::GetAgentSettingsRequest* request,
                                v1::AgentSettings* response) override {
    *response = agent_settings;
    response->set_agent_id(request->agent_id());
    return grpc::Status::OK;
  }
  grpc::Status GetSettings(grpc::ServerContext* context, const v1::GetSettingsRequest*,
                           v1::Settings* response) override {
    context->AddInitialMetadata("autopxe-version", "9.8.7");
    *response = settings;
    return grpc::Status::OK;
  }
  // One host to a page.
  grpc::Status ListHosts(grpc::ServerContext*, const v1::ListHostsRequest* request,
                         v1::ListHostsResponse* response) override {
    const int index = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    if (index < hosts.hosts_size()) *response->add_hosts() = hosts.hosts(index);
    if (index + 1 < hosts.hosts_size()) response->set_next_page_token(absl::StrCat(index + 1));
    return grpc::Status::OK;
  }
  grpc::Status ListDistros(grpc::ServerContext*, const v1::ListDistrosRequest*,
                           v1::ListDistrosResponse* response) override {
    *response = distros;
    return grpc::Status::OK;
  }
  grpc::Status ListAgents(grpc::ServerContext*, const v1::ListAgentsRequest*,
                          v1::ListAgentsResponse* response) override {
    absl::MutexLock lock(&mutex_);
    if (agents.empty()) return grpc::Status::OK;
    *response = agents.front();
    if (agents.size() > 1) agents.pop_front();
    return grpc::Status::OK;
  }
  grpc::Status DeleteAgent(grpc::ServerContext*, const v1::DeleteAgentRequest* request,
                           v1::DeleteAgentResponse*) override {
    absl::MutexLock lock(&mutex_);
    if (refusals_ > 0) {
      --refusals_;
      return refusal_;
    }
    changes_.push_back(absl::StrCat("DeleteAgentRequest ", request->ShortDebugString()));
    return grpc::Status::OK;
  }

 private:
  template <typename Request>
  grpc::Status Note(const Request& request, v1::ApplyResponse* response) {
    absl::MutexLock lock(&mutex_);
    Request noted = request;
    request_ids_.push_back(noted.options().request_id());
    noted.mutable_options()->clear_request_id();
    if (refusals_ > 0) {
      --refusals_;
      return refusal_;
    }
    changes_.push_back(
        absl::StrCat(request.GetDescriptor()->name(), " ", noted.ShortDebugString()));
    *response = applied;
    return grpc::Status::OK;
  }

  mutable absl::Mutex mutex_;
  std::vector<std::string> changes_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> request_ids_ ABSL_GUARDED_BY(mutex_);
  int refusals_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::Status refusal_ ABSL_GUARDED_BY(mutex_);
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class AutopxectlTest : public testing::Test {
 protected:
  AutopxectlTest() {
    variables_ = {{"AUTOPXE_SERVER", server_.address()}, {"USER", "ada"}};
    server_.applied.mutable_revision()->mutable_id()->set_number(17);
  }

  int Ctl(const std::vector<std::string>& args) {
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
  std::string out_;
  std::string err_;
};

TEST_F(AutopxectlTest, CommandsAskTheServerForWhatTheySay) {
  const std::string options = "options { user: \"ada@desk\" }";
  const struct {
    std::vector<std::string> args;
    std::string request;
  } kCases[] = {
      {{"assign", "52:54:00:12:34:56", "a/b/c/d"},
       "AssignHostsRequest hosts: \"52:54:00:12:34:56\" distro: \"a/b/c/d\" " + options},
      {{"assign", "web1", "host", "list", "local", "--allow-missing"},
       "AssignHostsRequest hosts: \"web1\" hosts: \"host\" hosts: \"list\" distro: \"local\" "
       "allow_missing: true " +
           options},
      {{"unassign", "web1", "web2"},
       "UnassignHostsRequest hosts: \"web1\" hosts: \"web2\" " + options},
      {{"host", "create", "web1", "52:54:00:12:34:56"},
       "CreateHostRequest name: \"web1\" macs: \"52:54:00:12:34:56\" " + options},
      {{"host", "create", "525400123456"}, "CreateHostRequest macs: \"525400123456\" " + options},
      {{"host", "delete", "web1"}, "DeleteHostsRequest hosts: \"web1\" " + options},
      {{"profile", "set", "nfs", "root=${x} rw"},
       "SetProfileRequest name: \"nfs\" command_line: \"root=${x} rw\" " + options},
      {{"profile", "set", "plain", ""}, "SetProfileRequest name: \"plain\" " + options},
      {{"profile", "set", "--", "odd", "-x"},
       "SetProfileRequest name: \"odd\" command_line: \"-x\" " + options},
      {{"profile", "set", "odd", "--", "-x"},
       "SetProfileRequest name: \"odd\" command_line: \"-x\" " + options},
      {{"profile", "delete", "nfs"}, "DeleteProfileRequest name: \"nfs\" " + options},
      {{"settings", "set", "menu-timeout", "3s"},
       "UpdateSettingsRequest update { menu_timeout { seconds: 3 } } " + options},
      {{"settings", "set", "default-distro", "a/b/c/d", "--allow-missing"},
       "UpdateSettingsRequest update { default_distro: \"a/b/c/d\" allow_missing: true } " +
           options},
      {{"settings", "unset", "variables.x"},
       "UpdateSettingsRequest update { unset_variables: \"x\" } " + options},
      {{"agent", "set", "rack1", "variables.nfs-server", "10.77.1.1"},
       "UpdateAgentSettingsRequest update { agent_id: \"rack1\" set_variables { key: "
       "\"nfs-server\" value: \"10.77.1.1\" } } " +
           options},
      {{"agent", "set", "rack1", "default-distro", "a/b/c/d", "--allow-missing"},
       "UpdateAgentSettingsRequest update { agent_id: \"rack1\" default_distro: \"a/b/c/d\" "
       "allow_missing: true } " +
           options},
      {{"agent", "unset", "rack1", "rootfs-path-prefix"},
       "UpdateAgentSettingsRequest update { agent_id: \"rack1\" rootfs_path_prefix: \"\" } " +
           options},
      {{"--user", "bob", "unassign", "x"},
       "UnassignHostsRequest hosts: \"x\" options { user: \"bob\" }"},
      {{"unassign", "x", "--user", ""}, "UnassignHostsRequest hosts: \"x\" options { }"},
  };
  size_t count = 0;
  for (const auto& c : kCases) {
    EXPECT_EQ(Ctl(c.args), kExitOk) << err_;
    ASSERT_THAT(server_.changes(), SizeIs(++count)) << testing::PrintToString(c.args);
    EXPECT_EQ(server_.changes().back(), c.request);
  }
}

TEST_F(AutopxectlTest, WhoeverSitsBehindSudoIsClaimed) {
  variables_["SUDO_USER"] = "grace";
  variables_["USER"] = "root";
  Ctl({"unassign", "x"});
  EXPECT_THAT(server_.changes().back(), HasSubstr("user: \"grace@desk\""));
  variables_.erase("SUDO_USER");
  variables_.erase("USER");
  Ctl({"unassign", "x"});
  EXPECT_THAT(server_.changes().back(), HasSubstr("user: \"joan@desk\""));
}

TEST_F(AutopxectlTest, AWrongCommandLineIsOneLineAndChangesNothing) {
  const struct {
    std::vector<std::string> args;
    std::string what;
  } kCases[] = {
      {{}, "autopxectl --help"},
      {{"no-such"}, "no-such"},
      {{"assign"}, "--help"},
      {{"assign", "web1"}, "then the distro"},
      {{"assign", "a", "b", "--no-such"}, "--no-such"},
      {{"assign", "a", "b", "--timeout", "soon"}, "\"soon\""},
      {{"host"}, "--help"},
      {{"host", "no-such"}, "no-such"},
      {{"host", "show"}, "--help"},
      {{"host", "show", "a", "b"}, "b"},
      {{"host", "create", "web1"}, "expected a MAC"},
      {{"profile", "set", "x"}, "expected a name"},
      {{"profile", "set", "x", "a", "b"}, "single quotes"},
      {{"settings", "set", "no-such", "x"}, "default-distro"},
      {{"agent", "set", "rack1", "menu-timeout", "3s"}, "default-distro"},
      {{"agent", "set", "rack1", "default-distro"}, "--help"},
      {{"agent", "unset", "rack1"}, "--help"},
      {{"agent", "show"}, "--help"},
      {{"host", "list", "-o", "xml"}, "xml"},
      {{"--server", "a:b", "host", "list"}, "--server: server address \"a:b\""},
      {{"import", "autopxe", "/nonexistent"}, "/nonexistent"},
      {{"import", "autopxe", "/"}, "/"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Ctl(c.args), kExitUsage) << testing::PrintToString(c.args);
    EXPECT_EQ(out_, "");
    EXPECT_THAT(err_, AllOf(StartsWith("autopxectl: "), HasSubstr(c.what)));
    const std::vector<std::string> lines = absl::StrSplit(err_, '\n');
    EXPECT_THAT(lines, SizeIs(2)) << err_;
  }
  EXPECT_THAT(server_.changes(), IsEmpty());
}

TEST_F(AutopxectlTest, EveryCommandHasHelpWithAnExample) {
  const std::vector<std::vector<std::string>> kCommands = {
      {},
      {"assign"},
      {"unassign"},
      {"host", "list"},
      {"host", "show"},
      {"host", "create"},
      {"host", "delete"},
      {"distro", "list"},
      {"profile", "list"},
      {"profile", "show"},
      {"profile", "set"},
      {"profile", "delete"},
      {"settings", "show"},
      {"settings", "set"},
      {"settings", "unset"},
      {"agent", "list"},
      {"agent", "show"},
      {"agent", "set"},
      {"agent", "unset"},
      {"import", "autopxe"},
      {"version"},
  };
  for (std::vector<std::string> command : kCommands) {
    std::string path = "autopxectl";
    for (const std::string& word : command) absl::StrAppend(&path, " ", word);
    command.push_back("--help");
    EXPECT_EQ(Ctl(command), kExitOk) << path;
    EXPECT_EQ(err_, "");
    // An example is a line that could be typed.
    EXPECT_THAT(out_, AllOf(HasSubstr("Usage: " + path), HasSubstr("\n  " + path))) << path;
  }
  for (const char* noun : {"host", "distro", "profile", "settings", "agent", "import"}) {
    EXPECT_EQ(Ctl({noun, "--help"}), kExitOk);
    EXPECT_THAT(out_, HasSubstr("Usage: autopxectl " + std::string(noun) + " COMMAND"));
  }
}

TEST_F(AutopxectlTest, ARefusalIsTheServersLineAndExitCodeOne) {
  server_.Refuse(
      1,
      grpc::Status(grpc::StatusCode::NOT_FOUND,
                   "distro \"debain/x\": no agent offers it; did you mean \"debian/x\"?\x1b[1m"));
  EXPECT_EQ(Ctl({"assign", "a", "debain/x"}), kExitRefused);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(
      err_,
      "autopxectl: distro \"debain/x\": no agent offers it; did you mean \"debian/x\"?\\x1b[1m\n");
}

TEST_F(AutopxectlTest, AnUnreachableServerIsNamedWithExitCodeThree) {
  EXPECT_EQ(Ctl({"--server", "127.0.0.1:1", "host", "list"}), kExitUnreachable);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, AllOf(HasSubstr("127.0.0.1:1"), HasSubstr("--server")));
}

TEST_F(AutopxectlTest,
       ACallThatFailedOnTheWayIsMadeOnceMoreUnderTheSameRequestId) {  // faults.md, case 45.
  server_.Refuse(1, grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting"));
  EXPECT_EQ(Ctl({"unassign", "a"}), kExitOk) << err_;
  ASSERT_THAT(server_.request_ids(), SizeIs(2));
  EXPECT_EQ(server_.request_ids()[0], server_.request_ids()[1]);
  EXPECT_THAT(server_.request_ids()[0], MatchesRegex("[0-9a-f]{32}"));

  server_.Refuse(5, grpc::Status(grpc::StatusCode::UNAVAILABLE, "the disk is broken"));
  EXPECT_EQ(Ctl({"unassign", "a"}), kExitUnreachable);
  ASSERT_THAT(server_.request_ids(), SizeIs(4));
  EXPECT_NE(server_.request_ids()[2], server_.request_ids()[0]);
  EXPECT_THAT(err_, HasSubstr("the disk is broken"));
}

TEST_F(AutopxectlTest, WarningsGoBesideTheAnswer) {
  server_.applied.add_warnings("variable \"x\" is not set");
  EXPECT_EQ(Ctl({"unassign", "a"}), kExitOk);
  EXPECT_EQ(out_, "it was so already; revision 17\n");
  EXPECT_EQ(err_, "warning: variable \"x\" is not set\n");
}

TEST_F(AutopxectlTest, AListIsReadFromAllItsPagesInEveryFormat) {
  for (const char* name : {"a", "b", "c"}) server_.hosts.add_hosts()->set_name(name);
  EXPECT_EQ(Ctl({"host", "list"}), kExitOk);
  EXPECT_EQ(out_, "NAME  MACS  DISTRO\na     -     -\nb     -     -\nc     -     -\n");
  EXPECT_EQ(Ctl({"-o", "json", "host", "list"}), kExitOk);
  EXPECT_THAT(out_, AllOf(StartsWith("{\n \"hosts\": ["), HasSubstr("\"name\": \"c\"")));
  EXPECT_EQ(Ctl({"host", "list", "-o", "yaml"}), kExitOk);
  EXPECT_THAT(out_, AllOf(StartsWith("hosts:\n  - id: "), HasSubstr("name: c\n")));
}

TEST_F(AutopxectlTest, NothingThatOthersWroteReachesTheTerminalRaw) {
  server_.hosts.add_hosts()->set_name("evil\x1b]0;x\x07\nname");
  for (const char* format : {"table", "json", "yaml"}) {
    EXPECT_EQ(Ctl({"host", "list", "-o", format}), kExitOk);
    EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
    EXPECT_THAT(out_, Not(HasSubstr("\x07")));
    EXPECT_THAT(out_, Not(HasSubstr("\nname")));
  }
}

TEST_F(AutopxectlTest, AgentsSettingsAndDistrosAreTables) {
  AddAgent(16, 1);
  EXPECT_EQ(Ctl({"agent", "list"}), kExitOk);
  EXPECT_EQ(out_,
            "ID   STATE   VIEW AGE  REVISION  KERNELS  HTTP  TFTP  VERSION\n"
            "lab  behind  3m12s     16        0        -     -     -\n"
            "\n"
            "lab: 1 revision behind\n"
            "lab: disk \\x1b[2J full\n");
  server_.agents.clear();
  AddAgent(16, 0);
  EXPECT_EQ(Ctl({"agent", "list"}), kExitOk);
  EXPECT_EQ(out_,
            "ID   STATE    VIEW AGE  REVISION  KERNELS  HTTP  TFTP  VERSION\n"
            "lab  current  current   16        0        -     -     -\n");
  EXPECT_EQ(Ctl({"settings", "show"}), kExitOk);
  EXPECT_EQ(out_,
            "KEY                 VALUE\ndefault-distro      -\nunknown-hosts       -\nmenu-timeout "
            "       0\n"
            "rootfs-path-prefix  -\n");
  v1::Distro* distro = server_.distros.add_distros();
  distro->set_name("debian/bookworm/latest/nfs");
  distro->add_kernel_versions("6.1.0-25-amd64");
  distro->add_agents("lab");
  server_.distros.add_distros()->set_name("local");
  EXPECT_EQ(Ctl({"distro", "list"}), kExitOk);
  EXPECT_EQ(err_, "");
  EXPECT_EQ(out_,
            "NAME                        KERNEL          AGENTS\n"
            "debian/bookworm/latest/nfs  6.1.0-25-amd64  lab\n"
            "local                       -               -\n");
}

TEST_F(AutopxectlTest, WhatIsSetForAnAgentIsATableOfItsKeys) {
  (*server_.agent_settings.mutable_variables())["nfs-server"] = "10.77.1.1";
  EXPECT_EQ(Ctl({"agent", "show", "rack1"}), kExitOk);
  EXPECT_EQ(out_,
            "KEY                   VALUE\n"
            "default-distro        -\n"
            "rootfs-path-prefix    -\n"
            "variables.nfs-server  10.77.1.1\n");
  EXPECT_EQ(Ctl({"agent", "show", "rack1", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("\"agent_id\": \"rack1\""), HasSubstr("10.77.1.1")));
}

TEST_F(AutopxectlTest, AListWithoutAnyKernelSaysWhatIsMissing) {
  server_.distros.add_distros()->set_name("local");
  EXPECT_EQ(Ctl({"distro", "list"}), kExitOk);
  EXPECT_EQ(out_, "NAME   KERNEL  AGENTS\nlocal  -       -\n");
  EXPECT_THAT(err_, AllOf(HasSubstr("autopxectl agent list"), HasSubstr("profile set")));
}

TEST_F(AutopxectlTest, AnAgentIsDeletedOrTheServerSaysWhyNot) {
  EXPECT_EQ(Ctl({"agent", "delete", "lab"}), kExitOk);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(server_.changes(), ElementsAre("DeleteAgentRequest agent_id: \"lab\""));
  server_.Refuse(
      1, {grpc::StatusCode::FAILED_PRECONDITION, "agent \"lab\": it is connected; stop it first"});
  EXPECT_EQ(Ctl({"agent", "delete", "lab"}), kExitRefused);
  EXPECT_EQ(err_, "autopxectl: agent \"lab\": it is connected; stop it first\n");
}

TEST_F(AutopxectlTest, WaitReturnsOnceEveryConnectedAgentServesTheRevision) {
  AddAgent(15, 2);
  AddAgent(16, 1);
  AddAgent(17, 0);
  EXPECT_EQ(Ctl({"assign", "a", "local", "--wait"}), kExitOk) << err_;
  EXPECT_THAT(server_.agents, SizeIs(1)) << "asked until the last answer came";
}

TEST_F(AutopxectlTest, WaitGivesUpAndNamesTheAgent) {
  AddAgent(16, 1);
  EXPECT_EQ(Ctl({"assign", "a", "local", "--wait", "--timeout", "1ms"}), kExitRefused);
  EXPECT_THAT(err_,
              AllOf(HasSubstr("revision 17 is accepted"), HasSubstr("\"lab\" serves revision 16")));
}

TEST_F(AutopxectlTest, WaitWithoutAnyAgentSaysSo) {
  EXPECT_EQ(Ctl({"assign", "a", "local", "--wait"}), kExitOk);
  EXPECT_THAT(err_, HasSubstr("no agent is connected"));
}

TEST_F(AutopxectlTest, AnImportIsOneBatchThatSaysWhatItDoesWithEachKey) {
  const std::string file = FileWith(
      "version: 1\nDefaultDistro: a/b/c/p\nEnv:\n  x: 1\nOther: y\nCmdlineTemplates:\n  p: "
      "root=${x}\n"
      "HostDefaults:\n  bc2411b01ade: a/b/c/p\n");
  EXPECT_EQ(Ctl({"import", "autopxe", file}), kExitOk) << err_;
  EXPECT_EQ(out_, absl::StrCat(
                      file, ":1: version: 1: AutoPXE's format\n",               //
                      file, ":2: DefaultDistro: default-distro = a/b/c/p\n",    //
                      file, ":4: Env.x: variables.x = 1\n",                     //
                      file, ":5: Other: not taken: unknown key\n",              //
                      file, ":7: CmdlineTemplates.p: profile p = root=${x}\n",  //
                      file, ":9: HostDefaults.bc2411b01ade: host bc:24:11:b0:1a:de boots a/b/c/p\n",
                      "it was so already; revision 17\n"));
  ASSERT_THAT(server_.changes(), SizeIs(1));
  EXPECT_EQ(server_.changes()[0],
            "ApplyRequest mutations { set_profile { name: \"p\" command_line: \"root=${x}\" } } "
            "mutations { update_settings { default_distro: \"a/b/c/p\" allow_missing: true } } "
            "mutations { update_settings { set_variables { key: \"x\" value: \"1\" } } } "
            "mutations { assign { host: \"bc:24:11:b0:1a:de\" distro: \"a/b/c/p\" allow_missing: "
            "true } } "
            "options { user: \"ada@desk\" }");

  EXPECT_EQ(Ctl({"import", "autopxe", file, "--dry-run", "-o", "json"}), kExitOk);
  EXPECT_THAT(server_.changes().back(), HasSubstr("validate_only: true"));
  EXPECT_THAT(out_, StartsWith("{\n \"revision\""));
  EXPECT_THAT(err_, HasSubstr(":5: Other: not taken: unknown key\n"));
}

TEST_F(AutopxectlTest, AnImportWithABadKeyChangesNothingAndNamesEachLine) {
  const std::string file = FileWith("version: 1\nDefaultDistro: a\nEnv:\n  b: \"\\e[1m\"\n");
  EXPECT_EQ(Ctl({"import", "autopxe", file}), kExitRefused);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, AllOf(HasSubstr(":2: DefaultDistro: "), HasSubstr(":4: Env.b: "),
                          HasSubstr("2 keys can't be taken, so nothing was changed"),
                          Not(HasSubstr("\x1b"))));
  EXPECT_THAT(server_.changes(), IsEmpty());
  EXPECT_EQ(Ctl({"import", "autopxe", FileWith("nothing")}), kExitRefused);
  EXPECT_THAT(err_, HasSubstr("config.yaml:1: expected keys"));
}

TEST_F(AutopxectlTest, VersionTellsBoth) {
  EXPECT_EQ(Ctl({"version"}), kExitOk);
  EXPECT_THAT(out_, MatchesRegex("autopxectl [0-9.]+\nautopxe-server 9.8.7 at 127.0.0.1:[0-9]+\n"));
  EXPECT_EQ(Ctl({"version", "--server", "127.0.0.1:1"}), kExitUnreachable);
  EXPECT_THAT(out_, MatchesRegex("autopxectl [0-9.]+\n"));
  EXPECT_EQ(Ctl({"version", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("\"autopxe-server\": \"9.8.7\""));
}

}  // namespace
}  // namespace autopxe::ctl
