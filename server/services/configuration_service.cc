#include "server/services/configuration_service.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "common/status/grpc_status.h"
#include "common/status/problem.h"
#include "common/wire/agent_settings_wire.h"
#include "common/wire/batch_wire.h"
#include "common/wire/host_wire.h"
#include "common/wire/profile_wire.h"
#include "common/wire/revision_wire.h"
#include "common/wire/settings_wire.h"
#include "server/services/page.h"

namespace autopxe::server {
namespace {

// A read that names something which does not parse, or is not there.
grpc::Status ReadError(absl::StatusCode code, Reason reason, absl::string_view field,
                       const std::string& value, const std::string& message) {
  Problem problem;
  problem.reason = reason;
  problem.field = std::string(field);
  problem.value = value;
  problem.message = message;
  return ToGrpcStatus(code, message, {problem});
}

grpc::Status Malformed(absl::string_view field, const std::string& value,
                       const absl::Status& error) {
  return ReadError(absl::StatusCode::kInvalidArgument, Reason::kMalformed, field, value,
                   std::string(error.message()));
}

void Fill(const WriteResult& result, v1::ApplyResponse* response) {
  *response->mutable_revision() = ToProto(result.revision);
  for (const Difference& difference : result.differences) {
    v1::Difference* out = response->add_differences();
    out->set_kind(difference.kind);
    out->set_name(difference.name);
    out->set_field(difference.field);
    out->set_before(difference.before);
    out->set_after(difference.after);
  }
  for (const std::string& warning : result.warnings) response->add_warnings(warning);
  response->set_replayed(result.replayed);
}

// What the caller gets: `response` is filled if it is OK.
grpc::Status StatusOf(const WriteOutcome& outcome, v1::ApplyResponse* response) {
  if (const auto* result = std::get_if<WriteResult>(&outcome)) {
    Fill(*result, response);
    return grpc::Status::OK;
  }
  if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
    return ToGrpcStatus(refusal->code, refusal->message, refusal->problems);
  }
  return ToGrpcStatus(std::get<absl::Status>(outcome));
}

}  // namespace

ConfigurationService::ConfigurationService(ApplyFn apply, const Feed& feed, const Clock& clock)
    : apply_(std::move(apply)), feed_(feed), clock_(clock) {}

grpc::ServerUnaryReactor* ConfigurationService::Write(const Call& call, const Mutations& mutations,
                                                      const v1::RequestOptions& options,
                                                      v1::ApplyResponse* response) {
  Call::Write write{.user = options.user(),
                    .request_id = options.request_id(),
                    .revision = "",
                    .mutations = mutations.size(),
                    .validate_only = options.validate_only()};
  std::vector<Problem> problems;
  absl::StatusOr<Batch> batch = BatchFromProto(mutations, options, problems);
  if (!batch.ok()) {
    return call.Finish(ToGrpcStatus(batch.status().code(), batch.status().message(), problems),
                       write);
  }
  WriteRequest request;
  request.batch = *std::move(batch);
  request.validate_only = options.validate_only();
  request.user = options.user();
  request.origin = call.origin();
  request.request_id = options.request_id();
  if (!request.request_id.empty()) request.request_digest = RequestDigest(mutations, options);
  // gRPC keeps `response` until the reactor has finished.
  apply_(std::move(request), [call, write, response](const WriteOutcome& outcome) mutable {
    const grpc::Status status = StatusOf(outcome, response);
    if (status.ok()) write.revision = std::get<WriteResult>(outcome).revision.id.Format();
    call.Finish(status, write);
  });
  return call.reactor();
}

grpc::ServerUnaryReactor* ConfigurationService::Apply(grpc::CallbackServerContext* context,
                                                      const v1::ApplyRequest* request,
                                                      v1::ApplyResponse* response) {
  return Write(Call("Apply", context, clock_), request->mutations(), request->options(), response);
}

grpc::ServerUnaryReactor* ConfigurationService::AssignHosts(grpc::CallbackServerContext* context,
                                                            const v1::AssignHostsRequest* request,
                                                            v1::ApplyResponse* response) {
  Mutations mutations;
  mutations.Reserve(request->hosts_size());
  for (const std::string& host : request->hosts()) {
    v1::Mutation::Assign* assign = mutations.Add()->mutable_assign();
    assign->set_host(host);
    assign->set_distro(request->distro());
    assign->set_allow_missing(request->allow_missing());
  }
  return Write(Call("AssignHosts", context, clock_), mutations, request->options(), response);
}

grpc::ServerUnaryReactor* ConfigurationService::UnassignHosts(
    grpc::CallbackServerContext* context, const v1::UnassignHostsRequest* request,
    v1::ApplyResponse* response) {
  Mutations mutations;
  mutations.Reserve(request->hosts_size());
  for (const std::string& host : request->hosts()) {
    mutations.Add()->mutable_unassign()->set_host(host);
  }
  return Write(Call("UnassignHosts", context, clock_), mutations, request->options(), response);
}

grpc::ServerUnaryReactor* ConfigurationService::CreateHost(grpc::CallbackServerContext* context,
                                                           const v1::CreateHostRequest* request,
                                                           v1::ApplyResponse* response) {
  Mutations mutations;
  v1::Mutation::CreateHost* create = mutations.Add()->mutable_create_host();
  create->set_name(request->name());
  *create->mutable_macs() = request->macs();
  return Write(Call("CreateHost", context, clock_), mutations, request->options(), response);
}

grpc::ServerUnaryReactor* ConfigurationService::DeleteHosts(grpc::CallbackServerContext* context,
                                                            const v1::DeleteHostsRequest* request,
                                                            v1::ApplyResponse* response) {
  Mutations mutations;
  mutations.Reserve(request->hosts_size());
  for (const std::string& host : request->hosts()) {
    mutations.Add()->mutable_delete_host()->set_host(host);
  }
  return Write(Call("DeleteHosts", context, clock_), mutations, request->options(), response);
}

grpc::ServerUnaryReactor* ConfigurationService::SetProfile(grpc::CallbackServerContext* context,
                                                           const v1::SetProfileRequest* request,
                                                           v1::ApplyResponse* response) {
  Mutations mutations;
  v1::Mutation::SetProfile* set = mutations.Add()->mutable_set_profile();
  set->set_name(request->name());
  set->set_command_line(request->command_line());
  return Write(Call("SetProfile", context, clock_), mutations, request->options(), response);
}

grpc::ServerUnaryReactor* ConfigurationService::DeleteProfile(
    grpc::CallbackServerContext* context, const v1::DeleteProfileRequest* request,
    v1::ApplyResponse* response) {
  Mutations mutations;
  mutations.Add()->mutable_delete_profile()->set_name(request->name());
  return Write(Call("DeleteProfile", context, clock_), mutations, request->options(), response);
}

grpc::ServerUnaryReactor* ConfigurationService::UpdateSettings(
    grpc::CallbackServerContext* context, const v1::UpdateSettingsRequest* request,
    v1::ApplyResponse* response) {
  Mutations mutations;
  *mutations.Add()->mutable_update_settings() = request->update();
  return Write(Call("UpdateSettings", context, clock_), mutations, request->options(), response);
}

grpc::ServerUnaryReactor* ConfigurationService::UpdateAgentSettings(
    grpc::CallbackServerContext* context, const v1::UpdateAgentSettingsRequest* request,
    v1::ApplyResponse* response) {
  Mutations mutations;
  *mutations.Add()->mutable_update_agent_settings() = request->update();
  return Write(Call("UpdateAgentSettings", context, clock_), mutations, request->options(),
               response);
}

grpc::ServerUnaryReactor* ConfigurationService::GetHost(grpc::CallbackServerContext* context,
                                                        const v1::GetHostRequest* request,
                                                        v1::Host* response) {
  const Call call("GetHost", context, clock_);
  const absl::StatusOr<HostReference> reference = ParseHostReference(request->host());
  if (!reference.ok()) return call.Finish(Malformed("host", request->host(), reference.status()));
  const std::shared_ptr<const Host> host = feed_.Current()->FindHost(*reference);
  if (host == nullptr) {
    return call.Finish(ReadError(absl::StatusCode::kNotFound, Reason::kHostUnknown, "host",
                                 request->host(),
                                 absl::StrCat("host ", Quote(request->host()), ": no such host")));
  }
  *response = ToProto(*host);
  return call.Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigurationService::ListHosts(grpc::CallbackServerContext* context,
                                                          const v1::ListHostsRequest* request,
                                                          v1::ListHostsResponse* response) {
  const Call call("ListHosts", context, clock_);
  const absl::StatusOr<Page> page = ParsePage("hosts", request->page_size(), request->page_token());
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  const std::shared_ptr<const SortedHosts::Hosts> hosts = sorted_hosts_.Of(feed_.Current());
  auto next = std::upper_bound(hosts->begin(), hosts->end(), page->after,
                               [](const std::string& after, const std::shared_ptr<const Host>& h) {
                                 return after < h->name.text();
                               });
  size_t bytes = 0;
  for (size_t i = 0; !page->IsFull(i, bytes) && next != hosts->end(); ++i, ++next) {
    v1::Host& host = *response->add_hosts();
    host = ToProto(**next);
    bytes += host.ByteSizeLong();
  }
  if (next != hosts->end() && response->hosts_size() > 0) {
    response->set_next_page_token(FormatPageToken("hosts", response->hosts().rbegin()->name()));
  }
  return call.Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigurationService::GetProfile(grpc::CallbackServerContext* context,
                                                           const v1::GetProfileRequest* request,
                                                           v1::Profile* response) {
  const Call call("GetProfile", context, clock_);
  const absl::StatusOr<ProfileName> name = ProfileName::Parse(request->name());
  if (!name.ok()) return call.Finish(Malformed("name", request->name(), name.status()));
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  const Profile* profile = snapshot->FindProfile(*name);
  if (profile == nullptr) {
    return call.Finish(
        ReadError(absl::StatusCode::kNotFound, Reason::kProfileUnknown, "name", request->name(),
                  absl::StrCat("profile ", Quote(request->name()), ": no such profile")));
  }
  *response = ToProto(*profile);
  return call.Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigurationService::ListProfiles(grpc::CallbackServerContext* context,
                                                             const v1::ListProfilesRequest* request,
                                                             v1::ListProfilesResponse* response) {
  const Call call("ListProfiles", context, clock_);
  const absl::StatusOr<Page> page =
      ParsePage("profiles", request->page_size(), request->page_token());
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  size_t bytes = 0;
  for (const auto& [name, profile] : snapshot->profiles()) {
    if (name.text() <= page->after) continue;
    if (page->IsFull(static_cast<size_t>(response->profiles_size()), bytes)) {
      response->set_next_page_token(
          FormatPageToken("profiles", response->profiles().rbegin()->name()));
      break;
    }
    v1::Profile& added = *response->add_profiles();
    added = ToProto(profile);
    bytes += added.ByteSizeLong();
  }
  return call.Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigurationService::GetSettings(grpc::CallbackServerContext* context,
                                                            const v1::GetSettingsRequest*,
                                                            v1::Settings* response) {
  *response = ToProto(feed_.Current()->settings());
  return Call("GetSettings", context, clock_).Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigurationService::GetAgentSettings(
    grpc::CallbackServerContext* context, const v1::GetAgentSettingsRequest* request,
    v1::AgentSettings* response) {
  const Call call("GetAgentSettings", context, clock_);
  const absl::StatusOr<AgentId> agent = AgentId::Parse(request->agent_id());
  if (!agent.ok()) return call.Finish(Malformed("agent_id", request->agent_id(), agent.status()));
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  if (const AgentSettings* const settings = snapshot->FindAgentSettings(*agent)) {
    *response = ToProto(*settings);
  } else {
    response->set_agent_id(agent->text());
  }
  return call.Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigurationService::ListAgentSettings(
    grpc::CallbackServerContext* context, const v1::ListAgentSettingsRequest* request,
    v1::ListAgentSettingsResponse* response) {
  const Call call("ListAgentSettings", context, clock_);
  const absl::StatusOr<Page> page =
      ParsePage("agent_settings", request->page_size(), request->page_token());
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  size_t bytes = 0;
  for (const auto& [agent, settings] : snapshot->agent_settings()) {
    if (agent.text() <= page->after) continue;
    if (page->IsFull(static_cast<size_t>(response->agents_size()), bytes)) {
      response->set_next_page_token(
          FormatPageToken("agent_settings", response->agents().rbegin()->agent_id()));
      break;
    }
    v1::AgentSettings& added = *response->add_agents();
    added = ToProto(settings);
    bytes += added.ByteSizeLong();
  }
  return call.Finish(grpc::Status::OK);
}

}  // namespace autopxe::server
