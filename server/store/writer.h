#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/model/agent_status.h"
#include "common/model/catalog.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"
#include "server/plan/catalogs.h"
#include "server/plan/counted_move.h"
#include "server/store/agent_report.h"
#include "server/store/next_boot_use.h"
#include "server/store/recorded_move.h"
#include "server/store/upkeep.h"
#include "server/store/write_request.h"

namespace autopxe::server {

class Store;

// The one thread that writes the database. What waits for it is committed together: one
// transaction, a savepoint and a revision for each request. Between requests it writes what agents
// report, trims the history and makes backups, so much at a time that no request waits for long.
//
// When the database fails, nothing more is written until it has been opened anew, which the next
// request brings about; meanwhile everything that is in memory can be read on.
class Writer {
 public:
  struct Config {
    // What may wait at most; one request always may.
    size_t max_requests = 4'096;
    size_t max_mutations = 500'000;
    // How many pages the write-ahead log may have before they are moved into the database.
    int checkpoint_pages = 1'000;
    Upkeep::Config upkeep;
  };

  // Told of each failure of the database, since nobody waits for a report or a checkpoint, and of
  // its end (OK). Called on the writer's thread.
  using FailureFn = std::function<void(const absl::Status&)>;

  // Takes the store's content. `store` must outlive it. `now` is the server's clock, which
  // revisions bear.
  Writer(Store* store, std::function<absl::Time()> now, PublishFn publish, FailureFn failed,
         Config config);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  // Stops.
  ~Writer();

  // Queues a request and returns. Calls `done` exactly once: on the writer's thread, or, when the
  // request can't even be queued (RESOURCE_EXHAUSTED, or UNAVAILABLE when stopping), at once on
  // this one.
  void Apply(WriteRequest request, std::function<void(WriteOutcome)> done);

  // How old an agent's last_seen on disk may become while nothing else that it reports changes.
  // Agents report every 30 s, and each write is a wait for the disk.
  static constexpr absl::Duration kLastSeenInterval = absl::Minutes(10);

  // Queues what an agent reported, if it differs from what it reported before; the newest of each
  // agent wins. A status that differs in nothing but its age is kept in memory, and queued when the
  // one on disk is kLastSeenInterval older. Nothing happens once the writer is stopping.
  void SaveAgentStatus(const AgentId& id, AgentStatus status, absl::Time seen);
  // Queues the status that is kept in memory, if there is a newer one than on disk.
  void SaveLastSeen(const AgentId& id);
  // `moves`: what moved by it.
  void SaveAgentCatalog(const AgentId& id, std::shared_ptr<const Catalog> catalog,
                        std::vector<CountedMove> moves = {});

  // Queues uses of next-boot assignments that an agent reported. Each that other agents had
  // reported before comes back, with theirs, the oldest first.
  std::vector<std::vector<NextBootUse>> SaveNextBootUses(std::vector<NextBootUse> uses);

  // See NextBootUses::UsedTwice.
  std::vector<NextBootUse> NextBootUsedTwice(HostId host) const;

  // Forgets what an agent reported: at once in memory, and then on disk. Calls `done` exactly once:
  // on the writer's thread, with OK when it is on disk, or with UNAVAILABLE or RESOURCE_EXHAUSTED,
  // and then it is tried again later; or at once on this thread, with UNAVAILABLE, when stopping.
  void DeleteAgentReport(const AgentId& id, std::function<void(absl::Status)> done);

  // The configuration, once published.
  std::shared_ptr<const Snapshot> CurrentSnapshot() const;
  // What the agents offer, as last reported, be it written yet or not. Plans see it too.
  std::shared_ptr<const Catalogs> CurrentCatalogs() const;
  // What moved last, at the most kMaxMoves.
  std::shared_ptr<const RecordedMoves> CurrentKernelMoves() const;
  // What the agents reported last, at the start those of the database.
  AgentReports CurrentAgentReports() const;

  // As of class Upkeep.
  void KeepHistory(absl::Duration keep, Upkeep::TrimmedFn trimmed);

  // Copies the database to Store::backup_path(), for class BackupFile to take over. Calls `done`
  // once, on the writer's thread or at once on this one: RESOURCE_EXHAUSTED: the disk has no room
  // for it, or a backup is being made already; UNAVAILABLE: the disk failed, or the writer is
  // stopping. One copy at a time: whoever calls has taken over the one before.
  void BackUp(std::function<void(absl::Status)> done);

  // Returns when everything that was queued before has been written, or has failed.
  void WaitUntilIdle();

  // Writes what agents have reported, answers waiting requests with UNAVAILABLE, and ends the
  // thread.
  void Stop();

 private:
  struct Job {
    WriteRequest request;
    std::function<void(WriteOutcome)> done;
  };
  // What of an agent is still to be written.
  struct UnsavedReport {
    bool deleted = false;  // Before what else there is.
    bool status = false;
    bool catalog = false;
    std::vector<std::function<void(absl::Status)>> deletions;  // Who waits for `deleted`.
  };
  using UnsavedReports = std::map<AgentId, UnsavedReport>;

  static std::shared_ptr<const Catalogs> CatalogsOf(const AgentReports& reports);
  void QueueStatus(const AgentId& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Until there is work, the next trim is due, or the writer is stopping.
  void AwaitWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteJobs(std::deque<Job> jobs);
  void WriteReports(UnsavedReports unsaved);
  absl::Status WriteReportRows(const UnsavedReports& unsaved, const AgentReports& reports,
                               const RecordedMoves& moves, const std::vector<NextBootUse>& uses);
  void CheckpointIfDue();

  // A piece of each part of the upkeep that is due.
  void KeepUp();

  absl::Status ReopenIfFailed();
  // Whether the database holds what is current. Errors: DATA_LOSS if not.
  absl::Status CheckCurrent();
  void NoteFailure(const absl::Status& status);
  void Publish(std::shared_ptr<const Change> change, std::shared_ptr<const Snapshot> snapshot);

  Store* const store_;
  const std::function<absl::Time()> now_;
  const PublishFn publish_;
  const FailureFn failed_;
  const Config config_;
  Upkeep upkeep_;

  // Of the writer's thread alone.
  HostId next_host_id_;
  bool database_failed_ = false;

  mutable absl::Mutex mutex_;
  // Notified by whatever may end AwaitWork(). The standard library's, since absl's of 2022 waits
  // for a time of day: a wall clock that is set back would put the next trim off for as long.
  std::condition_variable_any work_came_;
  std::deque<Job> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queued_mutations_ ABSL_GUARDED_BY(mutex_) = 0;
  AgentReports reports_ ABSL_GUARDED_BY(mutex_);
  UnsavedReports unsaved_ ABSL_GUARDED_BY(mutex_);
  // The last_seen of each status that was queued last, or was on disk at the start.
  std::map<AgentId, absl::Time> saved_seen_ ABSL_GUARDED_BY(mutex_);
  // False after writing reports failed, until something new is queued: else it would be tried again
  // without end.
  bool reports_ready_ ABSL_GUARDED_BY(mutex_) = false;
  bool upkeep_due_ ABSL_GUARDED_BY(mutex_) = false;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Catalogs> catalogs_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const RecordedMoves> moves_ ABSL_GUARDED_BY(mutex_);
  // The id of the last one that the database has, as far as is known.
  int64_t written_move_ ABSL_GUARDED_BY(mutex_) = 0;
  NextBootUses next_boot_uses_ ABSL_GUARDED_BY(mutex_);
  // The same of these.
  int64_t written_use_ ABSL_GUARDED_BY(mutex_) = 0;

  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace autopxe::server
