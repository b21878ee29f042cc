#include "tests/model/relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/base/internal/raw_logging.h"
#include "absl/strings/str_cat.h"

namespace autopxe::tests {
namespace {

constexpr size_t kMost = 64 << 10;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// Without Nagle's delay, which would add 40 ms to every step.
void Prepare(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

agent::UniqueFd Connect(uint16_t port) {
  agent::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return agent::UniqueFd();
  }
  Prepare(fd.get());
  return fd;
}

}  // namespace

Relay::Relay()
    : listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  ABSL_RAW_CHECK(
      bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
          listen(listening_.get(), 128) == 0 &&
          getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0,
      "can't listen on the loopback");
  address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  thread_ = std::thread([this] { Run(); });
}

Relay::~Relay() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

void Relay::Set(Mode mode, uint16_t port) {
  {
    absl::MutexLock lock(&mutex_);
    // What went to another server, or what is held and stays so.
    if (mode != Mode::kForward || mode_ == Mode::kForward) cut_ = true;
    mode_ = mode;
    port_ = port;
  }
  Wake();
}

void Relay::Cut() {
  {
    absl::MutexLock lock(&mutex_);
    cut_ = true;
  }
  Wake();
}

void Relay::Wake() {
  const uint64_t one = 1;
  // Full only if it is awake already.
  (void)!write(wakeup_.get(), &one, sizeof(one));
}

bool Relay::Move(int from, int to, std::string& pending) {
  char bytes[kMost];
  while (true) {
    if (pending.empty()) {
      const ssize_t got = recv(from, bytes, sizeof(bytes), 0);
      if (got == 0) return false;
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      pending.assign(bytes, static_cast<size_t>(got));
    }
    const ssize_t sent = send(to, pending.data(), pending.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    pending.erase(0, static_cast<size_t>(sent));
    if (!pending.empty()) return true;
  }
}

void Relay::Run() {
  std::list<Connection> connections;
  while (true) {
    Mode mode;
    uint16_t port;
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      if (std::exchange(cut_, false)) connections.clear();
      mode = mode_;
      port = port_;
    }
    std::vector<pollfd> polled = {{listening_.get(), POLLIN, 0}, {wakeup_.get(), POLLIN, 0}};
    for (auto at = connections.begin(); at != connections.end();) {
      if (mode == Mode::kForward && !at->server.is_open()) at->server = Connect(port);
      if (mode == Mode::kForward && !at->server.is_open()) {
        at = connections.erase(at);
        continue;
      }
      // One that is held is only looked at for its end.
      const bool held = !at->server.is_open();
      const short from_client = held ? POLLRDHUP : at->to_server.empty() ? POLLIN : 0;
      const short from_server = at->to_client.empty() ? POLLIN : 0;
      polled.push_back({at->client.get(),
                        static_cast<short>(from_client | (at->to_client.empty() ? 0 : POLLOUT)),
                        0});
      polled.push_back({at->server.get(),
                        static_cast<short>(from_server | (at->to_server.empty() ? 0 : POLLOUT)),
                        0});
      ++at;
    }
    poll(polled.data(), polled.size(), -1);
    uint64_t ignored;
    (void)!read(wakeup_.get(), &ignored, sizeof(ignored));
    size_t i = 2;
    for (auto at = connections.begin(); at != connections.end(); i += 2) {
      const bool held = !at->server.is_open();
      const bool ended = held ? (polled[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0
                              : !Move(at->client.get(), at->server.get(), at->to_server) ||
                                    !Move(at->server.get(), at->client.get(), at->to_client);
      at = ended ? connections.erase(at) : std::next(at);
    }
    while (true) {
      agent::UniqueFd fd(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.is_open()) break;
      if (mode == Mode::kRefuse) continue;
      Prepare(fd.get());
      connections.push_back({std::move(fd), agent::UniqueFd(), "", ""});
    }
  }
}

}  // namespace autopxe::tests
