#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/content/path_resolver.h"
#include "agent/net/event_loop.h"
#include "agent/net/udp_socket.h"
#include "agent/tftp/block_reader.h"
#include "agent/tftp/options.h"
#include "agent/tftp/packet.h"
#include "agent/tftp/transfer.h"

namespace autopxe::agent::tftp {

// Whom a transfer is for.
struct Peer {
  IpEndpoint endpoint;      // Its transfer id (RFC 1350, 4) with its address.
  IpAddress asked_at;       // The agent's address that it used, and expects its answers from.
  int interface_index = 0;  // Where its request came in.
};

// A transfer with its I/O: a socket of its own, whose port is the transfer's id on this side, a
// timer, and the content. Belongs to the loop's thread.
class OpenTransfer {
 public:
  // What all transfers of a loop use in turn.
  struct Buffers {
    ReceiveBatch received{8, kMaxRequestBytes};
    std::vector<char> packet;
  };

  struct Limits {
    OptionLimits options;
    Transfer::Limits transfer;
  };

  // `loop` and `buffers` must outlive it. `on_end` is called once, when the transfer has ended by
  // itself, and may destroy it.
  // Errors: the system's.
  static absl::StatusOr<std::unique_ptr<OpenTransfer>> Open(EventLoop& loop, Peer peer,
                                                            ReadRequest request,
                                                            ResolvedContent content,
                                                            const Limits& limits, Buffers& buffers,
                                                            std::function<void()> on_end);
  ~OpenTransfer();
  OpenTransfer(const OpenTransfer&) = delete;
  OpenTransfer& operator=(const OpenTransfer&) = delete;

  // Sends the first packet. May end the transfer.
  void Start();

  // The same request came again. May end the transfer.
  void Repeat();

  // Ends it and tells the peer so; on_end is not called.
  void Abort(const absl::Status& status) { transfer_.Fail(status); }

  const ReadRequest& request() const { return request_; }
  const ResolvedContent& content() const { return content_; }
  const Peer& peer() const { return peer_; }
  const Transfer& transfer() const { return transfer_; }
  EventLoop::TimePoint started() const { return started_; }

 private:
  OpenTransfer(EventLoop& loop, UdpSocket socket, Peer peer, ReadRequest request,
               ResolvedContent content, const Limits& limits, Buffers& buffers,
               std::function<void()> on_end);

  void OnReadable();
  void OnDatagram(const Datagram& datagram);
  void OnTimer();
  // After whatever can have moved the transfer on. Nothing may follow it: it may destroy this
  // object.
  void Settle();

  absl::StatusOr<size_t> SendBlock(uint64_t index);
  void SendTo(const IpEndpoint& to, absl::string_view packet);

  EventLoop& loop_;
  UdpSocket socket_;
  const Peer peer_;
  const ReadRequest request_;
  const ResolvedContent content_;
  Buffers& buffers_;
  std::function<void()> on_end_;
  const EventLoop::TimePoint started_;

  const NegotiatedOptions options_;
  BlockReader reader_;
  Transfer transfer_;

  absl::optional<EventLoop::WatchId> watch_;
  // Kept while it is not later than the transfer's deadline: most packets move that on, and few
  // ever reach it.
  absl::optional<EventLoop::TimerId> timer_;
  int intruders_answered_ = 0;
};

}  // namespace autopxe::agent::tftp
