#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/model/ip_endpoint.h"
#include "common/runtime/wakeup.h"

namespace autopxe::agent {

// The open connections of an HTTP server, and which of them are to be cut: a time-out that counts
// inactivity lets go on whoever sends a byte now and then. Thread-safe. Every `now` is of one
// monotonic clock.
//
// A connection is fresh until its first request is whole; then a request is under way until its
// answer is done; then it is kept for the next.
class Connections {
 public:
  struct Limits {
    // From this many on, each new connection takes the place of the one that has waited longest:
    // of the fresh ones, or else of those that are kept. None with a request under way is cut for
    // another.
    size_t crowded = 3584;

    // Requests under way for one address. The rest of the slots stays for others, while everyone
    // behind one address translator still gets their files.
    size_t requests_per_address = 2048;

    // Until the head of a fresh connection's request is whole, and that of a later one from its
    // request line on.
    absl::Duration head = absl::Seconds(15);

    // Until the next request line on a connection that is kept. iPXE keeps one for 10 s.
    absl::Duration idle = absl::Seconds(30);

    // While an answer is under way its client acknowledges at least `progress_bytes` in each
    // `progress_interval`: 1 KiB/s, slower than any link that firmware boots over. A file of 64 MiB
    // then takes a slot for 18 hours at the most.
    absl::Duration progress_interval = absl::Seconds(60);
    uint64_t progress_bytes = 60 << 10;
  };

  struct Socket {
    std::function<void(int fd)> cut;  // Both ways; the descriptor stays open.
    std::function<void(int fd)> end_reading;
    std::function<uint64_t(int fd)> acknowledged_bytes;  // Of all that was sent.
  };

  // How many were cut, and why.
  struct Cuts {
    size_t head = 0;
    size_t idle = 0;
    size_t slow = 0;
    size_t crowded = 0;

    friend bool operator==(const Cuts&, const Cuts&) = default;
  };

  // What `socket` has is called under a lock.
  Connections(const Limits& limits, Socket socket);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // `fd` stays open until Closed().
  void Opened(int fd, const IpAddress& peer, absl::Duration now) ABSL_LOCKS_EXCLUDED(mutex_);
  void RequestLineCame(int fd, absl::Duration now) ABSL_LOCKS_EXCLUDED(mutex_);

  enum class Admission { kWelcome, kTooManyOfAddress, kDraining };
  // The request under way, too, if it is not welcome: it is to be refused.
  Admission RequestBegan(int fd, absl::Duration now) ABSL_LOCKS_EXCLUDED(mutex_);

  void RequestEnded(int fd, absl::Duration now) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether it was cut for taking its answer too slowly.
  bool IsTooSlow(int fd) const ABSL_LOCKS_EXCLUDED(mutex_);
  void Closed(int fd) ABSL_LOCKS_EXCLUDED(mutex_);

  // Cuts those whose time is up. To be called often: the time of an answer begins with the first
  // call that finds it under way, so that the kernel is not asked about one that is short.
  void CutExpired(absl::Duration now) ABSL_LOCKS_EXCLUDED(mutex_);

  // Cuts those without a request under way, and from now on each whose answer is done, once that
  // has gone out.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until no request is under way. Returns how many are after `limit`. After Drain(), on one
  // thread at a time.
  size_t AwaitRequests(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);

  // How many were cut since the last call.
  Cuts TakeCuts() ABSL_LOCKS_EXCLUDED(mutex_);

  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // The order of the first three is that in which they make room.
  enum Phase { kFresh, kKept, kHead, kBegun, kUnderWay, kCut, kPhases };

  struct Connection {
    IpAddress peer;
    Phase phase = kFresh;
    absl::Duration since = absl::ZeroDuration();
    uint64_t acknowledged = 0;            // At `since`; kUnderWay only.
    std::list<int>::iterator place = {};  // In its phase.
    bool too_slow = false;
  };
  using Map = absl::flat_hash_map<int, Connection>;

  void Enter(Connection& connection, Phase phase, absl::Duration now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Cut(int fd, Connection& connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Cuts what has been in `phase` for `limit`; returns how many.
  size_t CutOlder(Phase phase, absl::Duration limit, absl::Duration now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // From now on what is under way is measured.
  void Measure(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  size_t CutSlow(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  const Socket socket_;
  mutable absl::Mutex mutex_;
  Map connections_ ABSL_GUARDED_BY(mutex_);
  // Of each phase, who has been in it longest first: so the first to expire is in front.
  std::list<int> phases_[kPhases] ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<IpAddress, size_t> requests_by_address_ ABSL_GUARDED_BY(mutex_);
  size_t requests_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  Cuts cuts_ ABSL_GUARDED_BY(mutex_);
  Wakeup none_under_way_;  // Once it is draining.
};

}  // namespace autopxe::agent
