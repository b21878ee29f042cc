#include "tests/model/explained_site.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/base/internal/raw_logging.h"
#include "absl/strings/str_cat.h"
#include "agent/http/test_client.h"
#include "agent/tftp/packet.h"
#include "agent/tftp/test_client.h"
#include "common/model/name.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "tests/model/random_configuration.h"

namespace autopxe::tests {
namespace {

// None of it is used when all is well.
constexpr absl::Duration kPatience = absl::Seconds(60);

template <typename T>
T Require(absl::StatusOr<T> value) {
  ABSL_RAW_CHECK(value.ok(), value.status().ToString().c_str());
  return *std::move(value);
}

void Require(const grpc::Status& status) {
  ABSL_RAW_CHECK(status.ok(), status.error_message().c_str());
}

IpEndpoint At(const std::string& address, uint16_t port) {
  return {Require(IpAddress::Parse(address)), port};
}

// Asks again and again; each question waits for the server's answer.
void Await(const std::function<bool()>& is_so) {
  const SystemClock clock;
  const absl::Duration end = clock.Monotonic() + kPatience;
  while (!is_so()) ABSL_RAW_CHECK(clock.Monotonic() < end, "the agents do not follow");
}

}  // namespace

ExplainedSite::ExplainedSite() {
  server_ = Require(server::Server::Open({.listen = {At("127.0.0.1", 0)},
                                          .database = folder_.File("autopxe.db"),
                                          .log_level = LogLevel::kError,
                                          .keep_history = absl::ZeroDuration(),
                                          .shutdown_grace = kPatience},
                                         clock_));
  const auto channel =
      grpc::CreateChannel(absl::StrCat("ipv4:", server_->listening().front().Format()),
                          grpc::InsecureChannelCredentials());
  configuration_ = v1::ConfigurationService::NewStub(channel);
  decisions_ = v1::DecisionService::NewStub(channel);
  agent_service_ = v1::AgentService::NewStub(channel);
  auto one_kernel = std::make_unique<agent::TestTree>();
  one_kernel->AddKernel("debian/bookworm", "6.1.0-25-amd64");
  AddAgent("anywhere", "0.0.0.0", "", "", std::move(one_kernel));
  AddAgent("far", "0.0.0.0", "10.77.1.1", "", std::make_unique<agent::TestTree>());
  auto many_kernels = std::make_unique<agent::TestTree>();
  many_kernels->AddKernel("debian/bookworm", "6.1.0-25-amd64");
  many_kernels->AddKernel("debian/bookworm", "6.1.0-26-amd64");
  many_kernels->AddKernel("ubuntu/jammy", "5.15.0-91-generic");
  many_kernels->Link("rootfs/debian/stable", "bookworm");
  AddAgent("here", "127.0.0.1", "", "d-i/linux", std::move(many_kernels));
  Await([&] {
    return std::all_of(agents_.begin(), agents_.end(), [&](const OneAgent& one) {
      v1::ExplainRequest request;
      request.set_host("525400000100");
      request.set_agent_id(one.id);
      grpc::ClientContext context;
      v1::ExplainResponse response;
      return decisions_->Explain(&context, request, &response).ok() && response.has_catalog();
    });
  });
}

ExplainedSite::~ExplainedSite() { agents_.clear(); }

void ExplainedSite::AddAgent(const std::string& id, const std::string& listen,
                             const std::string& advertise, const std::string& lacks,
                             std::unique_ptr<agent::TestTree> tree) {
  for (const std::string& file : PlainFiles()) {
    if (file != lacks) tree->Write("files/" + file, file);
  }
  OneAgent one{.id = id,
               .asked_at = {"127.0.0.1"},
               .lacks = lacks,
               .says_where = !advertise.empty() || listen != "0.0.0.0",
               .tree = std::move(tree),
               .running = nullptr};
  if (listen == "0.0.0.0") one.asked_at.push_back("127.0.0.2");
  agent::Config config{.id = Require(AgentId::Parse(id)),
                       .server = server_->listening().front().Format(),
                       .rootfs_folder = one.tree->rootfs(),
                       .loaders_folder = one.tree->loaders(),
                       .files_folder = one.tree->files(),
                       .state_folder = one.tree->folder() + "/state",
                       .tftp_listen = {At(listen, 0)},
                       .http_listen = {At(listen, 0)},
                       .advertise = absl::nullopt};
  if (!advertise.empty()) config.advertise = Require(IpAddress::Parse(advertise));
  one.running = Require(agent::Agent::Start(config));
  agents_.push_back(std::move(one));
}

v1::ListAgentsResponse ExplainedSite::ListAgents() {
  grpc::ClientContext context;
  v1::ListAgentsResponse response;
  Require(agent_service_->ListAgents(&context, v1::ListAgentsRequest(), &response));
  return response;
}

void ExplainedSite::Apply(const v1::ApplyRequest& request) {
  clock_.hours_back = 24;
  grpc::ClientContext context;
  v1::ApplyResponse response;
  const grpc::Status status = configuration_->Apply(&context, request, &response);
  clock_.hours_back = 0;
  Require(status);
  Settle();
}

void ExplainedSite::Settle() {
  Await([&] {
    const v1::ListAgentsResponse response = ListAgents();
    return response.agents_size() == static_cast<int>(agents_.size()) &&
           std::all_of(response.agents().begin(), response.agents().end(),
                       [](const v1::Agent& agent) {
                         return agent.state() == v1::AGENT_STATE_CURRENT && agent.lag() == 0;
                       });
  });
}

void ExplainedSite::AwaitKernels(const std::string& agent, int kernels) {
  Await([&] {
    const v1::ListAgentsResponse response = ListAgents();
    return std::any_of(
        response.agents().begin(), response.agents().end(),
        [&](const v1::Agent& one) { return one.id() == agent && one.kernels() == kernels; });
  });
}

void ExplainedSite::AwaitUse(const std::string& host) {
  Await([&] { return !GetHost(host).has_next_boot(); });
  Settle();
}

v1::ExplainResponse ExplainedSite::Explain(const v1::ExplainRequest& request) {
  grpc::ClientContext context;
  v1::ExplainResponse response;
  Require(decisions_->Explain(&context, request, &response));
  return response;
}

v1::Host ExplainedSite::GetHost(const std::string& host) {
  grpc::ClientContext context;
  v1::GetHostRequest request;
  request.set_host(host);
  v1::Host response;
  Require(configuration_->GetHost(&context, request, &response));
  return response;
}

std::string ExplainedSite::ByHttp(const OneAgent& agent, const std::string& asked_at,
                                  const std::string& path) {
  agent::HttpTestClient client(At(asked_at, agent.running->http_endpoints().front().port));
  client.Send(absl::StrCat("GET /", path, " HTTP/1.1\r\nHost: agent\r\n\r\n"));
  const agent::HttpTestClient::Answer answer = client.Read();
  ABSL_RAW_CHECK(answer.status == 200 || answer.status == 0, path.c_str());
  return answer.body;
}

std::string ExplainedSite::ByTftp(const OneAgent& agent, const std::string& asked_at,
                                  const std::string& path) {
  agent::tftp::TestClient client;
  return Require(client.Fetch(
      At(asked_at, agent.running->tftp_endpoints().front().port),
      {.path = path, .mode = agent::tftp::Mode::kOctet, .options = {{"blksize", "1428"}}}));
}

}  // namespace autopxe::tests
