#include "server/server.h"

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace autopxe::server {
namespace {

// A batch of 100,000 mutations, the most that Apply takes, is about 10 MiB with names of usual
// length.
constexpr int kMaxReceiveBytes = 64 << 20;

// An agent whose connection is half open is noticed within 20 s, by pings that are sent even when
// nothing else is.
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 10'000;

// Agents ping too; a peer that pings more often than this is sent away.
constexpr int kMinPingIntervalMs = 5'000;

constexpr int kMaxStreamsPerConnection = 1'000;

// Of gRPC's own synchronous services (reflection); ours hold none.
constexpr int kMaxSynchronousThreads = 16;

void LogWriterFailure(const absl::Status& status) {
  if (status.ok()) {
    LogLine("database-recovered").Info();
  } else {
    LogLine("database-failed").Add("error", status.ToString()).Error();
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Open(const Config& config, const Clock& clock) {
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store, Store::Open(config.database, clock.Now()));
  std::unique_ptr<Server> server(new Server(config, clock, std::move(store)));
  RETURN_IF_ERROR(server->Listen());
  return server;
}

Server::Server(const Config& config, const Clock& clock, std::unique_ptr<Store> store)
    : config_(config), clock_(clock), store_(std::move(store)), registry_(clock) {
  writer_ = std::make_unique<Writer>(
      store_.get(), [this] { return clock_.Now(); },
      [this](std::shared_ptr<const Change> change, std::shared_ptr<const Snapshot> snapshot) {
        feed_->Publish(std::move(change), std::move(snapshot));
      },
      LogWriterFailure, Writer::Config());
  // Nobody can write before the services are there, so nothing is published before the feed is.
  feed_ = std::make_unique<Feed>(
      writer_->CurrentSnapshot(),
      [this](RevisionId position) -> absl::optional<std::vector<Change>> {
        absl::StatusOr<absl::optional<std::vector<Change>>> changes =
            store_->ChangesSince(position);
        if (changes.ok()) return *std::move(changes);
        LogLine("history-unreadable").Add("error", changes.status().ToString()).Warn();
        return absl::nullopt;
      },
      Feed::Limits(),
      [this](RevisionId id) -> absl::optional<bool> {
        const absl::StatusOr<bool> has = store_->HasRevision(id);
        if (has.ok()) return *has;
        LogLine("history-unreadable").Add("error", has.status().ToString()).Warn();
        return absl::nullopt;
      });
  for (const auto& [id, report] : writer_->CurrentAgentReports()) {
    registry_.Restore(id, report.status, report.last_seen);
  }
  const CurrentCatalogsFn catalogs = [this] { return writer_->CurrentCatalogs(); };
  watches_ = std::make_unique<WatchHub>(*feed_, clock_);
  const ApplyFn apply = [this](WriteRequest request, std::function<void(WriteOutcome)> done) {
    writer_->Apply(std::move(request), std::move(done));
  };
  configuration_ = std::make_unique<ConfigurationService>(
      apply,
      HistoryReader{
          .find = [this](const HistoryFilter& filter, int64_t before,
                         size_t at_most) { return store_->FindHistory(filter, before, at_most); },
          .load = [this](const HistoryFilter& filter,
                         int64_t number) { return store_->LoadHistory(filter, number); }},
      *feed_, clock_);
  decisions_ = std::make_unique<DecisionService>(
      catalogs, [this](HostId host) { return writer_->NextBootUsedTwice(host); }, registry_, *feed_,
      clock_);
  catalog_ = std::make_unique<CatalogService>(
      catalogs, [this] { return writer_->CurrentKernelMoves(); }, *feed_, clock_);
  agents_ = std::make_unique<AgentService>(
      ReportSink{
          .save_status = [this](const AgentId& id, const AgentStatus& status,
                                absl::Time seen) { writer_->SaveAgentStatus(id, status, seen); },
          .save_last_seen = [this](const AgentId& id) { writer_->SaveLastSeen(id); },
          .save_catalog =
              [this](const AgentId& id, std::shared_ptr<const Catalog> catalog,
                     std::vector<CountedMove> moves) {
                writer_->SaveAgentCatalog(id, std::move(catalog), std::move(moves));
              },
          .save_uses =
              [this](std::vector<NextBootUse> uses) {
                return writer_->SaveNextBootUses(std::move(uses));
              },
          .apply = apply,
          .forget =
              [this](const AgentId& id, std::function<void(absl::Status)> done) {
                writer_->DeleteAgentReport(id, std::move(done));
              }},
      catalogs, registry_, *watches_, *feed_, clock_);
  maintenance_ = std::make_unique<MaintenanceService>([this] { return BackUp(); }, clock_);
  KeepHistory(config_.keep_history);
}

void Server::KeepHistory(absl::Duration keep) {
  writer_->KeepHistory(keep, [](int64_t trimmed_to, int64_t rows) {
    LogLine("history-trimmed").Add("revision", trimmed_to).Add("rows", rows).Info();
  });
}

absl::StatusOr<std::unique_ptr<BackupFile>> Server::BackUp() {
  absl::Status status;
  absl::Notification done;
  writer_->BackUp([&](const absl::Status& result) {
    status = result;
    done.Notify();
  });
  done.WaitForNotification();
  RETURN_IF_ERROR(status);
  return BackupFile::Open(store_->backup_path());
}

absl::Status Server::Listen() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  // Else a second server on the same port would silently take half of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  grpc::ResourceQuota quota("autopxe-server");
  quota.SetMaxThreads(kMaxSynchronousThreads);
  builder.SetResourceQuota(quota);
  std::vector<int> ports(config_.listen.size(), 0);
  for (size_t i = 0; i < config_.listen.size(); ++i) {
    builder.AddListeningPort(config_.listen[i].Format(), grpc::InsecureServerCredentials(),
                             &ports[i]);
  }
  builder.RegisterService(configuration_.get());
  builder.RegisterService(catalog_.get());
  builder.RegisterService(decisions_.get());
  builder.RegisterService(agents_.get());
  builder.RegisterService(maintenance_.get());
  grpc_ = builder.BuildAndStart();
  for (size_t i = 0; i < config_.listen.size(); ++i) {
    const IpEndpoint& wanted = config_.listen[i];
    if (grpc_ == nullptr || ports[i] == 0) {
      if (grpc_ == nullptr && ports[i] != 0) continue;
      return absl::UnavailableError(absl::StrCat(
          "can't listen on ", wanted.Format(),
          ": another program has that port, or the address is none of this host's; see --listen"));
    }
    listening_.push_back({wanted.address, static_cast<uint16_t>(ports[i])});
  }
  if (grpc_ == nullptr) return absl::UnavailableError("the gRPC server did not start");
  // Checkers ask for the whole server or, by name, for a service.
  for (const char* service :
       {v1::ConfigurationService::service_full_name(), v1::CatalogService::service_full_name(),
        v1::DecisionService::service_full_name(), v1::AgentService::service_full_name(),
        v1::MaintenanceService::service_full_name()}) {
    grpc_->GetHealthCheckService()->SetServingStatus(service, true);
  }
  for (const IpEndpoint& endpoint : listening_) {
    LogLine("listening").Add("protocol", "grpc").Add("address", endpoint.Format()).Info();
    if (!endpoint.address.is_loopback()) {
      LogLine("listening-beyond-loopback")
          .Add("address", endpoint.Format())
          .Add("warning",
               "there is no authentication: whoever reaches this port can change what "
               "hosts boot")
          .Warn();
    }
  }
  return absl::OkStatus();
}

void Server::Shutdown(absl::Duration grace) {
  if (grpc_ != nullptr) {
    grpc_->GetHealthCheckService()->SetServingStatus(false);
    watches_->Stop();
    maintenance_->Stop();
    const absl::Duration start = clock_.Monotonic();
    grpc_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
    grpc_->Wait();
    // gRPC does not say how many calls it has cut.
    if (clock_.Monotonic() - start >= grace) {
      LogLine("cut-off").Add("protocol", "grpc").Add("grace", grace).Warn();
    }
    grpc_ = nullptr;
  }
  writer_->Stop();
}

Server::~Server() { Shutdown(config_.shutdown_grace); }

}  // namespace autopxe::server
