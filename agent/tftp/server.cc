#include "agent/tftp/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "agent/tftp/request_log.h"
#include "agent/tftp/transfer_ports.h"
#include "common/runtime/clock.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// A request is at most 512 bytes; what is longer is only to be recognised as such.
constexpr size_t kReceivedBytes = tftp::kMaxRequestBytes + 1;
constexpr size_t kReceivedAtOnce = 64;

// Enough that who has forged a request must send an answer to each of many to prove it real, few
// enough that packets of many clients are read at once.
constexpr size_t kTransferPorts = 64;

// What is to leave at once: transfers share a socket, and each sends whole windows.
constexpr int kSendBufferBytes = 8 << 20;

// A transfer has a file. As many descriptors again are left to the rest of the process.
constexpr size_t kDescriptorsForATransfer = 2;

constexpr size_t kFormerClients = 4096;

constexpr auto kBetweenOverloadWarnings = std::chrono::seconds(10);

size_t TransfersThatDescriptorsAllow() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  return std::max<size_t>(1, limit.rlim_cur / kDescriptorsForATransfer);
}

// As far as the limit of open files allows; warns where it does not.
tftp::OpenTransfers::Limits LimitsWithinDescriptors(const tftp::ServingLimits& limits) {
  const size_t allowed = TransfersThatDescriptorsAllow();
  if (allowed < limits.max_transfers) {
    LogLine("few-descriptors")
        .Add("protocol", "tftp")
        .Add("max_transfers", allowed)
        .Add("wanted", limits.max_transfers)
        .Add("remedy", absl::StrCat("raise the limit of open files (LimitNOFILE=) to ",
                                    limits.max_transfers * kDescriptorsForATransfer))
        .Warn();
  }
  return {.all = std::min(limits.max_transfers, allowed),
          .of_address = limits.max_transfers_of_address};
}

}  // namespace

TftpServer::TftpServer(EventLoop& loop, Options options, Resolve resolve)
    : loop_(loop),
      options_(std::move(options)),
      resolve_(std::move(resolve)),
      received_(kReceivedAtOnce, kReceivedBytes),
      outbox_(tftp::OpenTransfer::kOutboxBytes),
      refusals_(outbox_),
      transfers_(LimitsWithinDescriptors(options_.serving)),
      block_size_limit_(options_.serving.max_block_size),
      former_clients_(kFormerClients) {}

TftpServer::~TftpServer() {
  StopListening();
  transfers_.ForEach([](tftp::OpenTransfer& transfer) {
    transfer.Abort(absl::CancelledError("the server shuts down"));
    tftp::LogEnded(transfer, "shutdown");
  });
  outbox_.Flush();
  for (const auto& port : ports_) loop_.Unwatch(port->watch);
}

absl::StatusOr<std::unique_ptr<TftpServer>> TftpServer::Open(EventLoop& loop, Options options,
                                                             Resolve resolve) {
  std::unique_ptr<TftpServer> server(new TftpServer(loop, std::move(options), std::move(resolve)));
  // All before any transfer's: a range may hold a port that another one listens at.
  std::vector<Port*> listeners;
  for (const IpEndpoint& endpoint : server->options_.listen) {
    ASSIGN_OR_RETURN(Port* const listener, server->Listen(endpoint));
    listeners.push_back(listener);
  }
  for (Port* const listener : listeners) {
    RETURN_IF_ERROR(server->OpenTransferPorts(*listener, listeners));
  }
  for (const IpEndpoint& local : server->endpoints_) {
    LogLine("listening").Add("protocol", "tftp").Add("address", local.Format()).Info();
  }
  return server;
}

absl::StatusOr<TftpServer::Port*> TftpServer::Listen(const IpEndpoint& endpoint) {
  ASSIGN_OR_RETURN(UdpSocket socket, UdpSocket::Open(endpoint));
  const absl::Status reserved = socket.ReserveReceiveBuffer(options_.receive_buffer_bytes);
  if (!reserved.ok()) {
    LogLine("small-receive-buffer")
        .Add("protocol", "tftp")
        .Add("warning", std::string(reserved.message()))
        .Warn();
  }
  ASSIGN_OR_RETURN(Port* const listener, AddPort(std::move(socket)));
  listener->takes_requests = true;
  endpoints_.push_back(listener->socket.local());
  return listener;
}

absl::Status TftpServer::OpenTransferPorts(Port& listener,
                                           const std::vector<Port*>& other_listeners) {
  if (options_.single_port) {
    listener.transfer_ports = {&listener};
    listener.has_transfers = true;
    return absl::OkStatus();
  }
  const IpAddress& address = listener.socket.local().address;
  for (const Port* const other : other_listeners) {
    if (other->socket.local().address != address || other->transfer_ports.empty()) continue;
    listener.transfer_ports = other->transfer_ports;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(std::vector<UdpSocket> sockets,
                   tftp::OpenTransferPorts(address, kTransferPorts, options_.ports));
  for (UdpSocket& socket : sockets) {
    // As many acknowledgements as there were requests come at once; the warning was said for
    // requests.
    socket.ReserveReceiveBuffer(options_.receive_buffer_bytes).IgnoreError();
    ASSIGN_OR_RETURN(Port* const port, AddPort(std::move(socket)));
    port->has_transfers = true;
    listener.transfer_ports.push_back(port);
  }
  return absl::OkStatus();
}

absl::StatusOr<TftpServer::Port*> TftpServer::AddPort(UdpSocket socket) {
  const absl::Status reserved = socket.ReserveSendBuffer(kSendBufferBytes);
  if (!reserved.ok() && !std::exchange(warned_of_send_buffer_, true)) {
    LogLine("small-send-buffer")
        .Add("protocol", "tftp")
        .Add("warning", std::string(reserved.message()))
        .Warn();
  }
  auto port = std::make_unique<Port>(Port{.socket = std::move(socket)});
  Port* const self = port.get();
  ASSIGN_OR_RETURN(port->watch,
                   loop_.Watch(self->socket.fd(), [this, self] { OnReadable(*self); }));
  ports_.push_back(std::move(port));
  return self;
}

void TftpServer::StopListening() {
  outbox_.Flush();
  const auto is_done = [this](const std::unique_ptr<Port>& port) {
    if (!port->takes_requests) return false;
    port->takes_requests = false;
    if (port->has_transfers) return false;
    loop_.Unwatch(port->watch);
    return true;
  };
  ports_.erase(std::remove_if(ports_.begin(), ports_.end(), is_done), ports_.end());
  absl::MutexLock lock(&mutex_);
  listening_ = false;
  drained_.Notify();
}

void TftpServer::SetLimits(const tftp::ServingLimits& limits) {
  loop_.Post([this, limits] {
    transfers_.SetLimits(LimitsWithinDescriptors(limits));
    block_size_limit_.Set(limits.max_block_size);
  });
}

size_t TftpServer::Drain(absl::Duration limit) {
  loop_.Post([this] { StopListening(); });
  const SystemClock clock;
  const absl::Duration end = clock.Monotonic() + limit;
  while (true) {
    const absl::Duration left = end - clock.Monotonic();
    {
      absl::MutexLock lock(&mutex_);
      if ((!listening_ && open_transfers_ == 0) || left <= absl::ZeroDuration()) {
        return open_transfers_;
      }
    }
    drained_.WaitFor(left);
  }
}

void TftpServer::OnReadable(Port& port) {
  const absl::Status received = port.socket.Receive(received_);
  if (!received.ok()) {
    WarnOfOverload(received.message());
    return;
  }
  const EventLoop::TimePoint now = EventLoop::Now();
  for (const Datagram& datagram : received_.datagrams()) {
    // RFC 1123, 4.2.3.4: a request to a broadcast address is not answered. Nobody listens at port
    // 0.
    if (!datagram.unicast || datagram.from.port == 0) continue;
    if (tftp::IsRequest(datagram.bytes)) {
      // Where none is taken, or none any more, its sender hears nothing and asks again: by then
      // another may have taken this one's place.
      if (port.takes_requests) OnRequest(port, datagram);
    } else if (port.has_transfers) {
      OnTransferPacket(port, datagram, now);
    }
    // Else it has come late, or astray, and its sender waits for nothing.
  }
  outbox_.Flush();
}

void TftpServer::OnRequest(Port& port, const Datagram& datagram) {
  absl::StatusOr<tftp::Packet> packet = tftp::ParsePacket(datagram.bytes);
  if (!packet.ok()) {
    refusals_.Refuse(port.socket, datagram, tftp::ErrorCode::kIllegalOperation,
                     packet.status().message());
    tftp::LogRefused(datagram.from, "", "malformed", packet.status().message());
  } else if (auto* read = std::get_if<tftp::ReadRequest>(&*packet)) {
    OnReadRequest(port, datagram, std::move(*read));
  } else if (const auto* write = std::get_if<tftp::WriteRequest>(&*packet)) {
    const absl::string_view text = "this server takes no files";
    refusals_.Refuse(port.socket, datagram, tftp::ErrorCode::kAccessViolation, text);
    tftp::LogRefused(datagram.from, write->path, "write-refused", text);
  }
}

void TftpServer::OnReadRequest(Port& port, const Datagram& datagram, tftp::ReadRequest request) {
  if (AnsweredByOpenTransfer(datagram, request)) return;
  absl::StatusOr<ResolvedContent> content =
      resolve_(ContentRequest{.transport = Transport::kTftp,
                              .path = request.path,
                              .query = {},
                              .from_ipxe = tftp::IsFromIpxe(request),
                              .asked_at = datagram.to});
  if (content.ok()) {
    StartTransfer(port, datagram, std::move(request), *std::move(content));
    return;
  }
  const absl::Status& status = content.status();
  switch (status.code()) {
    case absl::StatusCode::kPermissionDenied:
      tftp::LogRefused(datagram.from, request.path, "ignored", "");
      return;
    case absl::StatusCode::kNotFound:
      refusals_.RefuseRead(port.socket, datagram, request, tftp::ErrorCode::kFileNotFound,
                           status.message());
      tftp::LogRefused(datagram.from, request.path, "not-found", "");
      return;
    case absl::StatusCode::kInvalidArgument:
      refusals_.RefuseRead(port.socket, datagram, request, tftp::ErrorCode::kAccessViolation,
                           status.message());
      tftp::LogRefused(datagram.from, request.path, "refused", status.message());
      return;
    default:
      refusals_.RefuseRead(port.socket, datagram, request, tftp::ErrorCode::kNotDefined,
                           status.message());
      tftp::LogRefused(datagram.from, request.path, "unavailable", status.message());
  }
}

bool TftpServer::AnsweredByOpenTransfer(const Datagram& datagram,
                                        const tftp::ReadRequest& request) {
  const auto client = tftp::Client::Of(datagram);
  tftp::OpenTransfer* const open = transfers_.Find(client);
  if (open == nullptr) return false;
  if (open->request() == request && open->peer().asked_at == datagram.to) {
    if (!open->transfer().is_answered()) {
      open->Repeat();
      return true;
    }
    // A copy that the network made or delayed; or, if the client has fallen silent, its next try
    // from the same port.
    if (!open->transfer().is_stalled()) return true;
  }
  // One port, one transfer: the client has turned to something else.
  tftp::LogEnded(*open, "superseded");
  Remove(client);
  return false;
}

void TftpServer::OnTransferPacket(Port& port, const Datagram& datagram, EventLoop::TimePoint now) {
  const auto client = tftp::Client::Of(datagram);
  tftp::OpenTransfer* const open = transfers_.Find(client);
  if (open == nullptr) return OnStray(port, datagram, now);
  // What its client sends elsewhere belongs to a transfer that it had before.
  if (&open->socket() != &port.socket || open->peer().asked_at != datagram.to) return;
  if (open->OnPacket(datagram.bytes, now) && open->transfer().is_answered()) {
    transfers_.NoteAnswer(client);
  }
}

void TftpServer::OnStray(Port& port, const Datagram& datagram, EventLoop::TimePoint now) {
  // A copy of its last packets, and nothing that the client should hear of: it may have asked again
  // from the same port, and would take the ERROR for the answer.
  if (former_clients_.Find(tftp::Client::Of(datagram)) == port.socket.local().port) return;
  refusals_.RefuseStray(port.socket, datagram, now);
}

void TftpServer::StartTransfer(Port& port, const Datagram& datagram, tftp::ReadRequest request,
                               ResolvedContent content) {
  const auto client = tftp::Client::Of(datagram);
  if (const absl::Status room = MakeRoom(client.endpoint.address); !room.ok()) {
    return RefuseForNow(port, datagram, request, room.message());
  }
  tftp::OpenTransfer::Limits limits = options_.limits;
  limits.options.max_block_size = block_size_limit_.For(datagram, EventLoop::Now());
  const std::function<void()> on_fetch = content.on_fetch;
  auto transfer = std::make_unique<tftp::OpenTransfer>(
      tftp::OpenTransfer::Shared{loop_, outbox_, chunks_}, TransferPortFor(port, client).socket,
      tftp::Peer{datagram.from, datagram.to, datagram.interface_index}, std::move(request),
      datagram.bytes.size(), std::move(content), limits, [this, client] { OnEnd(client); });
  tftp::OpenTransfer& open = *transfer;
  transfers_.Add(client, std::move(transfer));
  {
    absl::MutexLock lock(&mutex_);
    ++open_transfers_;
  }
  on_fetch();
  open.Start();
}

TftpServer::Port& TftpServer::TransferPortFor(const Port& port, const tftp::Client& client) {
  const std::vector<Port*>& ports = port.transfer_ports;
  // RFC 1350, 4: at random. What somebody else is answered from tells nothing of it.
  const size_t drawn = absl::Uniform<size_t>(random_, 0, ports.size());
  Port* const next = ports[drawn];
  if (former_clients_.Find(client) != next->socket.local().port) return *next;
  return *ports[(drawn + 1) % ports.size()];
}

absl::Status TftpServer::MakeRoom(const IpAddress& address) {
  // Two for one at the most: limits that were lowered are reached soon, and no request pays for all
  // who are too many.
  for (int gone = 0; gone < 2; ++gone) {
    const auto crowd = transfers_.CrowdFor(address);
    if (!crowd.has_value()) break;
    tftp::OpenTransfer& first = *transfers_.Find(crowd->first);
    const bool is_silent =
        EventLoop::Now() - first.transfer().progressed() >= options_.gives_way_after;
    if (crowd->is_answered && !is_silent) {
      if (gone > 0) break;
      return absl::ResourceExhaustedError(absl::StrCat(
          crowd->open, " transfers ",
          crowd->of_address ? absl::StrCat("of ", address.Format(), " ") : "", "are open"));
    }
    first.Abort(absl::ResourceExhaustedError("too many transfers"));
    tftp::LogEnded(first, "evicted");
    Remove(crowd->first);
  }
  return absl::OkStatus();
}

void TftpServer::OnEnd(const tftp::Client& client) {
  tftp::LogEnded(*transfers_.Find(client));
  Remove(client);
}

void TftpServer::Remove(const tftp::Client& client) {
  std::unique_ptr<tftp::OpenTransfer> transfer = transfers_.Remove(client);
  former_clients_.Add(client, transfer->socket().local().port);
  transfer = nullptr;  // With its file, before Drain() counts it out.
  if (transfers_.empty()) chunks_.Clear();
  absl::MutexLock lock(&mutex_);
  --open_transfers_;
  if (!listening_ && open_transfers_ == 0) drained_.Notify();
}

void TftpServer::RefuseForNow(Port& port, const Datagram& datagram,
                              const tftp::ReadRequest& request, absl::string_view reason) {
  refusals_.RefuseRead(port.socket, datagram, request, tftp::ErrorCode::kNotDefined,
                       "too many transfers at once; ask again");
  tftp::LogRefused(datagram.from, request.path, "overload", reason);
  WarnOfOverload(reason);
}

void TftpServer::WarnOfOverload(absl::string_view reason) {
  const EventLoop::TimePoint now = EventLoop::Now();
  if (now < next_overload_warning_) return;
  next_overload_warning_ = now + kBetweenOverloadWarnings;
  LogLine("requests-dropped").Add("protocol", "tftp").Add("reason", reason).Warn();
}

}  // namespace autopxe::agent
