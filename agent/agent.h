#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/catalog/catalog_watcher.h"
#include "agent/catalog/live_catalog.h"
#include "agent/config.h"
#include "agent/content/path_resolver.h"
#include "agent/http/server.h"
#include "agent/journal/journal.h"
#include "agent/net/event_loop.h"
#include "agent/sync/follower.h"
#include "agent/sync/problems.h"
#include "agent/sync/reporter.h"
#include "agent/sync/snapshot_file.h"
#include "agent/sync/snapshot_writer.h"
#include "agent/tftp/server.h"
#include "agent/view/view.h"
#include "common/runtime/clock.h"
#include "common/runtime/freed_memory.h"

namespace autopxe::agent {

// The wiring of an agent: constructs its parts and holds them. It serves from the moment that Start
// returns until it is destroyed.
class Agent {
 public:
  // Errors: naming the option to look at: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED,
  // FAILED_PRECONDITION and the system's, for a folder or an address that can't be used.
  static absl::StatusOr<std::unique_ptr<Agent>> Start(const Config& config);

  ~Agent();

  // Takes over what `config` has of the options that take effect on a reload (advertise,
  // start-script-for-ipxe, rescan-interval, TFTP's limits), and tells the server.
  void Reload(const Config& config);

  // Looks at the whole rootfs tree, the loaders and the folder of files again, soon, and tells the
  // server. Returns at once.
  void Rescan();

  // Takes no more requests and lets those under way end, for so long at the most; then they are
  // cut.
  void Drain(absl::Duration limit);

  const std::vector<IpEndpoint>& tftp_endpoints() const { return tftp_->endpoints(); }
  const std::vector<IpEndpoint>& http_endpoints() const { return http_->endpoints(); }

 private:
  explicit Agent(const Config& config);

  absl::Status Run();
  // What hosts used up here before is known, and what is on disk becomes the view.
  absl::Status OpenJournal();
  void LoadView();
  // What the journal tells of itself.
  void NoteJournal(Journal::Trouble trouble, absl::string_view sentence);
  void NoteNextBoot(const UsedNextBoot& used, const MacAddress& mac);
  // `snapshot` is on disk: what was used up and is not in it needs no journal any more.
  void ForgetUsed(const Snapshot& snapshot);
  // Tells whether the last scan failed, and wakes the reporter.
  void NoteCatalog();
  // Answers by the options in config_ from now on.
  absl::Status OpenResolver() ABSL_LOCKS_EXCLUDED(resolver_mutex_);
  absl::StatusOr<ResolvedContent> Resolve(const ContentRequest& request) const
      ABSL_LOCKS_EXCLUDED(resolver_mutex_);
  AgentStatus BuildStatus(const AgentInstance& instance) const;

  Config config_;  // The thread's that calls Reload.
  const SystemClock clock_;
  // A flood of requests is over when it is over: glibc keeps up to M_TOP_PAD of what it took.
  const FreedMemory freed_memory_{FreedMemory::Options{.least = 8 << 20}};

  // In the order of their start; what uses another stands below it.
  View view_;
  Problems problems_;
  std::unique_ptr<SnapshotFile> snapshot_file_;
  std::unique_ptr<Journal> journal_;
  LiveCatalog catalog_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<TftpServer> tftp_;  // Answers once the loop runs.
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<SnapshotWriter> snapshot_writer_;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<CatalogWatcher> catalog_watcher_;  // Tells the one above.
  mutable absl::Mutex resolver_mutex_;
  // Null while the agent starts, when HTTP answers already. Tells the catalog's watcher.
  std::shared_ptr<const PathResolver> resolver_ ABSL_GUARDED_BY(resolver_mutex_);
  std::thread loop_thread_;
  std::unique_ptr<Follower> follower_;  // Tells the snapshot's writer and the reporter.
};

}  // namespace autopxe::agent
