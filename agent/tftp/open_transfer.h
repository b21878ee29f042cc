#pragma once

#include <cstddef>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "agent/content/path_resolver.h"
#include "agent/content/recent_chunks.h"
#include "agent/net/event_loop.h"
#include "agent/net/outbox.h"
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

// A transfer with its I/O: the content, a timer, and a socket that it shares with other transfers.
// What it sends goes into the outbox, which the caller empties. Belongs to the loop's thread.
class OpenTransfer {
 public:
  struct Limits {
    OptionLimits options;
    Transfer::Limits transfer;
  };

  // What all transfers of a loop use in turn.
  struct Shared {
    EventLoop& loop;
    Outbox& outbox;  // With room for kOutboxBytes.
    RecentChunks& chunks;
  };

  // A window is read and sent in parts of so many bytes.
  static constexpr size_t kBurstBytes = 64 * 1024;
  static constexpr size_t kOutboxBytes = 4 * kBurstBytes;

  // `socket` and what is shared must outlive it. `request_bytes` is the length of the request.
  // `on_end` is called once, when the transfer has ended by itself, and may destroy it.
  OpenTransfer(const Shared& shared, UdpSocket& socket, const Peer& peer, ReadRequest request,
               size_t request_bytes, ResolvedContent content, const Limits& limits,
               std::function<void()> on_end);
  ~OpenTransfer();
  OpenTransfer(const OpenTransfer&) = delete;
  OpenTransfer& operator=(const OpenTransfer&) = delete;

  // Sends the first packet. May end the transfer.
  void Start();

  // The same request came again. May end the transfer.
  void Repeat();

  // The peer has sent this to the socket. Returns whether the transfer is open: if it is not, it
  // may be destroyed.
  bool OnPacket(absl::string_view bytes, EventLoop::TimePoint now);

  // Ends it and tells the peer so; on_end is not called.
  void Abort(const absl::Status& status) { transfer_.Fail(status); }

  const ReadRequest& request() const { return request_; }
  const ResolvedContent& content() const { return content_; }
  const Peer& peer() const { return peer_; }
  const Transfer& transfer() const { return transfer_; }
  // Where it sends from; its port is the transfer's id on this side.
  const UdpSocket& socket() const { return socket_; }
  EventLoop::TimePoint started() const { return started_; }

 private:
  void OnTimer();
  // After whatever can have moved the transfer on. Returns whether it is open. Nothing may follow
  // if it is not: this object may be destroyed.
  bool Settle();

  absl::StatusOr<uint64_t> SendBlocks(uint64_t first, uint64_t count);
  void Send(absl::string_view bytes, size_t segment_bytes);

  EventLoop& loop_;
  Outbox& outbox_;
  UdpSocket& socket_;
  const Peer peer_;
  const ReadRequest request_;
  const ResolvedContent content_;
  std::function<void()> on_end_;
  const EventLoop::TimePoint started_;

  const NegotiatedOptions options_;
  BlockReader reader_;
  Transfer transfer_;

  // Kept while it is not later than the transfer's deadline: most packets move that on, and few
  // ever reach it.
  absl::optional<EventLoop::TimerId> timer_;
};

}  // namespace autopxe::agent::tftp
