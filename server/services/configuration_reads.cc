// What ConfigurationService reads of the current snapshot.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/grpc_status.h"
#include "common/wire/agent_settings_wire.h"
#include "common/wire/declared_distro_wire.h"
#include "common/wire/group_wire.h"
#include "common/wire/host_wire.h"
#include "common/wire/profile_wire.h"
#include "common/wire/settings_wire.h"
#include "server/services/configuration_service.h"
#include "server/services/host_page.h"
#include "server/services/page.h"
#include "server/services/read_error.h"
#include "server/services/unknown_name.h"

namespace autopxe::server {
namespace {

constexpr char kHosts[] = "hosts";

absl::Status NoToken() {
  return absl::InvalidArgumentError("page_token: not one that this server gave");
}

// Where a list of groups goes on: behind a group that may be gone.
struct GroupPlace {
  bool is_start = true;
  int32_t priority = 0;
  std::string name;

  bool IsBefore(const Group& group) const {
    if (is_start) return true;
    if (group.priority != priority) return group.priority < priority;
    return name < group.name.text();
  }
};

// Of "<priority> <name>"; the start for an empty text.
absl::StatusOr<GroupPlace> ParseGroupPlace(absl::string_view text) {
  GroupPlace place;
  if (text.empty()) return place;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(' ', 1));
  if (!absl::SimpleAtoi(parts.first, &place.priority)) return NoToken();
  place.is_start = false;
  place.name = std::string(parts.second);
  return place;
}

}  // namespace

grpc::ServerUnaryReactor* ConfigurationService::GetHost(grpc::CallbackServerContext* context,
                                                        const v1::GetHostRequest* request,
                                                        v1::Host* response) {
  const Call call("GetHost", context, clock_);
  const absl::StatusOr<HostReference> reference = ParseHostReference(request->host());
  if (!reference.ok()) return call.Finish(Malformed("host", request->host(), reference.status()));
  const std::shared_ptr<const Host> host = feed_.Current()->FindHost(*reference);
  if (host == nullptr) {
    host_calls_.Queue([this, call, reference = *reference] {
      call.Finish(UnknownHost(*feed_.Current(), reference));
    });
    return call.reactor();
  }
  *response = ToProto(*host);
  return call.Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigurationService::ListHosts(grpc::CallbackServerContext* context,
                                                          const v1::ListHostsRequest* request,
                                                          v1::ListHostsResponse* response) {
  const Call call("ListHosts", context, clock_);
  // The first page of a revision sorts all hosts, and each may look at thousands. gRPC keeps both
  // until the reactor has finished.
  host_calls_.Queue(
      [this, call, request, response] { call.Finish(FillHosts(*request, *response)); });
  return call.reactor();
}

grpc::Status ConfigurationService::FillHosts(const v1::ListHostsRequest& request,
                                             v1::ListHostsResponse& response) {
  const absl::StatusOr<Page> page = ParsePage(kHosts, request.page_size(), request.page_token());
  if (!page.ok()) return ToGrpcStatus(page.status());
  const absl::StatusOr<absl::optional<Selector>> selector = ParseSelector(request.selector());
  if (!selector.ok()) return Malformed("selector", request.selector(), selector.status());
  const absl::StatusOr<std::vector<HostReference>> named = ParseHostsNamed(request.hosts());
  if (!named.ok()) return Malformed("hosts", "", named.status());
  const auto add = [&](const Host& host) {
    v1::Host& added = *response.add_hosts();
    added = ToProto(host);
    return added.ByteSizeLong();
  };
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  std::string next;
  if (named->empty()) {
    next = VisitPage(*sorted_hosts_.Of(snapshot), *page, *selector, add);
  } else {
    absl::StatusOr<std::string> next_named = VisitNamedPage(
        *snapshot, *named, *page, *selector, [&](const HostReference&, const Host* host) -> size_t {
          return host == nullptr ? 0 : add(*host);
        });
    if (!next_named.ok()) return ToGrpcStatus(next_named.status());
    next = *std::move(next_named);
  }
  if (!next.empty()) response.set_next_page_token(FormatPageToken(kHosts, next));
  return grpc::Status::OK;
}

grpc::ServerUnaryReactor* ConfigurationService::GetGroup(grpc::CallbackServerContext* context,
                                                         const v1::GetGroupRequest* request,
                                                         v1::Group* response) {
  const Call call("GetGroup", context, clock_);
  const absl::StatusOr<GroupName> name = GroupName::Parse(request->name());
  if (!name.ok()) return call.Finish(Malformed("name", request->name(), name.status()));
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  const std::shared_ptr<const Group> group = snapshot->FindGroup(*name);
  if (group == nullptr) return call.Finish(UnknownGroup(*snapshot, *name));
  *response = ToProto(*group);
  return call.Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigurationService::ListGroups(grpc::CallbackServerContext* context,
                                                           const v1::ListGroupsRequest* request,
                                                           v1::ListGroupsResponse* response) {
  const Call call("ListGroups", context, clock_);
  const absl::StatusOr<Page> page =
      ParsePage("groups", request->page_size(), request->page_token());
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  const absl::StatusOr<GroupPlace> after = ParseGroupPlace(page->after);
  if (!after.ok()) return call.Finish(ToGrpcStatus(after.status()));
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  size_t bytes = 0;
  for (const std::shared_ptr<const Group>& group : snapshot->groups()) {
    if (!after->IsBefore(*group)) continue;
    if (page->IsFull(static_cast<size_t>(response->groups_size()), bytes)) {
      const v1::Group& last = *response->groups().rbegin();
      response->set_next_page_token(
          FormatPageToken("groups", absl::StrCat(last.priority(), " ", last.name())));
      break;
    }
    v1::Group& added = *response->add_groups();
    added = ToProto(*group);
    bytes += added.ByteSizeLong();
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
  if (profile == nullptr) return call.Finish(UnknownProfile(*snapshot, *name));
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

grpc::ServerUnaryReactor* ConfigurationService::GetDeclaredDistro(
    grpc::CallbackServerContext* context, const v1::GetDeclaredDistroRequest* request,
    v1::DeclaredDistro* response) {
  const Call call("GetDeclaredDistro", context, clock_);
  const absl::StatusOr<DistroName> name = DistroName::Parse(request->name());
  if (!name.ok()) return call.Finish(Malformed("name", request->name(), name.status()));
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  const auto distro = snapshot->FindDeclaredDistro(*name);
  if (distro == nullptr) return call.Finish(UnknownDeclaredDistro(*snapshot, *name));
  *response = ToProto(*distro);
  return call.Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigurationService::ListDeclaredDistros(
    grpc::CallbackServerContext* context, const v1::ListDeclaredDistrosRequest* request,
    v1::ListDeclaredDistrosResponse* response) {
  const Call call("ListDeclaredDistros", context, clock_);
  const absl::StatusOr<Page> page =
      ParsePage("declared_distros", request->page_size(), request->page_token());
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  size_t bytes = 0;
  for (const auto& [name, distro] : snapshot->declared_distros()) {
    if (name.text() <= page->after) continue;
    if (page->IsFull(static_cast<size_t>(response->declared_distros_size()), bytes)) {
      response->set_next_page_token(
          FormatPageToken("declared_distros", response->declared_distros().rbegin()->name()));
      break;
    }
    v1::DeclaredDistro& added = *response->add_declared_distros();
    added = ToProto(*distro);
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
