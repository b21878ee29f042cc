#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "autopxe/v1/catalog.grpc.pb.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "autopxe/v1/decision.grpc.pb.h"
#include "autopxe/v1/maintenance.grpc.pb.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace autopxe::ctl {

// For tests: a server that notes what it is asked, and answers what a test says.
class FakeServer final : public v1::ConfigurationService::Service,
                         public v1::CatalogService::Service,
                         public v1::AgentService::Service,
                         public v1::DecisionService::Service,
                         public v1::MaintenanceService::Service {
 public:
  FakeServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(static_cast<v1::ConfigurationService::Service*>(this));
    builder.RegisterService(static_cast<v1::CatalogService::Service*>(this));
    builder.RegisterService(static_cast<v1::AgentService::Service*>(this));
    builder.RegisterService(static_cast<v1::DecisionService::Service*>(this));
    builder.RegisterService(static_cast<v1::MaintenanceService::Service*>(this));
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

  // What was read with arguments, in its order, as text.
  std::vector<std::string> questions() const {
    absl::MutexLock lock(&mutex_);
    return questions_;
  }

  void Refuse(int count, grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    refusals_ = count;
    refusal_ = std::move(status);
  }

  v1::ApplyResponse applied;
  std::deque<v1::ListAgentsResponse> agents;  // The last one again and again.
  v1::ListDistrosResponse distros;
  std::vector<v1::DeclaredDistro> declared_distros;
  v1::ListKernelMovesResponse moves;
  v1::ListHostsResponse hosts;
  std::map<std::string, v1::ListHostsResponse> selected;  // Hosts by selector.
  v1::ListGroupsResponse groups;
  v1::ListHistoryResponse history;
  v1::ExplainResponse explanation;
  v1::ListDecisionsResponse decisions;
  v1::Settings settings;
  std::vector<v1::BackupResponse> backup;
  grpc::Status backup_status;
  v1::AgentSettings agent_settings;
  v1::ListAgentSettingsResponse agents_settings;

  grpc::Status Backup(grpc::ServerContext*, const v1::BackupRequest*,
                      grpc::ServerWriter<v1::BackupResponse>* writer) override {
    for (const v1::BackupResponse& part : backup) writer->Write(part);
    return backup_status;
  }
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
  // One agent to a page.
  grpc::Status ListAgentSettings(grpc::ServerContext*, const v1::ListAgentSettingsRequest* request,
                                 v1::ListAgentSettingsResponse* response) override {
    const int index = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    const int size = agents_settings.agents_size();
    if (index < size) *response->add_agents() = agents_settings.agents(index);
    if (index + 1 < size) response->set_next_page_token(absl::StrCat(index + 1));
    return grpc::Status::OK;
  }
  grpc::Status GetSettings(grpc::ServerContext* context, const v1::GetSettingsRequest*,
                           v1::Settings* response) override {
    context->AddInitialMetadata("autopxe-version", "9.8.7");
    *response = settings;
    return grpc::Status::OK;
  }
  // One host to a page; those that are asked for by name are one.
  grpc::Status ListHosts(grpc::ServerContext*, const v1::ListHostsRequest* request,
                         v1::ListHostsResponse* response) override {
    if (request->hosts_size() > 0) {
      Ask(*request);
      for (const std::string& name : request->hosts()) {
        for (const v1::Host& host : hosts.hosts()) {
          if (host.name() == name) *response->add_hosts() = host;
        }
      }
      return grpc::Status::OK;
    }
    const v1::ListHostsResponse& list =
        request->selector().empty() ? hosts : selected[request->selector()];
    const int index = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    if (index < list.hosts_size()) *response->add_hosts() = list.hosts(index);
    if (index + 1 < list.hosts_size()) response->set_next_page_token(absl::StrCat(index + 1));
    return grpc::Status::OK;
  }
  grpc::Status GetHost(grpc::ServerContext*, const v1::GetHostRequest* request,
                       v1::Host* response) override {
    for (const v1::Host& host : hosts.hosts()) {
      if (host.name() == request->host()) {
        *response = host;
        return grpc::Status::OK;
      }
    }
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such host");
  }
  grpc::Status GetDeclaredDistro(grpc::ServerContext*, const v1::GetDeclaredDistroRequest* request,
                                 v1::DeclaredDistro* response) override {
    for (const v1::DeclaredDistro& distro : declared_distros) {
      if (distro.name() == request->name()) {
        *response = distro;
        return grpc::Status::OK;
      }
    }
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such declared distro");
  }
  grpc::Status GetGroup(grpc::ServerContext*, const v1::GetGroupRequest* request,
                        v1::Group* response) override {
    for (const v1::Group& group : groups.groups()) {
      if (group.name() == request->name()) {
        *response = group;
        return grpc::Status::OK;
      }
    }
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such group");
  }
  grpc::Status ListGroups(grpc::ServerContext*, const v1::ListGroupsRequest*,
                          v1::ListGroupsResponse* response) override {
    *response = groups;
    return grpc::Status::OK;
  }
  // One revision to a page.
  grpc::Status ListHistory(grpc::ServerContext*, const v1::ListHistoryRequest* request,
                           v1::ListHistoryResponse* response) override {
    Ask(*request);
    const int index = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    if (index < history.entries_size()) *response->add_entries() = history.entries(index);
    if (index + 1 < history.entries_size()) {
      response->set_next_page_token(absl::StrCat(index + 1));
    } else {
      response->set_trimmed(history.trimmed());
    }
    return grpc::Status::OK;
  }
  // One difference of the revision to a page, of those of `history`.
  grpc::Status ListDifferences(grpc::ServerContext*, const v1::ListDifferencesRequest* request,
                               v1::ListDifferencesResponse* response) override {
    Ask(*request);
    for (const v1::HistoryEntry& entry : history.entries()) {
      if (entry.revision().id().number() != request->revision()) continue;
      *response->mutable_revision() = entry.revision();
      const int index = request->page_token().empty() ? 0 : std::stoi(request->page_token());
      *response->add_differences() = entry.differences(index);
      if (index + 1 < entry.differences_size()) {
        response->set_next_page_token(absl::StrCat(index + 1));
      }
      return grpc::Status::OK;
    }
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such revision");
  }
  grpc::Status Explain(grpc::ServerContext*, const v1::ExplainRequest* request,
                       v1::ExplainResponse* response) override {
    Ask(*request);
    *response = explanation;
    return grpc::Status::OK;
  }
  grpc::Status ListDecisions(grpc::ServerContext*, const v1::ListDecisionsRequest* request,
                             v1::ListDecisionsResponse* response) override {
    Ask(*request);
    if (request->hosts().empty()) *response = decisions;
    for (const std::string& name : request->hosts()) {
      for (const v1::Decision& decision : decisions.decisions()) {
        if (decision.host() == name) *response->add_decisions() = decision;
      }
    }
    return grpc::Status::OK;
  }
  grpc::Status ListDistros(grpc::ServerContext*, const v1::ListDistrosRequest*,
                           v1::ListDistrosResponse* response) override {
    *response = distros;
    return grpc::Status::OK;
  }
  grpc::Status ListKernelMoves(grpc::ServerContext*, const v1::ListKernelMovesRequest*,
                               v1::ListKernelMovesResponse* response) override {
    *response = moves;
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
  void Ask(const Request& request) {
    absl::MutexLock lock(&mutex_);
    questions_.push_back(
        absl::StrCat(request.GetDescriptor()->name(), " ", request.ShortDebugString()));
  }

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
  std::vector<std::string> questions_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> request_ids_ ABSL_GUARDED_BY(mutex_);
  int refusals_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::Status refusal_ ABSL_GUARDED_BY(mutex_);
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace autopxe::ctl
