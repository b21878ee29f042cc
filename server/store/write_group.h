#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/host.h"
#include "common/model/snapshot.h"
#include "server/plan/catalogs.h"
#include "server/sqlite/database.h"
#include "server/sqlite/transaction.h"
#include "server/store/write_request.h"

namespace autopxe::server {

// Requests on their way into one transaction, which begins with the first one that changes
// something and is rolled back unless Commit() is called. Each request is planned against what
// those before it made.
class WriteGroup {
 public:
  // What the group made: one of each for every request that changed something, in order.
  struct Step {
    std::shared_ptr<const Change> change;
    std::shared_ptr<const Snapshot> snapshot;
  };

  // `database` and `catalogs` must outlive it.
  WriteGroup(Database& database, std::shared_ptr<const Snapshot> snapshot, const Catalogs& catalogs,
             HostId next_host_id, absl::Time time)
      : database_(database),
        catalogs_(catalogs),
        snapshot_(std::move(snapshot)),
        next_host_id_(next_host_id),
        time_(time) {}

  // Takes one request in: a result that holds once the group is committed; or a refusal or an
  // INTERNAL status, which leave no trace. Errors, those of class Database: the whole group has
  // failed.
  absl::StatusOr<WriteOutcome> Take(const WriteRequest& request);

  // Makes all of it durable. After an error it is unknown whether it is.
  absl::Status Commit();

  const std::vector<Step>& steps() const { return steps_; }
  HostId next_host_id() const { return next_host_id_; }

 private:
  // The outcome of the earlier request with this one's id, if there was one.
  absl::StatusOr<absl::optional<WriteOutcome>> FindReplay(const WriteRequest& request);
  absl::Status Write(const Change& change, const WriteRequest& request);

  Database& database_;
  const Catalogs& catalogs_;
  std::shared_ptr<const Snapshot> snapshot_;  // After the requests so far.
  HostId next_host_id_;
  const absl::Time time_;
  absl::optional<Transaction> transaction_;
  std::vector<Step> steps_;
};

}  // namespace autopxe::server
