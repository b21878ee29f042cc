#include "agent/tftp/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "agent/tftp/request_log.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// A request is at most 512 bytes; what is longer is only to be recognised as such.
constexpr size_t kRequestBytes = tftp::kMaxRequestBytes + 1;
constexpr size_t kRequestsAtOnce = 64;

// A transfer has a socket and a file. As many descriptors again are left to the rest of the
// process.
constexpr size_t kDescriptorsForATransfer = 4;

constexpr auto kBetweenOverloadWarnings = std::chrono::seconds(10);

size_t TransfersThatDescriptorsAllow() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  return std::max<size_t>(1, limit.rlim_cur / kDescriptorsForATransfer);
}

}  // namespace

TftpServer::TftpServer(EventLoop& loop, Options options, Resolve resolve)
    : loop_(loop),
      options_(std::move(options)),
      resolve_(std::move(resolve)),
      max_transfers_(std::min(options_.max_transfers, TransfersThatDescriptorsAllow())),
      requests_(kRequestsAtOnce, kRequestBytes) {}

TftpServer::~TftpServer() {
  StopListening();
  for (const auto& [client, slot] : transfers_) {
    slot.transfer->Abort(absl::CancelledError("the server shuts down"));
    tftp::LogEnded(*slot.transfer, "shutdown");
  }
}

absl::StatusOr<std::unique_ptr<TftpServer>> TftpServer::Open(EventLoop& loop, Options options,
                                                             Resolve resolve) {
  std::unique_ptr<TftpServer> server(new TftpServer(loop, std::move(options), std::move(resolve)));
  if (server->max_transfers_ < server->options_.max_transfers) {
    LogLine("few-descriptors")
        .Add("protocol", "tftp")
        .Add("max_transfers", server->max_transfers_)
        .Add("wanted", server->options_.max_transfers)
        .Add("remedy", absl::StrCat("raise the limit of open files (LimitNOFILE=) to ",
                                    server->options_.max_transfers * kDescriptorsForATransfer))
        .Warn();
  }
  for (const IpEndpoint& endpoint : server->options_.listen) {
    RETURN_IF_ERROR(server->Listen(endpoint));
  }
  return server;
}

absl::Status TftpServer::Listen(const IpEndpoint& endpoint) {
  ASSIGN_OR_RETURN(UdpSocket socket, UdpSocket::Open(endpoint));
  const absl::Status reserved = socket.ReserveReceiveBuffer(options_.receive_buffer_bytes);
  if (!reserved.ok()) {
    LogLine("small-receive-buffer")
        .Add("protocol", "tftp")
        .Add("warning", std::string(reserved.message()))
        .Warn();
  }
  const IpEndpoint local = socket.local();
  auto listener = std::make_unique<Listener>(Listener{std::move(socket), 0});
  Listener* const self = listener.get();
  ASSIGN_OR_RETURN(listener->watch,
                   loop_.Watch(self->socket.fd(), [this, self] { OnReadable(*self); }));
  listeners_.push_back(std::move(listener));
  endpoints_.push_back(local);
  LogLine("listening").Add("protocol", "tftp").Add("address", local.Format()).Info();
  return absl::OkStatus();
}

void TftpServer::StopListening() {
  for (const auto& listener : listeners_) loop_.Unwatch(listener->watch);
  listeners_.clear();
  absl::MutexLock lock(&mutex_);
  listening_ = false;
}

size_t TftpServer::Drain(absl::Duration limit) {
  loop_.Post([this] { StopListening(); });
  absl::MutexLock lock(&mutex_);
  const auto drained = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !listening_ && open_transfers_ == 0;
  };
  mutex_.AwaitWithTimeout(absl::Condition(&drained), limit);
  return open_transfers_;
}

void TftpServer::OnReadable(Listener& listener) {
  const absl::Status received = listener.socket.Receive(requests_);
  if (!received.ok()) {
    WarnOfOverload(received.message());
    return;
  }
  for (const Datagram& datagram : requests_.datagrams()) OnDatagram(listener, datagram);
}

void TftpServer::OnDatagram(Listener& listener, const Datagram& datagram) {
  // RFC 1123, 4.2.3.4: a request to a broadcast address is not answered. Nobody listens at port 0.
  // What is not a request has come late, or astray, and its sender waits for nothing.
  if (!datagram.unicast || datagram.from.port == 0 || !tftp::IsRequest(datagram.bytes)) return;
  absl::StatusOr<tftp::Packet> packet = tftp::ParsePacket(datagram.bytes);
  if (!packet.ok()) {
    Refuse(listener, datagram, tftp::ErrorCode::kIllegalOperation, packet.status().message());
    tftp::LogRefused(datagram.from, "", "malformed", packet.status().message());
  } else if (auto* read = std::get_if<tftp::ReadRequest>(&*packet)) {
    OnReadRequest(listener, datagram, std::move(*read));
  } else if (const auto* write = std::get_if<tftp::WriteRequest>(&*packet)) {
    const absl::string_view text = "this server takes no files";
    Refuse(listener, datagram, tftp::ErrorCode::kAccessViolation, text);
    tftp::LogRefused(datagram.from, write->path, "write-refused", text);
  }
}

void TftpServer::OnReadRequest(Listener& listener, const Datagram& datagram,
                               tftp::ReadRequest request) {
  if (AnsweredByOpenTransfer(datagram, request)) return;
  absl::StatusOr<ResolvedContent> content =
      resolve_(ContentRequest{.transport = Transport::kTftp,
                              .path = request.path,
                              .query = {},
                              .from_ipxe = tftp::IsFromIpxe(request),
                              .asked_at = datagram.to});
  if (content.ok()) {
    StartTransfer(datagram, std::move(request), *std::move(content));
    return;
  }
  const absl::Status& status = content.status();
  switch (status.code()) {
    case absl::StatusCode::kPermissionDenied:
      tftp::LogRefused(datagram.from, request.path, "ignored", "");
      return;
    case absl::StatusCode::kNotFound:
      Refuse(listener, datagram, tftp::ErrorCode::kFileNotFound, status.message());
      tftp::LogRefused(datagram.from, request.path, "not-found", "");
      return;
    case absl::StatusCode::kInvalidArgument:
      Refuse(listener, datagram, tftp::ErrorCode::kAccessViolation, status.message());
      tftp::LogRefused(datagram.from, request.path, "refused", status.message());
      return;
    default:
      Refuse(listener, datagram, tftp::ErrorCode::kNotDefined, status.message());
      tftp::LogRefused(datagram.from, request.path, "unavailable", status.message());
  }
}

bool TftpServer::AnsweredByOpenTransfer(const Datagram& datagram,
                                        const tftp::ReadRequest& request) {
  const auto slot = transfers_.find(datagram.from);
  if (slot == transfers_.end()) return false;
  tftp::OpenTransfer& open = *slot->second.transfer;
  if (open.request() == request && open.peer().asked_at == datagram.to) {
    if (!open.transfer().is_answered()) {
      open.Repeat();
      return true;
    }
    // A copy that the network made or delayed; or, if the client has fallen silent, its next try
    // from the same port.
    if (!open.transfer().is_stalled()) return true;
  }
  // One port, one transfer: the client has turned to something else.
  tftp::LogEnded(open, "superseded");
  Remove(slot);
  return false;
}

void TftpServer::StartTransfer(const Datagram& datagram, tftp::ReadRequest request,
                               ResolvedContent content) {
  if (transfers_.size() >= max_transfers_ && !MakeRoom()) {
    // The client asks again by itself.
    WarnOfOverload(absl::StrCat(max_transfers_, " transfers are open"));
    return;
  }
  const IpEndpoint client = datagram.from;
  const std::function<void()> on_fetch = content.on_fetch;
  auto transfer = tftp::OpenTransfer::Open(loop_, {client, datagram.to, datagram.interface_index},
                                           std::move(request), std::move(content), options_.limits,
                                           buffers_, [this, client] { OnEnd(client); });
  if (!transfer.ok()) {
    WarnOfOverload(transfer.status().message());
    // Out of descriptors, it may be: the next request, or this one when it comes again, has room.
    MakeRoom();
    return;
  }
  tftp::OpenTransfer& open = **transfer;
  const auto place = unanswered_.insert(unanswered_.end(), client);
  transfers_.emplace(client, Slot{*std::move(transfer), place});
  {
    absl::MutexLock lock(&mutex_);
    ++open_transfers_;
  }
  on_fetch();
  open.Start();
}

bool TftpServer::MakeRoom() {
  while (!unanswered_.empty()) {
    const auto slot = transfers_.find(unanswered_.front());
    tftp::OpenTransfer& open = *slot->second.transfer;
    if (open.transfer().is_answered()) {
      slot->second.place = unanswered_.end();
      unanswered_.pop_front();
      continue;
    }
    open.Abort(absl::ResourceExhaustedError("too many transfers"));
    tftp::LogEnded(open, "evicted");
    Remove(slot);
    return true;
  }
  return false;
}

void TftpServer::OnEnd(const IpEndpoint& client) {
  const auto slot = transfers_.find(client);
  tftp::LogEnded(*slot->second.transfer);
  Remove(slot);
}

void TftpServer::Remove(Slots::iterator slot) {
  if (slot->second.place != unanswered_.end()) unanswered_.erase(slot->second.place);
  transfers_.erase(slot);
  absl::MutexLock lock(&mutex_);
  --open_transfers_;
}

void TftpServer::Refuse(Listener& listener, const Datagram& datagram, tftp::ErrorCode code,
                        absl::string_view text) {
  // Once, and not again: a client that misses it asks again.
  const std::string packet = tftp::BuildError(code, text);
  listener.socket
      .Send({OutgoingDatagram{.bytes = packet,
                              .to = datagram.from,
                              .from = datagram.to,
                              .interface_index = datagram.interface_index}})
      .IgnoreError();
}

void TftpServer::WarnOfOverload(absl::string_view reason) {
  const EventLoop::TimePoint now = EventLoop::Now();
  if (now < next_overload_warning_) return;
  next_overload_warning_ = now + kBetweenOverloadWarnings;
  LogLine("requests-dropped").Add("protocol", "tftp").Add("reason", reason).Warn();
}

}  // namespace autopxe::agent
