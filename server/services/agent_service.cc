#include "server/services/agent_service.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "common/model/kernel_move.h"
#include "common/model/mutation.h"
#include "common/runtime/log_line.h"
#include "common/status/grpc_status.h"
#include "common/status/status_macros.h"
#include "common/wire/agent_status_wire.h"
#include "common/wire/catalog_wire.h"
#include "common/wire/revision_wire.h"
#include "common/wire/time_wire.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "server/services/agent_condition.h"
#include "server/services/call.h"
#include "server/services/read_error.h"

namespace autopxe::server {
namespace {

constexpr char kList[] = "agents";

struct WatchRequest {
  AgentId agent;
  AgentInstance instance;
  absl::optional<RevisionId> resume_from;
};

// A value of the field, or an error that begins with its name.
template <typename Value>
absl::StatusOr<Value> ParseNamed(absl::string_view field, const std::string& text) {
  absl::StatusOr<Value> value = Value::Parse(text);
  if (value.ok()) return value;
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", value.status().message()));
}

absl::StatusOr<WatchRequest> ParseWatchRequest(const grpc::ByteBuffer& bytes) {
  v1::WatchConfigurationRequest request;
  grpc::ByteBuffer copy(bytes);  // Deserialize consumes it; the copy shares the bytes.
  if (!grpc::SerializationTraits<v1::WatchConfigurationRequest>::Deserialize(&copy, &request)
           .ok()) {
    return absl::InvalidArgumentError("the request is not a WatchConfigurationRequest");
  }
  ASSIGN_OR_RETURN(AgentId agent, ParseNamed<AgentId>("agent_id", request.agent_id()));
  ASSIGN_OR_RETURN(AgentInstance instance,
                   ParseNamed<AgentInstance>("instance", request.instance()));
  WatchRequest parsed{std::move(agent), std::move(instance), absl::nullopt};
  // Whatever can't be a revision of this server is answered as one that isn't: with a snapshot.
  if (request.has_resume_from()) {
    absl::StatusOr<RevisionId> position = FromProto(request.resume_from());
    if (position.ok()) parsed.resume_from = *position;
  }
  return parsed;
}

// A watch that ends before it begins.
class RefusedWatch final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit RefusedWatch(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

// Of ReportUsedNextBootsRequest.used.
constexpr int kMaxUses = 1'000;

// Errors: INVALID_ARGUMENT; the message begins with the field.
absl::StatusOr<std::vector<NextBootUse>> ParseUses(const AgentId& agent,
                                                   const v1::ReportUsedNextBootsRequest& request) {
  if (request.used_size() > kMaxUses) {
    return absl::InvalidArgumentError(
        absl::StrCat("used: expected ", kMaxUses, " at most, got ", request.used_size()));
  }
  std::vector<NextBootUse> uses;
  for (int i = 0; i < request.used_size(); ++i) {
    const v1::UsedNextBoot& used = request.used(i);
    const std::string field = absl::StrCat("used[", i, "]");
    if (used.host_id() < 1 || used.token() < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ": expected a host_id and a token above 0, got ", used.host_id(),
                       " and ", used.token()));
    }
    ASSIGN_OR_RETURN(const absl::Time time, FromProto(used.time(), absl::StrCat(field, ".time")));
    uses.push_back({.agent = agent,
                    .host = HostId{used.host_id()},
                    .token = used.token(),
                    .time = time,
                    .distro = ""});
  }
  return uses;
}

// What takes them away.
WriteRequest RequestOf(const std::vector<NextBootUse>& uses, const AgentId& agent,
                       const std::string& origin) {
  WriteRequest request;
  for (const NextBootUse& use : uses) {
    request.batch.mutations.push_back(UseNextBoot{.host = use.host, .token = use.token});
  }
  request.user = absl::StrCat("agent ", agent.text());
  request.origin = origin;
  return request;
}

// A tree that was exchanged as a whole must not flood the log.
constexpr size_t kMaxLoggedMoves = 100;

void LogMoves(const AgentId& agent, const std::vector<CountedMove>& moves) {
  for (size_t i = 0; i < std::min(moves.size(), kMaxLoggedMoves); ++i) {
    LogLine("kernel-moved")
        .Add("agent", agent.text())
        .Add("kernel", moves[i].move.Format())
        .Add("from", moves[i].move.version_before)
        .Add("to", moves[i].move.version_after)
        .Add("hosts", moves[i].hosts)
        .Info();
  }
}

}  // namespace

AgentService::AgentService(ReportSink sink, CurrentCatalogsFn catalogs, AgentRegistry& registry,
                           WatchHub& watches, const Feed& feed, const Clock& clock)
    : sink_(std::move(sink)),
      catalogs_(std::move(catalogs)),
      registry_(registry),
      watches_(watches),
      feed_(feed),
      clock_(clock) {}

grpc::ServerUnaryReactor* AgentService::ListAgents(grpc::CallbackServerContext* context,
                                                   const v1::ListAgentsRequest* request,
                                                   v1::ListAgentsResponse* response) {
  const Call call("ListAgents", context, clock_);
  const absl::StatusOr<Page> page = ParsePage(kList, request->page_size(), request->page_token());
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  // How far an agent is behind may have to be looked up on the disk.
  calls_.Queue([this, call, page = *page, response] {
    FillList(page, *response);
    call.Finish(grpc::Status::OK);
  });
  return call.reactor();
}

void AgentService::FillList(const Page& page, v1::ListAgentsResponse& response) const {
  const std::shared_ptr<const Catalogs> catalogs = catalogs_();
  const std::vector<AgentRegistry::Entry> entries = registry_.List(page.after, page.size + 1);
  const RevisionId current = feed_.Current()->revision().id;
  const absl::Time now = clock_.Now();
  size_t bytes = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (page.IsFull(i, bytes)) {
      response.set_next_page_token(FormatPageToken(kList, entries[i - 1].id.text()));
      break;
    }
    v1::Agent& agent = *response.add_agents();
    FillAgent(entries[i], current, now, agent);
    if (const auto catalog = catalogs->find(entries[i].id); catalog != catalogs->end()) {
      agent.set_kernels(static_cast<int32_t>(catalog->second->KernelCount()));
    }
    bytes += agent.ByteSizeLong();
  }
  *response.mutable_revision() = ToProto(current);
  *response.mutable_time() = ToProto(now);
}

void AgentService::FillAgent(const AgentRegistry::Entry& entry, const RevisionId& current,
                             absl::Time now, v1::Agent& agent) const {
  const int64_t lag = feed_.Lag(entry.status.has_value() ? entry.status->applied : RevisionId());
  const AgentCondition condition = BuildAgentCondition(entry, lag, current.number, now);
  agent.set_id(entry.id.text());
  if (entry.status.has_value()) *agent.mutable_status() = ToProto(*entry.status);
  agent.set_connected(entry.watches > 0);
  agent.set_watches(entry.watches);
  agent.set_lag(lag);
  *agent.mutable_last_seen() = ToProto(entry.last_seen);
  agent.set_state(condition.state);
  for (const std::string& reason : condition.reasons) agent.add_reasons(reason);
  if (condition.view_time.has_value()) *agent.mutable_view_time() = ToProto(*condition.view_time);
}

grpc::ServerUnaryReactor* AgentService::DeleteAgent(grpc::CallbackServerContext* context,
                                                    const v1::DeleteAgentRequest* request,
                                                    v1::DeleteAgentResponse*) {
  const Call call("DeleteAgent", context, clock_);
  const absl::StatusOr<AgentId> agent = ParseNamed<AgentId>("agent_id", request->agent_id());
  if (!agent.ok()) return call.Finish(Malformed("agent_id", request->agent_id(), agent.status()));
  absl::MutexLock lock(&reports_mutex_);
  if (const absl::Status status = registry_.Remove(*agent); !status.ok()) {
    return call.Finish(ToGrpcStatus(status));
  }
  sink_.forget(*agent, [call, id = agent->text()](const absl::Status& status) {
    LogLine line("agent-deleted");
    line.Add("agent", id).Add("origin", call.origin());
    if (status.ok()) {
      line.Info();
    } else {
      line.Add("error", std::string(status.message())).Warn();
    }
    call.Finish(ToGrpcStatus(status));
  });
  return call.reactor();
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* AgentService::WatchConfiguration(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  absl::StatusOr<WatchRequest> parsed = ParseWatchRequest(*request);
  const std::string origin = context->peer();
  if (!parsed.ok()) {
    LogLine("watch-refused")
        .Add("origin", origin)
        .Add("error", std::string(parsed.status().message()))
        .Warn();
    return new RefusedWatch(ToGrpcStatus(parsed.status()));
  }
  const WatchRequest watch = *std::move(parsed);
  if (registry_.WatchBegan(watch.agent, watch.instance)) {
    LogLine("agent-id-shared")
        .Add("agent", watch.agent.text())
        .Add("instance", watch.instance.text())
        .Add("origin", origin)
        .Add("remedy", "give each agent an id of its own")
        .Warn();
  }
  LogLine began("watch-began");
  began.Add("agent", watch.agent.text()).Add("origin", origin);
  if (watch.resume_from.has_value()) began.Add("from", watch.resume_from->Format());
  began.Info();
  if (watch.resume_from.has_value() && watch.resume_from->number > 0 &&
      feed_.Current()->revision().id.number == 0) {
    LogLine("database-empty")
        .Add("agent", watch.agent.text())
        .Add("agent_keeps", watch.resume_from->Format())
        .Add("remedy", "restore a backup, or configure this server anew: then its agents follow")
        .Warn();
  }
  return watches_.Start(watch.resume_from, [this, watch, origin](const Watch::Summary& summary) {
    sink_.save_last_seen(watch.agent);  // First: while it watches it can't be deleted.
    registry_.WatchEnded(watch.agent, watch.instance);
    LogLine line("watch");
    line.Add("agent", watch.agent.text()).Add("origin", origin);
    line.Add("snapshots", summary.snapshots).Add("changes", summary.changes);
    if (summary.position.has_value()) line.Add("sent", summary.position->Format());
    line.Add("duration_ms", absl::ToInt64Milliseconds(summary.duration)).Info();
  });
}

grpc::ServerUnaryReactor* AgentService::ReportStatus(grpc::CallbackServerContext* context,
                                                     const v1::ReportStatusRequest* request,
                                                     v1::ReportStatusResponse* response) {
  const Call call("ReportStatus", context, clock_);
  const absl::StatusOr<AgentId> agent = ParseNamed<AgentId>("agent_id", request->agent_id());
  if (!agent.ok()) return call.Finish(Malformed("agent_id", request->agent_id(), agent.status()));
  const absl::StatusOr<AgentStatus> status = FromProto(request->status());
  if (!status.ok()) return call.Finish(Malformed("status", "", status.status()));
  {
    absl::MutexLock lock(&reports_mutex_);
    const AgentRegistry::Answer answer = registry_.Report(*agent, *status);
    response->set_watches(answer.watches);
    response->set_catalog_wanted(answer.catalog_wanted);
    sink_.save_status(*agent, *status, clock_.Now());
  }
  return call.Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* AgentService::ReportUsedNextBoots(
    grpc::CallbackServerContext* context, const v1::ReportUsedNextBootsRequest* request,
    v1::ReportUsedNextBootsResponse*) {
  const Call call("ReportUsedNextBoots", context, clock_);
  const absl::StatusOr<AgentId> agent = ParseNamed<AgentId>("agent_id", request->agent_id());
  if (!agent.ok()) return call.Finish(Malformed("agent_id", request->agent_id(), agent.status()));
  absl::StatusOr<std::vector<NextBootUse>> uses = ParseUses(*agent, *request);
  if (!uses.ok()) return call.Finish(Malformed("used", "", uses.status()));
  registry_.Seen(*agent);
  if (uses->empty()) return call.Finish(grpc::Status::OK);
  WriteRequest write = RequestOf(*uses, *agent, call.origin());
  Call::Write line{.user = write.user,
                   .request_id = "",
                   .revision = "",
                   .mutations = request->used_size(),
                   .validate_only = false};
  TakeUses(*std::move(uses));
  sink_.apply(std::move(write), [call, line](const WriteOutcome& outcome) mutable {
    if (const auto* result = std::get_if<WriteResult>(&outcome)) {
      line.revision = result->revision.id.Format();
      call.Finish(grpc::Status::OK, line);
    } else if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
      call.Finish(ToGrpcStatus(refusal->code, refusal->message, refusal->problems), line);
    } else {
      call.Finish(ToGrpcStatus(std::get<absl::Status>(outcome)), line);
    }
  });
  return call.reactor();
}

void AgentService::TakeUses(std::vector<NextBootUse> uses) {
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  for (NextBootUse& use : uses) {
    const std::shared_ptr<const Host> host = snapshot->FindHost(use.host);
    if (host == nullptr || !host->next.has_value() || host->next->token != use.token) continue;
    use.distro = host->next->distro.Format();
  }
  for (const std::vector<NextBootUse>& same : sink_.save_uses(std::move(uses))) {
    const std::shared_ptr<const Host> host = snapshot->FindHost(same.front().host);
    LogLine("next-boot-used-twice")
        .Add("host", host != nullptr ? host->name.text()
                                     : absl::StrCat("id ", static_cast<int64_t>(same.front().host)))
        .Add("distro", same.front().distro)
        .Add("agents", absl::StrJoin(same, ",",
                                     [](std::string* out, const NextBootUse& use) {
                                       absl::StrAppend(out, use.agent.text());
                                     }))
        .Warn();
  }
}

grpc::ServerUnaryReactor* AgentService::ReportCatalog(grpc::CallbackServerContext* context,
                                                      const v1::ReportCatalogRequest* request,
                                                      v1::ReportCatalogResponse*) {
  const Call call("ReportCatalog", context, clock_);
  const absl::StatusOr<AgentId> agent = ParseNamed<AgentId>("agent_id", request->agent_id());
  if (!agent.ok()) return call.Finish(Malformed("agent_id", request->agent_id(), agent.status()));
  absl::optional<AgentInstance> instance;
  if (!request->instance().empty()) {
    absl::StatusOr<AgentInstance> parsed =
        ParseNamed<AgentInstance>("instance", request->instance());
    if (!parsed.ok()) {
      return call.Finish(Malformed("instance", request->instance(), parsed.status()));
    }
    instance = *std::move(parsed);
  }
  absl::StatusOr<Catalog> catalog = FromProto(request->catalog());
  if (!catalog.ok()) return call.Finish(Malformed("catalog", "", catalog.status()));
  // Whom a move affects is counted over all hosts.
  calls_.Queue([this, call, agent = *agent, instance = std::move(instance),
                catalog = *std::move(catalog)]() mutable {
    TakeCatalog(agent, instance, std::move(catalog));
    call.Finish(grpc::Status::OK);
  });
  return call.reactor();
}

void AgentService::TakeCatalog(const AgentId& agent, const absl::optional<AgentInstance>& instance,
                               Catalog catalog) {
  std::vector<CountedMove> moves;
  const std::shared_ptr<const Catalogs> catalogs = catalogs_();
  if (const auto before = catalogs->find(agent); before != catalogs->end()) {
    moves = CountHosts(*feed_.Current(), agent, FindKernelMoves(*before->second, catalog));
  }
  LogMoves(agent, moves);
  absl::MutexLock lock(&reports_mutex_);
  registry_.CatalogReported(agent, instance);
  sink_.save_catalog(agent, std::make_shared<const Catalog>(std::move(catalog)), std::move(moves));
}

}  // namespace autopxe::server
