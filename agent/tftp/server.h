#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/content/path_resolver.h"
#include "agent/net/event_loop.h"
#include "agent/net/udp_socket.h"
#include "agent/tftp/open_transfer.h"

namespace autopxe::agent {

// Answers TFTP read requests (RFC 1350 with the options of RFCs 2348, 2349 and 7440) with what
// `resolve` finds; refuses writes. Every refusal is an ERROR with a text that helps the person at
// the firmware's screen, but for a host that is to be ignored, which gets no answer at all. Logs
// one line for each request that is done.
//
// Belongs to the loop's thread, but for Drain() and endpoints().
class TftpServer {
 public:
  // Called on the loop's thread; must not block.
  using Resolve = std::function<absl::StatusOr<ResolvedContent>(const ContentRequest& request)>;

  struct Options {
    std::vector<IpEndpoint> listen;

    // Less if the limit of open files (RLIMIT_NOFILE) is below four for each. When it is reached,
    // the oldest transfer whose client has never answered makes room: a flood of forged requests
    // does not keep hosts from booting.
    size_t max_transfers = 8192;

    // For requests that come all at once, as after a power cut; the kernel's default holds about
    // 280.
    int receive_buffer_bytes = 8 << 20;

    tftp::OpenTransfer::Limits limits;
  };

  // Listens from now on; answers as soon as the loop runs. `loop` must outlive it.
  // Errors: the system's, naming the endpoint.
  static absl::StatusOr<std::unique_ptr<TftpServer>> Open(EventLoop& loop, Options options,
                                                          Resolve resolve);

  // Open transfers are cut: their clients get an ERROR. REQUIRES: the loop's thread, or nobody in
  // EventLoop::Run().
  ~TftpServer();
  TftpServer(const TftpServer&) = delete;
  TftpServer& operator=(const TftpServer&) = delete;

  // Where it listens, with the real ports. Thread-safe.
  const std::vector<IpEndpoint>& endpoints() const { return endpoints_; }

  // Takes no more requests and waits until the open transfers are done. Returns how many were not
  // within `limit`; they go on. From any thread but the loop's, while the loop runs.
  size_t Drain(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Listener {
    UdpSocket socket;
    EventLoop::WatchId watch;
  };
  struct Slot {
    std::unique_ptr<tftp::OpenTransfer> transfer;
    // Its place in unanswered_; end() once it is known to be answered.
    std::list<IpEndpoint>::iterator place;
  };
  using Slots = absl::flat_hash_map<IpEndpoint, Slot>;

  TftpServer(EventLoop& loop, Options options, Resolve resolve);

  absl::Status Listen(const IpEndpoint& endpoint);
  void StopListening() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnReadable(Listener& listener);
  void OnDatagram(Listener& listener, const Datagram& datagram);
  void OnReadRequest(Listener& listener, const Datagram& datagram, tftp::ReadRequest request);
  // True if the client has a transfer open that this request belongs to. Ends one that it does not.
  bool AnsweredByOpenTransfer(const Datagram& datagram, const tftp::ReadRequest& request);
  void StartTransfer(const Datagram& datagram, tftp::ReadRequest request, ResolvedContent content);
  // Makes room for one more; false if every transfer is a real one.
  bool MakeRoom();
  void OnEnd(const IpEndpoint& client);
  void Remove(Slots::iterator slot) ABSL_LOCKS_EXCLUDED(mutex_);
  void Refuse(Listener& listener, const Datagram& datagram, tftp::ErrorCode code,
              absl::string_view text);
  void WarnOfOverload(absl::string_view reason);

  EventLoop& loop_;
  const Options options_;
  const Resolve resolve_;
  const size_t max_transfers_;  // As configured, or what the limit of open files allows.
  std::vector<IpEndpoint> endpoints_;

  // The loop's thread only.
  std::vector<std::unique_ptr<Listener>> listeners_;
  ReceiveBatch requests_;
  tftp::OpenTransfer::Buffers buffers_;
  Slots transfers_;
  // Oldest first; those among them that were answered since are dropped when they are met.
  std::list<IpEndpoint> unanswered_;
  EventLoop::TimePoint next_overload_warning_;

  absl::Mutex mutex_;
  bool listening_ ABSL_GUARDED_BY(mutex_) = true;
  size_t open_transfers_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace autopxe::agent
