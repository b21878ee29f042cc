#include "server/services/configuration_service.h"

#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/grpc_status.h"
#include "common/status/problem.h"
#include "common/wire/batch_wire.h"
#include "common/wire/revision_wire.h"
#include "server/services/difference_encoding.h"

namespace autopxe::server {
namespace {

void Fill(const WriteResult& result, v1::ApplyResponse* response) {
  *response->mutable_revision() = ToProto(result.revision);
  for (const Difference& difference : result.differences) {
    *response->add_differences() = EncodeDifference(difference);
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

// As it came: one that is malformed is refused with the mutation that it is in.
void CopyTerm(const v1::AssignHostsRequest& request, v1::Mutation::Assign& assign) {
  switch (request.term_case()) {
    case v1::AssignHostsRequest::kNextBoot:
      assign.set_next_boot(request.next_boot());
      break;
    case v1::AssignHostsRequest::kDuration:
      *assign.mutable_duration() = request.duration();
      break;
    case v1::AssignHostsRequest::kUntil:
      *assign.mutable_until() = request.until();
      break;
    case v1::AssignHostsRequest::TERM_NOT_SET:
      break;
  }
}

}  // namespace

ConfigurationService::ConfigurationService(ApplyFn apply, HistoryReader history, const Feed& feed,
                                           const Clock& clock)
    : apply_(std::move(apply)), history_(std::move(history)), feed_(feed), clock_(clock) {}

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
    CopyTerm(*request, *assign);
  }
  return Write(Call("AssignHosts", context, clock_), mutations, request->options(), response);
}

grpc::ServerUnaryReactor* ConfigurationService::UnassignHosts(
    grpc::CallbackServerContext* context, const v1::UnassignHostsRequest* request,
    v1::ApplyResponse* response) {
  Mutations mutations;
  mutations.Reserve(request->hosts_size());
  for (const std::string& host : request->hosts()) {
    v1::Mutation::Unassign* unassign = mutations.Add()->mutable_unassign();
    unassign->set_host(host);
    unassign->set_next_boot_only(request->next_boot_only());
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

}  // namespace autopxe::server
