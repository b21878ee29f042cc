#include "bench/place.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/net/socket_address.h"
#include "common/status/status_macros.h"

namespace autopxe::bench {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

// Packets that are read before others have their turn.
constexpr int kPacketsAtOnce = 64;

// Breaks that may pass, as others' do: a server that is not there yet, or goes.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

absl::Status Failure(const char* what) {
  return absl::UnavailableError(absl::ErrnoToStatus(errno, what).message());
}

}  // namespace

Course::Course(const LoadOptions& options, int epoll)
    : options(options), epoll(epoll), loss(options.loss, options.seed), buffer(kBufferBytes) {
  for (const Step& step : options.steps) {
    references.push_back(
        step.has_reference && step.is_the_same_for_all() ? Reference(step.reference) : Reference());
  }
}

const Reference& Place::reference() const {
  return step().is_the_same_for_all() ? course_.references[step_] : own_reference_;
}

bool Place::Prepare() {
  if (course_.next_host == course_.options.hosts) return false;
  host_ = course_.next_host++;
  step_ = 0;
  attempts_ = 0;
  busy_ = true;
  OpenStep();
  return true;
}

void Place::OpenStep() {
  ++attempts_;
  again_at_ = absl::nullopt;
  read_ = absl::nullopt;
  response_ = absl::nullopt;
  if (!step().is_the_same_for_all()) {
    own_reference_ =
        step().has_reference ? Reference(ForHost(step().reference, host_)) : Reference();
  }
  opened_ = step().scheme == Scheme::kTftp ? OpenTftp() : OpenHttp();
}

absl::Status Place::Register(uint32_t events) {
  if (course_.options.own_addresses) {
    sockaddr_in own = {};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl((127u << 24 | 1u << 16) + number_);
    if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof(own)) != 0) {
      return Failure("can't take an address of its own");
    }
  }
  epoll_event event = {};
  event.events = events;
  event.data.u32 = number_;
  if (epoll_ctl(course_.epoll, EPOLL_CTL_ADD, socket_.get(), &event) != 0) {
    return Failure("can't watch a socket");
  }
  return absl::OkStatus();
}

absl::Status Place::OpenTftp() {
  const agent::SocketAddress server(step().server);
  connected_to_ = absl::nullopt;
  socket_.Reset(socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.is_open()) return Failure("can't open a UDP socket");
  RETURN_IF_ERROR(Register(EPOLLIN));
  has_peer_ = false;
  packets_ = 0;
  read_.emplace(ForHost(step().path, host_), course_.options.tftp, &reference());
  return absl::OkStatus();
}

absl::Status Place::OpenHttp() {
  response_.emplace(&reference());
  is_reused_ = socket_.is_open() && connected_to_ == step().server;
  if (is_reused_) return absl::OkStatus();
  const agent::SocketAddress server(step().server);
  connected_to_ = step().server;
  socket_.Reset(socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.is_open()) return Failure("can't open a TCP socket");
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  // Told when it can be written: once it is connected.
  return Register(EPOLLIN | EPOLLOUT | EPOLLET);
}

void Place::Begin(TimePoint now) {
  if (attempts_ == 1 && step_ == 0) begun_ = now;
  if (!opened_.ok()) return OnStepFailed(opened_, now);
  if (read_.has_value()) {
    SendTftp(read_->Start(now));
    if (course_.options.silent_after == 0) FallSilent();
    return;
  }
  deadline_ = now + course_.options.http_timeout;
  if (is_reused_) return SendHttp(now);
  const agent::SocketAddress server(step().server);
  if (connect(socket_.get(), server.get(), server.size()) != 0 && errno != EINPROGRESS) {
    OnStepFailed(Failure("can't connect"), now);
  }
}

void Place::OnEvent(uint32_t events, TimePoint now) {
  if (!busy_ || again_at_.has_value()) return;
  if (read_.has_value()) return OnTftp(now);
  if (!response_.has_value()) return;
  if ((events & EPOLLOUT) != 0 && response_->is_fresh() && !is_reused_ &&
      (events & EPOLLERR) == 0) {
    is_reused_ = true;  // Connected and asked: what follows is as on a kept connection.
    return SendHttp(now);
  }
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) OnHttp(now);
}

void Place::SendTftp(absl::string_view packet) {
  if (packet.empty() || course_.loss.Drops()) return;
  // What can't be sent is lost, as anywhere on the way.
  if (has_peer_) {
    [[maybe_unused]] const ssize_t sent =
        send(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  } else {
    const agent::SocketAddress server(step().server);
    [[maybe_unused]] const ssize_t sent = sendto(socket_.get(), packet.data(), packet.size(),
                                                 MSG_DONTWAIT, server.get(), server.size());
  }
}

void Place::OnTftp(TimePoint now) {
  for (int i = 0; i < kPacketsAtOnce && busy_ && read_.has_value(); ++i) {
    sockaddr_storage from;
    socklen_t from_size = sizeof(from);
    ssize_t got;
    if (has_peer_) {
      got = recv(socket_.get(), course_.buffer.data(), course_.buffer.size(), MSG_DONTWAIT);
    } else {
      got = recvfrom(socket_.get(), course_.buffer.data(), course_.buffer.size(), MSG_DONTWAIT,
                     reinterpret_cast<sockaddr*>(&from), &from_size);
    }
    if (got < 0) {
      // The server is gone, says ICMP; firmware does not listen to that.
      if (errno == ECONNREFUSED) continue;
      return;
    }
    if (course_.loss.Drops()) continue;
    if (!has_peer_) {
      // RFC 1350: the port that answers is the transfer's, and no other's packets are of it.
      if (connect(socket_.get(), reinterpret_cast<sockaddr*>(&from), from_size) != 0) return;
      has_peer_ = true;
    }
    ++packets_;
    if (course_.options.silent_after == packets_) return FallSilent();
    SendTftp(read_->OnPacket(absl::string_view(course_.buffer.data(), got), now));
    if (!read_->is_open()) return AfterTftp(now);
    // One block at a time: nothing else can be there.
    if (course_.options.tftp.window_size <= 1) return;
  }
}

void Place::AfterTftp(TimePoint now) {
  course_.result.bytes += read_->bytes();
  course_.result.resent += read_->resent();
  course_.result.repeated += read_->repeated();
  const absl::Status status = read_->status();
  read_ = absl::nullopt;
  socket_.Reset();
  if (status.ok()) return OnStepDone(now);
  OnStepFailed(status, now);
}

void Place::SendHttp(TimePoint now) {
  const std::string request =
      absl::StrCat("GET /", ForHost(step().path, host_),
                   " HTTP/1.1\r\nHost: ", step().server.Format(), "\r\n\r\n");
  // It is shorter than any socket's buffer.
  const ssize_t sent = send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) OnStepFailed(Failure("can't ask"), now);
}

void Place::OnHttp(TimePoint now) {
  // Edge-triggered: until nothing is left.
  for (;;) {
    const ssize_t got = recv(socket_.get(), course_.buffer.data(), course_.buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got <= 0) {
      if (got == 0) errno = ECONNRESET;
      return OnStepFailed(Failure("the connection broke"), now);
    }
    deadline_ = now + course_.options.http_timeout;
    const absl::StatusOr<size_t> taken =
        response_->Take(absl::string_view(course_.buffer.data(), got));
    if (!taken.ok()) return OnStepFailed(taken.status(), now);
    if (!response_->is_done()) continue;
    if (*taken != static_cast<size_t>(got)) {
      return OnStepFailed(absl::DataLossError("bytes behind the answer"), now);
    }
    course_.result.bytes += response_->bytes();
    if (!course_.options.keeps_connections || !response_->keeps_connection()) socket_.Reset();
    response_ = absl::nullopt;
    return OnStepDone(now);
  }
}

void Place::OnTick(TimePoint now) {
  if (has_failed_) {
    has_failed_ = false;
    if (Prepare()) Begin(now);
  }
  if (!busy_) return;
  if (again_at_.has_value()) {
    if (now < *again_at_) return;
    OpenStep();
    return Begin(now);
  }
  if (read_.has_value()) {
    SendTftp(read_->OnTimeout(now));
    if (!read_->is_open()) AfterTftp(now);
  } else if (response_.has_value() && now >= deadline_) {
    OnStepFailed(absl::DeadlineExceededError("no answer by HTTP"), now);
  }
}

void Place::FallSilent() {
  ++course_.result.silent;
  busy_ = false;
  // Nobody reads it any more; it stays, so that no ICMP tells the server.
  epoll_ctl(course_.epoll, EPOLL_CTL_DEL, socket_.get(), nullptr);
}

void Place::OnStepDone(TimePoint now) {
  attempts_ = 0;
  if (++step_ < course_.options.steps.size()) {
    OpenStep();
    return Begin(now);
  }
  ++course_.result.done;
  course_.result.took_ms.push_back(
      std::chrono::duration<double, std::milli>(TftpRead::TimePoint::clock::now() - begun_)
          .count());
  busy_ = false;
  if (Prepare()) Begin(now);
}

void Place::OnStepFailed(const absl::Status& status, TimePoint now) {
  socket_.Reset();
  read_ = absl::nullopt;
  response_ = absl::nullopt;
  if (MayPass(status) && attempts_ < course_.options.attempts) {
    ++course_.result.restarted;
    again_at_ = now + course_.options.tftp.timeout;
    return;
  }
  if (course_.result.failed++ == 0) {
    course_.result.first_failure = absl::Status(
        status.code(), absl::StrCat(ForHost(step().path, host_), ": ", status.message()));
  }
  busy_ = false;
  has_failed_ = true;
}

}  // namespace autopxe::bench
