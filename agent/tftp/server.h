#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/content/path_resolver.h"
#include "agent/content/recent_chunks.h"
#include "agent/net/event_loop.h"
#include "agent/net/outbox.h"
#include "agent/net/port_range.h"
#include "agent/net/udp_socket.h"
#include "agent/tftp/block_size_limit.h"
#include "agent/tftp/client.h"
#include "agent/tftp/former_clients.h"
#include "agent/tftp/open_transfer.h"
#include "agent/tftp/open_transfers.h"
#include "agent/tftp/refusals.h"
#include "agent/tftp/serving_limits.h"
#include "common/runtime/wakeup.h"

namespace autopxe::agent {

// Answers TFTP read requests (RFC 1350 with the options of RFCs 2348, 2349 and 7440) with what
// `resolve` finds; refuses writes. Every refusal is an ERROR with a text that helps the person at
// the firmware's screen, but for a host that is to be ignored, which gets no answer at all. Logs
// one line for each request that is done.
//
// Transfers share a few ports. RFC 1350 (4) tells a transfer by the ports of both its ends, and the
// client's is its own: so one of ours serves any number of them, without a socket to be opened,
// watched and closed for each, and what comes from many clients at once is read at once.
//
// Belongs to the loop's thread, but for SetLimits(), Drain() and endpoints().
class TftpServer {
 public:
  // Called on the loop's thread; must not block.
  using Resolve = std::function<absl::StatusOr<ResolvedContent>(const ContentRequest& request)>;

  struct Options {
    std::vector<IpEndpoint> listen;

    tftp::ServingLimits serving;

    // How long a client that did answer must have been silent to make room. One that only lost a
    // packet goes on: where every transfer is a real one, those that are served first are done
    // first.
    EventLoop::Clock::duration gives_way_after = std::chrono::seconds(5);

    // Where transfers go out from: of these ports, or else any that are free; or the one that was
    // asked itself, which every firewall and NAT lets through.
    absl::optional<PortRange> ports;
    bool single_port = false;

    // For requests that come all at once, as after a power cut; the kernel's default holds about
    // 280.
    int receive_buffer_bytes = 8 << 20;

    tftp::OpenTransfer::Limits limits;  // But for the size of blocks: `serving` has it.
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

  // From soon on, for requests that come then. From any thread, while the loop runs.
  void SetLimits(const tftp::ServingLimits& limits);

  // Takes no more requests and waits until the open transfers are done. Returns how many were not
  // within `limit`; they go on. From one thread, not the loop's, while the loop runs.
  size_t Drain(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // A socket: one that takes requests, or one that transfers share, or both.
  struct Port {
    UdpSocket socket;
    EventLoop::WatchId watch = 0;
    bool takes_requests = false;
    bool has_transfers = false;
    // Where what is asked for here goes out from; itself, if it is to be a single port.
    std::vector<Port*> transfer_ports;
  };

  TftpServer(EventLoop& loop, Options options, Resolve resolve);

  absl::StatusOr<Port*> Listen(const IpEndpoint& endpoint);
  // For what is asked for at `listener`; those of another one at the same address, if there are
  // any.
  absl::Status OpenTransferPorts(Port& listener, const std::vector<Port*>& other_listeners);
  absl::StatusOr<Port*> AddPort(UdpSocket socket);
  void StopListening() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnReadable(Port& port);
  void OnRequest(Port& port, const Datagram& datagram);
  void OnReadRequest(Port& port, const Datagram& datagram, tftp::ReadRequest request);
  // What belongs to a transfer, or should.
  void OnTransferPacket(Port& port, const Datagram& datagram, EventLoop::TimePoint now);
  void OnStray(Port& port, const Datagram& datagram, EventLoop::TimePoint now);
  // True if the client has a transfer open that this request belongs to. Ends one that it does not.
  bool AnsweredByOpenTransfer(const Datagram& datagram, const tftp::ReadRequest& request);
  void StartTransfer(Port& port, const Datagram& datagram, tftp::ReadRequest request,
                     ResolvedContent content);
  Port& TransferPortFor(const Port& port, const tftp::Client& client);
  // For one more of this address.
  // Errors: RESOURCE_EXHAUSTED if every transfer in the way is a real one, saying how many are.
  absl::Status MakeRoom(const IpAddress& address);
  void OnEnd(const tftp::Client& client);
  void Remove(const tftp::Client& client) ABSL_LOCKS_EXCLUDED(mutex_);
  void RefuseForNow(Port& port, const Datagram& datagram, const tftp::ReadRequest& request,
                    absl::string_view reason);
  void WarnOfOverload(absl::string_view reason);

  EventLoop& loop_;
  const Options options_;
  const Resolve resolve_;
  std::vector<IpEndpoint> endpoints_;

  // The loop's thread only.
  ReceiveBatch received_;
  Outbox outbox_;
  tftp::Refusals refusals_;
  RecentChunks chunks_;                 // While there are transfers.
  bool warned_of_send_buffer_ = false;  // All ports have the same.
  // Before the transfers, which use them.
  std::vector<std::unique_ptr<Port>> ports_;
  tftp::OpenTransfers transfers_;
  tftp::BlockSizeLimit block_size_limit_;
  tftp::FormerClients former_clients_;
  absl::BitGen random_;
  EventLoop::TimePoint next_overload_warning_;

  absl::Mutex mutex_;
  bool listening_ ABSL_GUARDED_BY(mutex_) = true;
  size_t open_transfers_ ABSL_GUARDED_BY(mutex_) = 0;
  Wakeup drained_;  // Once it no longer listens.
};

}  // namespace autopxe::agent
