#include "agent/agent.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/catalog/catalog_folders.h"
#include "agent/sync/server_channel.h"
#include "common/runtime/log_line.h"
#include "common/runtime/random_id.h"
#include "common/runtime/version.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// `status` with what to do about it.
absl::Status Advise(const absl::Status& status, absl::string_view advice) {
  return absl::Status(status.code(), absl::StrCat(status.message(), "; ", advice));
}

absl::Status AdviseToListen(const absl::Status& status, absl::string_view option) {
  if (absl::IsPermissionDenied(status)) {
    return Advise(
        status,
        absl::StrCat("ports below 1024 need root or the capability CAP_NET_BIND_SERVICE (setcap "
                     "cap_net_bind_service=+ep on the program); or choose another port with ",
                     option));
  }
  return Advise(status, absl::StrCat("see ", option));
}

// Where all hosts reach what listens at `endpoints`, as far as the agent can know.
absl::optional<IpEndpoint> ReachedAt(const Config& config,
                                     const std::vector<IpEndpoint>& endpoints) {
  if (endpoints.empty()) return absl::nullopt;
  if (config.advertise.has_value()) return IpEndpoint{*config.advertise, endpoints.front().port};
  const IpEndpoint& first = endpoints.front();
  const bool is_only =
      std::all_of(endpoints.begin(), endpoints.end(),
                  [&](const IpEndpoint& endpoint) { return endpoint.address == first.address; });
  if (first.address.is_unspecified() || !is_only) return absl::nullopt;
  return first;
}

CatalogFolders FoldersOf(const Config& config) {
  return {.rootfs = config.rootfs_folder,
          .loaders = config.loaders_folder,
          .files = config.files_folder};
}

// Null, and a warning, where the system has none left: the interval then finds what changes.
std::unique_ptr<TreeWatch> OpenTreeWatch() {
  absl::StatusOr<std::unique_ptr<TreeWatch>> watch = TreeWatch::Open();
  if (watch.ok()) return *std::move(watch);
  LogLine("catalog-unwatched").Add("reason", std::string(watch.status().message())).Warn();
  return nullptr;
}

}  // namespace

Agent::Agent(const Config& config)
    : config_(config), catalog_(FoldersOf(config), OpenTreeWatch()) {}

absl::StatusOr<std::unique_ptr<Agent>> Agent::Start(const Config& config) {
  std::unique_ptr<Agent> agent(new Agent(config));
  RETURN_IF_ERROR(agent->Run());
  return agent;
}

absl::Status Agent::Run() {
  absl::StatusOr<std::unique_ptr<SnapshotFile>> file = SnapshotFile::Open(config_.state_folder);
  if (!file.ok()) return Advise(file.status(), "see --state");
  snapshot_file_ = *std::move(file);
  RETURN_IF_ERROR(OpenJournal());
  LoadView();

  if (absl::Status status = catalog_.Rescan(); !status.ok()) {
    return Advise(status, "see --rootfs, --loaders and --files");
  }

  const auto resolve = [this](const ContentRequest& request) { return Resolve(request); };
  ASSIGN_OR_RETURN(loop_, EventLoop::Open());
  TftpServer::Options tftp_options;
  tftp_options.listen = config_.tftp_listen;
  tftp_options.ports = config_.tftp_ports;
  tftp_options.single_port = config_.tftp_single_port;
  tftp_options.serving = config_.tftp_limits;
  absl::StatusOr<std::unique_ptr<TftpServer>> tftp =
      TftpServer::Open(*loop_, tftp_options, resolve);
  if (!tftp.ok()) {
    return AdviseToListen(tftp.status(), config_.tftp_ports.has_value()
                                             ? "--tftp-listen and --tftp-ports"
                                             : "--tftp-listen");
  }
  tftp_ = *std::move(tftp);
  HttpServer::Options http_options;
  http_options.listen = config_.http_listen;
  absl::StatusOr<std::unique_ptr<HttpServer>> http = HttpServer::Open(http_options, resolve);
  if (!http.ok()) return AdviseToListen(http.status(), "--http-listen");
  http_ = *std::move(http);

  snapshot_writer_ = std::make_unique<SnapshotWriter>(
      SnapshotWriter::Options(), problems_,
      [this](const std::shared_ptr<const Snapshot>& snapshot) -> absl::Status {
        RETURN_IF_ERROR(snapshot_file_->Save({snapshot, clock_.Now()}));
        ForgetUsed(*snapshot);
        return absl::OkStatus();
      });
  ASSIGN_OR_RETURN(const AgentInstance instance, AgentInstance::Parse(BuildRandomId()));
  const std::shared_ptr<grpc::Channel> channel = BuildServerChannel(config_.server);
  reporter_ = std::make_unique<Reporter>(
      Reporter::Options{.agent_id = config_.id, .status = BuildStatus(instance)}, channel, view_,
      catalog_, *journal_, problems_, clock_);
  catalog_watcher_ =
      std::make_unique<CatalogWatcher>(CatalogWatcher::Options{.interval = config_.rescan_interval},
                                       catalog_, [this] { NoteCatalog(); });

  RETURN_IF_ERROR(OpenResolver());
  loop_thread_ = std::thread([this] { loop_->Run(); });
  // The TFTP server has said so of itself.
  for (const IpEndpoint& endpoint : http_->endpoints()) {
    LogLine("listening").Add("protocol", "http").Add("address", endpoint.Format()).Info();
  }

  follower_ = std::make_unique<Follower>(
      Follower::Options{.agent_id = config_.id, .instance = instance, .server = config_.server},
      channel, view_, problems_, clock_,
      Follower::Listener{.connected = [this] { reporter_->Reconnected(); },
                         .applied =
                             [this](const std::shared_ptr<const Snapshot>& snapshot) {
                               snapshot_writer_->Write(snapshot);
                               reporter_->Wake();
                             }});
  LogLine("started")
      .Add("id", config_.id.text())
      .Add("version", kVersion)
      .Add("instance", instance.text())
      .Add("server", config_.server)
      .Add("rootfs", config_.rootfs_folder)
      .Info();
  return absl::OkStatus();
}

Agent::~Agent() {
  follower_ = nullptr;
  // Hosts' requests end before what they may call.
  http_ = nullptr;
  if (loop_thread_.joinable()) {
    loop_->Stop();
    loop_thread_.join();
  }
  catalog_watcher_ = nullptr;
  reporter_ = nullptr;
  snapshot_writer_ = nullptr;
}

absl::Status Agent::OpenJournal() {
  Journal::Options options;
  options.tell = [this](Journal::Trouble trouble, absl::string_view sentence) {
    NoteJournal(trouble, sentence);
  };
  absl::StatusOr<std::unique_ptr<Journal>> journal =
      Journal::Open(config_.state_folder, std::move(options));
  if (!journal.ok()) return Advise(journal.status(), "see --state");
  journal_ = *std::move(journal);
  view_.NoteUsed(journal_->Kept());
  return absl::OkStatus();
}

void Agent::NoteJournal(Journal::Trouble trouble, absl::string_view sentence) {
  Problems::Kind kind = Problems::Kind::kJournalDamaged;
  if (trouble == Journal::Trouble::kNotWritten) kind = Problems::Kind::kJournalNotWritten;
  if (trouble == Journal::Trouble::kFull) kind = Problems::Kind::kJournalFull;
  if (sentence.empty()) {
    problems_.Clear(kind);
  } else {
    problems_.Set(kind, sentence);
  }
}

void Agent::NoteNextBoot(const UsedNextBoot& used, const MacAddress& mac) {
  journal_->Add({.used = used, .mac = mac, .time = clock_.Now()});
  LogLine("next-boot-used")
      .Add("host", mac.Format())
      .Add("id", static_cast<int64_t>(used.host))
      .Add("token", used.token)
      .Info();
  reporter_->Wake();
}

void Agent::ForgetUsed(const Snapshot& snapshot) {
  journal_->Forget([&](const UsedNextBoot& used) {
    const std::shared_ptr<const Host> host = snapshot.FindHost(used.host);
    return host != nullptr && host->next.has_value() && host->next->token == used.token;
  });
}

void Agent::LoadView() {
  const absl::StatusOr<StoredSnapshot> stored = snapshot_file_->Load(problems_);
  if (!stored.ok()) {
    LogLine("view")
        .Add("revision", "none")
        .Add("reason", std::string(stored.status().message()))
        .Info();
    return;
  }
  view_.Set(stored->snapshot);
  ForgetUsed(*stored->snapshot);
  const absl::Duration age = std::max(clock_.Now() - stored->saved_at, absl::ZeroDuration());
  view_.Confirm(clock_.Monotonic() - age);
  LogLine("view")
      .Add("revision", stored->snapshot->revision().id.Format())
      .Add("hosts", stored->snapshot->host_count())
      .Add("age", age)
      .Info();
}

absl::Status Agent::OpenResolver() {
  PathResolver::Options options{
      .agent = {.id = config_.id,
                .rootfs_folder = config_.rootfs_folder,
                .advertise = config_.advertise,
                .http_port = http_->endpoints().front().port,
                .tftp_port = tftp_->endpoints().front().port},
      .folders = FoldersOf(config_),
      .start_script_for_ipxe = config_.start_script_for_ipxe,
      .catalog_doubted = [this] { catalog_watcher_->Doubt(); },
      .next_boot_used = [this](const UsedNextBoot& used,
                               const MacAddress& mac) { NoteNextBoot(used, mac); }};
  ASSIGN_OR_RETURN(std::shared_ptr<const PathResolver> resolver,
                   PathResolver::Open(std::move(options), view_, catalog_));
  absl::MutexLock lock(&resolver_mutex_);
  resolver_ = std::move(resolver);
  return absl::OkStatus();
}

absl::StatusOr<ResolvedContent> Agent::Resolve(const ContentRequest& request) const {
  std::shared_ptr<const PathResolver> resolver;
  {
    absl::MutexLock lock(&resolver_mutex_);
    resolver = resolver_;
  }
  if (resolver == nullptr) return absl::UnavailableError("starting; ask again");
  return resolver->Resolve(request);
}

AgentStatus Agent::BuildStatus(const AgentInstance& instance) const {
  return {.instance = instance,
          .applied = {},
          .version = kVersion,
          .start_time = clock_.Now(),
          .http_address = ReachedAt(config_, http_->endpoints()),
          .tftp_address = ReachedAt(config_, tftp_->endpoints()),
          .rootfs_folder = config_.rootfs_folder,
          .advertise = config_.advertise,
          .http_port = http_->endpoints().front().port,
          .tftp_port = tftp_->endpoints().front().port};
}

void Agent::NoteCatalog() {
  if (const absl::Status error = catalog_.LastError(); error.ok()) {
    problems_.Clear(Problems::Kind::kFolderUnreadable);
  } else {
    problems_.Set(Problems::Kind::kFolderUnreadable,
                  absl::StrCat("the catalog is kept as it was: ", error.message()));
  }
  reporter_->Wake();
}

void Agent::Reload(const Config& config) {
  catalog_watcher_->SetInterval(config.rescan_interval);
  if (config.tftp_limits != config_.tftp_limits) {
    config_.tftp_limits = config.tftp_limits;
    tftp_->SetLimits(config_.tftp_limits);
  }
  if (config.advertise == config_.advertise &&
      config.start_script_for_ipxe == config_.start_script_for_ipxe) {
    return;
  }
  Config before = config_;
  config_.advertise = config.advertise;
  config_.start_script_for_ipxe = config.start_script_for_ipxe;
  if (const absl::Status status = OpenResolver(); !status.ok()) {
    // As it was, so that the next reload tries again.
    config_ = std::move(before);
    LogLine("resolver-kept").Add("reason", std::string(status.message())).Error();
    return;
  }
  reporter_->SetAddresses(config_.advertise, ReachedAt(config_, http_->endpoints()),
                          ReachedAt(config_, tftp_->endpoints()));
}

void Agent::Rescan() { catalog_watcher_->Rescan(); }

void Agent::Drain(absl::Duration limit) {
  const absl::Duration end = clock_.Monotonic() + limit;
  http_->Drain(absl::ZeroDuration());  // Neither takes more while the other drains.
  const size_t tftp_left = tftp_->Drain(limit);
  const size_t http_left = http_->Drain(std::max(end - clock_.Monotonic(), absl::ZeroDuration()));
  if (tftp_left + http_left > 0) {
    LogLine("cut-off").Add("tftp", tftp_left).Add("http", http_left).Warn();
  }
}

}  // namespace autopxe::agent
