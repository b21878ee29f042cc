#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "common/model/mutation.h"
#include "common/model/snapshot.h"
#include "server/plan/plan.h"

namespace autopxe::server {

// One request to change the configuration.
struct WriteRequest {
  Batch batch;
  bool validate_only = false;
  std::string user;            // What the caller claims; printable ASCII.
  std::string origin;          // The peer's address.
  std::string request_id;      // Empty: none.
  std::string request_digest;  // Tells requests of other content apart that come with a used id.
};

// What became of it.
struct WriteResult {
  // The one made; the current one when nothing changed; the old one when replayed.
  Revision revision;
  std::vector<Difference> differences;
  std::vector<std::string> warnings;
  bool replayed = false;
};

// A result, a refusal by the plan, or a failure:
//   UNAVAILABLE: the database can't be written (an error of the disk, locked, read-only), or
//     the writer is stopping.
//   RESOURCE_EXHAUSTED: the disk is full, or too many requests are waiting.
//   INTERNAL: a fault of this program.
// After a failure nothing was changed, unless the message says that this is unknown: then the same
// request with the same request id finds out.
using WriteOutcome = std::variant<WriteResult, Refusal, absl::Status>;

// Class Writer's Apply: answers once, when the request is committed or refused, in whatever thread;
// does not wait itself.
using ApplyFn = std::function<void(WriteRequest, std::function<void(WriteOutcome)>)>;

// Told of every accepted change, in order, after its commit and before its callers are answered.
using PublishFn = std::function<void(std::shared_ptr<const Change> change,
                                     std::shared_ptr<const Snapshot> snapshot)>;

}  // namespace autopxe::server
