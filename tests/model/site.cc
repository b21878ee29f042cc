#include "tests/model/site.h"

#include <filesystem>
#include <utility>

#include "absl/base/internal/raw_logging.h"
#include "absl/strings/str_cat.h"
#include "common/model/ip_endpoint.h"
#include "common/model/name.h"
#include "common/wire/catalog_wire.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "server/sqlite/database.h"
#include "server/sqlite/temp_folder.h"

namespace autopxe::tests {
namespace {

namespace fs = std::filesystem;

// None of it is used when all is well.
constexpr absl::Duration kPatience = absl::Seconds(60);

template <typename T>
T Require(absl::StatusOr<T> value) {
  ABSL_RAW_CHECK(value.ok(), value.status().ToString().c_str());
  return *std::move(value);
}

void Require(const absl::Status& status) { ABSL_RAW_CHECK(status.ok(), status.ToString().c_str()); }

// A connection of its own: gRPC shares one, and its back-off, among channels to one address.
std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(absl::StrCat("ipv4:", address),
                                   grpc::InsecureChannelCredentials(), arguments);
}

// Replaces the database in `to` by the one in `from`, as its files are. To read a file that SQLite
// has open in this process drops its locks on it, which matter to other processes only.
void CopyDatabase(const std::string& from, const std::string& to) {
  fs::create_directories(fs::path(to).parent_path());
  for (const char* part : {"", "-wal", "-shm"}) {
    fs::remove(to + part);
    if (std::string(part) != "-shm" && fs::exists(from + part)) {
      fs::copy_file(from + part, to + part);
    }
  }
}

CatalogRelease Release(const std::string& name) {
  return {.name = name,
          .alias_of = "",
          .kernels = {{.name = "latest",
                       .version = "6.1.0-25-amd64",
                       .kernel_path = "boot/vmlinuz-6.1.0-25-amd64",
                       .initrd_path = "boot/initrd.img-6.1.0-25-amd64"}}};
}

server::Config ServerConfig(const std::string& database) {
  return {.listen = {Require(IpEndpoint::Parse("127.0.0.1:0"))},
          .database = database,
          .log_level = LogLevel::kError,
          .shutdown_grace = kPatience};
}

// A database in which an agent has reported its catalog; made once, since a schema takes time.
const std::string& Template() {
  static const server::TempFolder* const folder = new server::TempFolder();
  static const std::string* const path = [] {
    auto* const made = new std::string(folder->File("autopxe.db"));
    const SystemClock clock;
    const auto server = Require(server::Server::Open(ServerConfig(*made), clock));
    const auto stub = v1::AgentService::NewStub(Connect(server->listening().front().Format()));
    grpc::ClientContext context;
    v1::ReportCatalogRequest request;
    request.set_agent_id("agent-0");
    *request.mutable_catalog() = ToProto(SiteCatalog());
    v1::ReportCatalogResponse response;
    ABSL_RAW_CHECK(stub->ReportCatalog(&context, request, &response).ok(), "no catalog");
    server->Shutdown(absl::Seconds(10));
    return made;
  }();
  return *path;
}

}  // namespace

const Catalog& SiteCatalog() {
  static const Catalog* const catalog = new Catalog{
      .distros = {{.name = "debian", .releases = {Release("bookworm"), Release("trixie")}}},
      .loaders = {},
      .files = {{.path = "memtest/mt86+.bin", .size = 1}}};
  return *catalog;
}

absl::Time SiteClock::Now() const {
  absl::MutexLock lock(&mutex_);
  return now_;
}

void SiteClock::Advance(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  now_ += duration;
}

SiteAgent::SiteAgent(std::string id, std::string folder, std::string server)
    : id_(std::move(id)), folder_(std::move(folder)), server_(std::move(server)) {}

std::shared_ptr<const Snapshot> SiteAgent::Start() {
  file_ = Require(agent::SnapshotFile::Open(folder_));
  const absl::StatusOr<agent::StoredSnapshot> stored = file_->Load(problems_);
  const std::shared_ptr<const Snapshot> loaded = stored.ok() ? stored->snapshot : nullptr;
  view_.Set(loaded);
  {
    absl::MutexLock lock(&mutex_);
    applied_ = loaded != nullptr ? loaded->revision().id : RevisionId{.number = -1, .tag = 0};
  }
  writer_ = std::make_unique<agent::SnapshotWriter>(
      agent::SnapshotWriter::Options{.gather = absl::ZeroDuration()}, problems_,
      [this](const std::shared_ptr<const Snapshot>& snapshot) {
        return file_->Save({snapshot, clock_.Now()});
      });
  follower_ = std::make_unique<agent::Follower>(
      agent::Follower::Options{.agent_id = Require(AgentId::Parse(id_)),
                               .instance = Require(AgentInstance::Parse("instance")),
                               .server = server_,
                               .first_backoff = absl::Milliseconds(1),
                               .most_backoff = absl::Milliseconds(5)},
      Connect(server_), view_, problems_, clock_,
      agent::Follower::Listener{.connected = [] {},
                                .applied =
                                    [this](const std::shared_ptr<const Snapshot>& snapshot) {
                                      writer_->Write(snapshot);
                                      absl::MutexLock lock(&mutex_);
                                      applied_ = snapshot->revision().id;
                                    }});
  return loaded;
}

void SiteAgent::Stop() {
  follower_ = nullptr;
  writer_ = nullptr;
  file_ = nullptr;
}

bool SiteAgent::WaitFor(const RevisionId& revision) {
  const auto applied = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return applied_ == revision; };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&applied), kPatience);
}

Site::Site(std::string folder, int agents) : folder_(std::move(folder)) {
  CopyDatabase(Template(), Database("server"));
  StartServer();
  for (int i = 0; i < agents; ++i) {
    const std::string id = absl::StrCat("agent-", i);
    agents_.push_back(
        std::make_unique<SiteAgent>(id, absl::StrCat(folder_, "/", id), relay_.address()));
    agents_.back()->Start();
  }
}

Site::~Site() {
  for (const auto& agent : agents_) agent->Stop();
}

std::string Site::Database(const std::string& subfolder) const {
  return absl::StrCat(folder_, "/", subfolder, "/autopxe.db");
}

void Site::StartServer() {
  server_ = Require(server::Server::Open(ServerConfig(Database("server")), clock_));
  const IpEndpoint& listening = server_->listening().front();
  configuration_ = v1::ConfigurationService::NewStub(Connect(listening.Format()));
  agent_service_ = v1::AgentService::NewStub(Connect(listening.Format()));
  relay_.ForwardTo(listening.port);
}

void Site::StopServer(Outage outage) {
  // First: its port may soon be another's.
  outage == Outage::kHung ? relay_.Hold() : relay_.Refuse();
  configuration_ = nullptr;
  agent_service_ = nullptr;
  server_ = nullptr;
}

void Site::KillServer(Outage outage) {
  CopyDatabase(Database("server"), Database("killed"));
  StopServer(outage);
  CopyDatabase(Database("killed"), Database("server"));
}

void Site::TakeCopy() { CopyDatabase(Database("server"), Database("copy")); }

void Site::RestoreCopy() { CopyDatabase(Database("copy"), Database("server")); }

void Site::TrimHistory() {
  const auto database = Require(server::Database::Open({.path = Database("server")}));
  Require(database->Execute(
      "UPDATE history SET trimmed_to = (SELECT COALESCE(MAX(number), 0) FROM revision)"));
}

}  // namespace autopxe::tests
