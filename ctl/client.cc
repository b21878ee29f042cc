#include "ctl/client.h"

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "autopxe/v1/catalog.grpc.pb.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "autopxe/v1/decision.grpc.pb.h"
#include "autopxe/v1/maintenance.grpc.pb.h"
#include "common/digest/sha256.h"
#include "common/model/quote.h"
#include "common/status/grpc_status.h"
#include "common/status/status_macros.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace autopxe::ctl {
namespace {

// A batch of 100,000 mutations takes a few seconds.
constexpr std::chrono::seconds kDeadline(30);
// How long a server that is just being restarted may take.
constexpr std::chrono::seconds kReconnect(1);
// A stream has no deadline: a server that is gone without a word is noticed by pings instead.
constexpr int kKeepaliveMs = 20'000;
constexpr int kPageSize = 1000;  // And as many hosts as a list may be asked for at once.
constexpr int kMaxMessage = 64 << 20;

// What autopxe-server calls itself in the headers of its answers.
constexpr char kVersionHeader[] = "autopxe-version";

std::shared_ptr<grpc::Channel> BuildChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessage);
  arguments.SetMaxSendMessageSize(kMaxMessage);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  // A proxy in the environment is for the web.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(absl::StrCat("dns:///", address),
                                   grpc::InsecureChannelCredentials(), arguments);
}

// The server's error, with what to do about it.
absl::Status ErrorOf(const std::string& address, const grpc::Status& status,
                     const std::vector<Problem>& problems) {
  absl::Status error = ToAbslStatus(status);
  std::string message(error.message());
  if (absl::IsUnavailable(error)) {
    message = absl::StrCat("server ", address, " is not available: ", message,
                           "; check that autopxe-server runs there, or name another with --server");
  } else if (absl::IsDeadlineExceeded(error)) {
    message = absl::StrCat("server ", address, " did not answer within ", kDeadline.count(),
                           " s; try again, or name another with --server");
  } else if (absl::IsUnimplemented(error)) {
    message =
        absl::StrCat("server ", address,
                     " does not know this command; is it an autopxe-server of another version?");
  } else if (!problems.empty() && !problems.front().suggestions.empty() &&
             !absl::StrContains(message, problems.front().suggestions.front())) {
    absl::StrAppend(&message, "; did you mean ", Quote(problems.front().suggestions.front()), "?");
  }
  return absl::Status(error.code(), message);
}

// The response type of a stub's blocking method.
template <typename Method>
struct ResponseOf;
template <typename Stub, typename Request, typename Response>
struct ResponseOf<grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*)> {
  using type = Response;
};

}  // namespace

struct Client::Connection {
  explicit Connection(const std::string& address) : channel(BuildChannel(address)) {}

  std::shared_ptr<grpc::Channel> channel;
  v1::ConfigurationService::Stub configuration{channel};
  v1::CatalogService::Stub catalog{channel};
  v1::AgentService::Stub agents{channel};
  v1::DecisionService::Stub decisions{channel};
  v1::MaintenanceService::Stub maintenance{channel};
};

Client::Client(std::string address)
    : address_(std::move(address)), connection_(std::make_unique<Connection>(address_)) {}

Client::~Client() = default;

template <typename Stub, typename Method, typename Request>
auto Client::Call(Stub& stub, Method method, const Request& request, std::vector<Problem>* problems,
                  std::string* server_version) {
  using Response = typename ResponseOf<Method>::type;
  Response response;
  const auto call = [&] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (status.ok() && server_version != nullptr) {
      const auto& headers = context.GetServerInitialMetadata();
      if (const auto found = headers.find(kVersionHeader); found != headers.end()) {
        server_version->assign(found->second.data(), found->second.size());
      }
    }
    return status;
  };
  grpc::Status status = call();
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE &&
      connection_->channel->WaitForConnected(std::chrono::system_clock::now() + kReconnect)) {
    status = call();
  }
  if (status.ok()) return absl::StatusOr<Response>(std::move(response));
  std::vector<Problem> found = ProblemsOf(status);
  const absl::Status error = ErrorOf(address_, status, found);
  if (problems != nullptr) *problems = std::move(found);
  return absl::StatusOr<Response>(error);
}

template <typename Stub, typename Method, typename Request>
auto Client::CallForAllPages(Stub& stub, Method method, Request request) {
  using Response = typename ResponseOf<Method>::type;
  Response all;
  request.set_page_size(kPageSize);
  do {
    absl::StatusOr<Response> page = Call(stub, method, request);
    if (!page.ok()) return page;
    request.set_page_token(page->next_page_token());
    all.MergeFrom(*page);  // Appends what is repeated.
  } while (!request.page_token().empty());
  all.clear_next_page_token();
  return absl::StatusOr<Response>(std::move(all));
}

template <typename Stub, typename Method, typename Request>
auto Client::CallForHosts(Stub& stub, Method method, Request request,
                          const std::vector<std::string>& hosts) {
  using Response = typename ResponseOf<Method>::type;
  Response all;
  for (size_t next = 0; next < hosts.size();) {
    request.clear_hosts();
    for (; next < hosts.size() && request.hosts_size() < kPageSize; ++next) {
      request.add_hosts(hosts[next]);
    }
    absl::StatusOr<Response> some = CallForAllPages(stub, method, request);
    if (!some.ok()) return some;
    all.MergeFrom(*some);
  }
  return absl::StatusOr<Response>(std::move(all));
}

absl::StatusOr<v1::ApplyResponse> Client::Apply(const v1::ApplyRequest& request,
                                                std::vector<Problem>* problems) {
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::Apply, request,
              problems);
}

absl::StatusOr<v1::ApplyResponse> Client::AssignHosts(const v1::AssignHostsRequest& request) {
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::AssignHosts, request);
}

absl::StatusOr<v1::ApplyResponse> Client::UnassignHosts(const v1::UnassignHostsRequest& request) {
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::UnassignHosts, request);
}

absl::StatusOr<v1::ApplyResponse> Client::DeleteHosts(const v1::DeleteHostsRequest& request) {
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::DeleteHosts, request);
}

absl::StatusOr<v1::ApplyResponse> Client::SetProfile(const v1::SetProfileRequest& request) {
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::SetProfile, request);
}

absl::StatusOr<v1::ApplyResponse> Client::DeleteProfile(const v1::DeleteProfileRequest& request) {
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::DeleteProfile, request);
}

absl::StatusOr<v1::ApplyResponse> Client::UpdateSettings(const v1::UpdateSettingsRequest& request) {
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::UpdateSettings, request);
}

absl::StatusOr<v1::ApplyResponse> Client::UpdateAgentSettings(
    const v1::UpdateAgentSettingsRequest& request) {
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::UpdateAgentSettings,
              request);
}

absl::StatusOr<v1::Host> Client::GetHost(const std::string& host) {
  v1::GetHostRequest request;
  request.set_host(host);
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::GetHost, request);
}

absl::StatusOr<v1::Profile> Client::GetProfile(const std::string& name) {
  v1::GetProfileRequest request;
  request.set_name(name);
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::GetProfile, request);
}

absl::StatusOr<v1::DeclaredDistro> Client::GetDeclaredDistro(const std::string& name) {
  v1::GetDeclaredDistroRequest request;
  request.set_name(name);
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::GetDeclaredDistro,
              request);
}

absl::StatusOr<v1::Settings> Client::GetSettings() {
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::GetSettings,
              v1::GetSettingsRequest());
}

absl::StatusOr<v1::AgentSettings> Client::GetAgentSettings(const std::string& agent) {
  v1::GetAgentSettingsRequest request;
  request.set_agent_id(agent);
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::GetAgentSettings,
              request);
}

absl::StatusOr<v1::ListAgentSettingsResponse> Client::ListAgentSettings() {
  return CallForAllPages(connection_->configuration,
                         &v1::ConfigurationService::Stub::ListAgentSettings,
                         v1::ListAgentSettingsRequest());
}

absl::StatusOr<v1::ListHostsResponse> Client::ListHosts(const std::string& selector) {
  v1::ListHostsRequest request;
  request.set_selector(selector);
  return CallForAllPages(connection_->configuration, &v1::ConfigurationService::Stub::ListHosts,
                         request);
}

absl::StatusOr<v1::ListHostsResponse> Client::FindHosts(const std::vector<std::string>& hosts) {
  return CallForHosts(connection_->configuration, &v1::ConfigurationService::Stub::ListHosts,
                      v1::ListHostsRequest(), hosts);
}

absl::StatusOr<v1::Group> Client::GetGroup(const std::string& name) {
  v1::GetGroupRequest request;
  request.set_name(name);
  return Call(connection_->configuration, &v1::ConfigurationService::Stub::GetGroup, request);
}

absl::StatusOr<v1::ListGroupsResponse> Client::ListGroups() {
  return CallForAllPages(connection_->configuration, &v1::ConfigurationService::Stub::ListGroups,
                         v1::ListGroupsRequest());
}

absl::StatusOr<v1::ListProfilesResponse> Client::ListProfiles() {
  return CallForAllPages(connection_->configuration, &v1::ConfigurationService::Stub::ListProfiles,
                         v1::ListProfilesRequest());
}

absl::StatusOr<v1::ListHistoryResponse> Client::ListHistory(const std::string& kind,
                                                            const std::string& name, int limit) {
  v1::ListHistoryRequest request;
  request.set_kind(kind);
  request.set_name(name);
  v1::ListHistoryResponse all;
  do {
    request.set_page_size(std::min(kPageSize, limit - all.entries_size()));
    ASSIGN_OR_RETURN(
        v1::ListHistoryResponse page,
        Call(connection_->configuration, &v1::ConfigurationService::Stub::ListHistory, request));
    request.set_page_token(page.next_page_token());
    all.mutable_entries()->MergeFrom(page.entries());
    all.set_trimmed(page.trimmed());
  } while (!request.page_token().empty() && all.entries_size() < limit);
  all.set_next_page_token(request.page_token());
  return all;
}

absl::StatusOr<v1::ListDifferencesResponse> Client::ListDifferences(int64_t revision,
                                                                    const std::string& kind,
                                                                    const std::string& name) {
  v1::ListDifferencesRequest request;
  request.set_revision(revision);
  request.set_kind(kind);
  request.set_name(name);
  return CallForAllPages(connection_->configuration,
                         &v1::ConfigurationService::Stub::ListDifferences, request);
}

absl::StatusOr<v1::ExplainResponse> Client::Explain(const v1::ExplainRequest& request) {
  return Call(connection_->decisions, &v1::DecisionService::Stub::Explain, request);
}

absl::StatusOr<v1::ListDecisionsResponse> Client::ListDecisions(const std::string& selector,
                                                                const std::string& agent) {
  v1::ListDecisionsRequest request;
  request.set_selector(selector);
  request.set_agent_id(agent);
  return CallForAllPages(connection_->decisions, &v1::DecisionService::Stub::ListDecisions,
                         request);
}

absl::StatusOr<v1::ListDecisionsResponse> Client::FindDecisions(
    const std::vector<std::string>& hosts, const std::string& agent) {
  v1::ListDecisionsRequest request;
  request.set_agent_id(agent);
  return CallForHosts(connection_->decisions, &v1::DecisionService::Stub::ListDecisions, request,
                      hosts);
}

absl::StatusOr<v1::ListDistrosResponse> Client::ListDistros() {
  return CallForAllPages(connection_->catalog, &v1::CatalogService::Stub::ListDistros,
                         v1::ListDistrosRequest());
}

absl::StatusOr<v1::DeleteAgentResponse> Client::DeleteAgent(const std::string& agent) {
  v1::DeleteAgentRequest request;
  request.set_agent_id(agent);
  return Call(connection_->agents, &v1::AgentService::Stub::DeleteAgent, request);
}

absl::StatusOr<v1::ListKernelMovesResponse> Client::ListKernelMoves() {
  return CallForAllPages(connection_->catalog, &v1::CatalogService::Stub::ListKernelMoves,
                         v1::ListKernelMovesRequest());
}

absl::StatusOr<v1::ListAgentsResponse> Client::ListAgents() {
  v1::ListAgentsRequest request;
  request.set_page_size(kPageSize);
  v1::ListAgentsResponse all;
  do {
    ASSIGN_OR_RETURN(v1::ListAgentsResponse page,
                     Call(connection_->agents, &v1::AgentService::Stub::ListAgents, request));
    all.mutable_agents()->MergeFrom(page.agents());
    *all.mutable_revision() = page.revision();
    *all.mutable_time() = page.time();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

absl::StatusOr<v1::BackupBegin> Client::Backup(
    const std::function<absl::Status(absl::string_view bytes)>& write) {
  grpc::ClientContext context;
  const auto reader = connection_->maintenance.Backup(&context, v1::BackupRequest());
  absl::optional<v1::BackupBegin> begin;
  bool has_ended = false;
  int64_t size = 0;
  Sha256 sha256;
  absl::Status status;
  const auto take = [&](const v1::BackupResponse& response) -> absl::Status {
    // Begin, then chunks, then end.
    if (!has_ended && response.has_begin() == !begin.has_value()) {
      switch (response.part_case()) {
        case v1::BackupResponse::kBegin:
          begin = response.begin();
          return absl::OkStatus();
        case v1::BackupResponse::kChunk:
          size += static_cast<int64_t>(response.chunk().size());
          sha256.Add(response.chunk());
          return write(response.chunk());
        case v1::BackupResponse::kEnd:
          has_ended = size == begin->size() && response.end().sha256() == sha256.Finish();
          if (has_ended) return absl::OkStatus();
          break;
        case v1::BackupResponse::PART_NOT_SET:
          break;
      }
    }
    return absl::DataLossError("the backup did not come as it was sent; try again");
  };
  v1::BackupResponse response;
  while (status.ok() && reader->Read(&response)) status = take(response);
  if (!status.ok()) {
    context.TryCancel();
    while (reader->Read(&response)) {
    }
  }
  const grpc::Status finished = reader->Finish();
  if (!status.ok()) return status;
  if (!finished.ok()) return ErrorOf(address_, finished, ProblemsOf(finished));
  if (!has_ended) return absl::DataLossError("the backup ended early; try again");
  return *begin;
}

absl::StatusOr<std::string> Client::ServerVersion() {
  std::string version;
  const absl::StatusOr<v1::Settings> settings =
      Call(connection_->configuration, &v1::ConfigurationService::Stub::GetSettings,
           v1::GetSettingsRequest(), nullptr, &version);
  if (!settings.ok()) return settings.status();
  return version;
}

}  // namespace autopxe::ctl
