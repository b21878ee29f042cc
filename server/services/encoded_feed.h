#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "autopxe/v1/agent.pb.h"
#include "common/model/snapshot.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/feed/feed.h"

namespace autopxe::server {

// A message as it goes onto the wire.
grpc::ByteBuffer Encode(const v1::WatchConfigurationResponse& response);

// A snapshot in parts, each a WatchConfigurationResponse.
struct EncodedSnapshot {
  RevisionId revision;
  size_t hosts;
  std::vector<grpc::ByteBuffer> parts;  // One at least.
};

// What watches send, encoded once for all of them. Safe to use from any thread.
class EncodedFeed {
 public:
  // A change that encodes to more is sent as a snapshot, whose parts are bounded: clients take 4
  // MiB unless told otherwise.
  static constexpr size_t kMaxChangeBytes = 2 << 20;

  // What is sent as changes after a snapshot costs an agent more than it would within one, and it
  // serves what is old meanwhile. So few are quick all the same.
  static constexpr size_t kMinBehind = 64;

  // `feed` outlives this object.
  explicit EncodedFeed(const Feed& feed) : feed_(feed) {}

  // The WatchConfigurationResponse of a change; null if it is too large for one message.
  std::shared_ptr<const grpc::ByteBuffer> EncodeChange(const std::shared_ptr<const Change>& change)
      ABSL_LOCKS_EXCLUDED(changes_mutex_);

  // A snapshot to begin with, at revision `at_least` or later. It is the newest one, or the one
  // that was encoded last as long as the feed's ring leads on from there by kMinBehind resources,
  // or by an eighth of the hosts: while changes are made, a thousand agents that come back at once
  // share one encoding, and none is sent much more than it needs. Takes long when there are many
  // hosts.
  std::shared_ptr<const EncodedSnapshot> EncodeSnapshot(int64_t at_least)
      ABSL_LOCKS_EXCLUDED(snapshot_mutex_);

  // How many changes and snapshots have been encoded.
  size_t encoded_changes() const ABSL_LOCKS_EXCLUDED(changes_mutex_);
  size_t encoded_snapshots() const ABSL_LOCKS_EXCLUDED(snapshot_mutex_);

 private:
  struct EncodedChange {
    std::shared_ptr<const Change> change;
    std::shared_ptr<const grpc::ByteBuffer> bytes;  // Null: too large.
  };

  // Whether snapshot_ will do for one at revision `at_least` or later.
  bool IsRecent(int64_t at_least) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(snapshot_mutex_);

  const Feed& feed_;

  mutable absl::Mutex changes_mutex_;
  std::deque<EncodedChange> changes_ ABSL_GUARDED_BY(changes_mutex_);  // The newest last.
  size_t changes_bytes_ ABSL_GUARDED_BY(changes_mutex_) = 0;
  size_t encoded_changes_ ABSL_GUARDED_BY(changes_mutex_) = 0;

  mutable absl::Mutex snapshot_mutex_;
  std::shared_ptr<const EncodedSnapshot> snapshot_ ABSL_GUARDED_BY(snapshot_mutex_);
  size_t encoded_snapshots_ ABSL_GUARDED_BY(snapshot_mutex_) = 0;
};

}  // namespace autopxe::server
