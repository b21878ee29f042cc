#include "agent/http/server.h"

#include <microhttpd.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/http/exchange.h"
#include "agent/net/socket_address.h"
#include "agent/net/tcp_socket.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {

namespace {

constexpr absl::Duration kBetweenWarnings = absl::Seconds(10);

// Often enough that a time that is up is overrun by little.
absl::Duration WatchInterval(const Connections::Limits& limits) {
  const absl::Duration shortest = std::min({limits.head, limits.idle, limits.progress_interval});
  return std::clamp(shortest / 8, absl::Milliseconds(10), absl::Seconds(1));
}

Connections::Limits LimitsOf(const HttpServer::Options& options) {
  Connections::Limits limits = options.limits;
  // Of one listener: libmicrohttpd stops accepting for each by itself.
  const size_t connections = std::max<size_t>(options.max_connections, 2);
  limits.crowded = std::max<size_t>(connections - connections / 8, 1);
  limits.requests_per_address = connections / 2;
  return limits;
}

// Those that this process may run on: a service is often held to fewer than the machine has.
size_t UsableProcessors() {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) {
    return std::thread::hardware_concurrency();
  }
  return static_cast<size_t>(CPU_COUNT(&usable));
}

Connections::Socket ConnectionSocket() {
  return {.cut = EndConnection, .end_reading = EndReading, .acknowledged_bytes = AcknowledgedBytes};
}

}  // namespace

// A connection's context is its HttpConnection; a request's context is its HttpExchange.
struct HttpCallbacks {
  static HttpConnection* KeptOf(MHD_Connection* connection) {
    return static_cast<HttpConnection*>(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
  }

  static void OnConnection(void* server, MHD_Connection* connection, void** context,
                           MHD_ConnectionNotificationCode what) {
    auto* const self = static_cast<HttpServer*>(server);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      *context = new HttpConnection;
      self->connections_.Opened(DescriptorOf(connection), PeerOf(connection).address,
                                self->clock_.Monotonic());
    } else {
      // libmicrohttpd closes the descriptor after this.
      self->connections_.Closed(DescriptorOf(connection));
      delete static_cast<HttpConnection*>(*context);
      *context = nullptr;
    }
  }

  // The only place where libmicrohttpd shows the target before it cuts it up.
  static void* OnTarget(void* server, const char* target, MHD_Connection* connection) {
    auto* const self = static_cast<HttpServer*>(server);
    KeptOf(connection)->target = target;
    self->connections_.RequestLineCame(DescriptorOf(connection), self->clock_.Monotonic());
    return nullptr;
  }

  // Nothing is decoded by libmicrohttpd: its C strings can't hold what "%00" stands for.
  static size_t KeepEscapes(void*, MHD_Connection*, char* text) { return std::strlen(text); }

  static MHD_Result OnRequest(void* server, MHD_Connection* connection, const char*,
                              const char* method, const char*, const char*, size_t* body_size,
                              void** context) {
    auto* const self = static_cast<HttpServer*>(server);
    if (*context == nullptr) {
      auto* const exchange = new HttpExchange(connection, *KeptOf(connection), method);
      *context = exchange;
      switch (self->connections_.RequestBegan(DescriptorOf(connection), self->clock_.Monotonic())) {
        case Connections::Admission::kTooManyOfAddress:
          return exchange->Refuse(absl::UnavailableError("too many requests from this address"));
        case Connections::Admission::kDraining:
          return exchange->Refuse(absl::UnavailableError("shutting down"));
        case Connections::Admission::kWelcome:
          return exchange->AnswerHead();
      }
    }
    auto* const exchange = static_cast<HttpExchange*>(*context);
    if (exchange->answered()) {
      *body_size = 0;
      return MHD_YES;
    }
    return exchange->Answer(self->resolve_);
  }

  static void OnDone(void* server, MHD_Connection* connection, void** context,
                     MHD_RequestTerminationCode termination) {
    if (*context == nullptr) return;  // Its head was never whole.
    auto* const exchange = static_cast<HttpExchange*>(*context);
    auto* const self = static_cast<HttpServer*>(server);
    const int fd = DescriptorOf(connection);
    const bool is_cut = termination != MHD_REQUEST_TERMINATED_COMPLETED_OK;
    exchange->Log(termination, is_cut && self->connections_.IsTooSlow(fd));
    delete exchange;
    *context = nullptr;
    self->connections_.RequestEnded(fd, self->clock_.Monotonic());
  }
};

HttpServer::HttpServer(const Options& options, Resolve resolve)
    : resolve_(std::move(resolve)),
      watch_interval_(WatchInterval(options.limits)),
      connections_(LimitsOf(options), ConnectionSocket()),
      watch_([this] { Watch(); }) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Open(Options options, Resolve resolve) {
  if (options.threads == 0) {
    options.threads = std::clamp<size_t>(UsableProcessors(), 1, 8);
  }
  std::unique_ptr<HttpServer> server(new HttpServer(options, std::move(resolve)));
  for (const IpEndpoint& endpoint : options.listen) {
    RETURN_IF_ERROR(server->Listen(options, endpoint));
  }
  return server;
}

absl::Status HttpServer::Listen(const Options& options, const IpEndpoint& endpoint) {
  const SocketAddress address(endpoint);
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC;
  if (address.family() == AF_INET6) flags |= MHD_USE_IPv6;
  // libmicrohttpd takes 0 for no time-out at all.
  const auto idle_seconds =
      static_cast<unsigned>(std::max<int64_t>(1, absl::ToInt64Seconds(options.limits.idle)));
  // It takes 1 for a mistake, and 0 for the one thread that it has without a pool.
  const unsigned pool = options.threads > 1 ? static_cast<unsigned>(options.threads) : 0;
  errno = 0;
  MHD_Daemon* const daemon = MHD_start_daemon(
      flags, 0, nullptr, nullptr, &HttpCallbacks::OnRequest, this,                  //
      MHD_OPTION_SOCK_ADDR, address.get(),                                          //
      MHD_OPTION_THREAD_POOL_SIZE, pool,                                            //
      MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(options.max_connections),  //
      MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,                                  //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, options.connection_memory,                //
      MHD_OPTION_STRICT_FOR_CLIENT, 1,                                              //
      MHD_OPTION_NOTIFY_CONNECTION, &HttpCallbacks::OnConnection, this,             //
      MHD_OPTION_URI_LOG_CALLBACK, &HttpCallbacks::OnTarget, this,                  //
      MHD_OPTION_UNESCAPE_CALLBACK, &HttpCallbacks::KeepEscapes, nullptr,           //
      MHD_OPTION_NOTIFY_COMPLETED, &HttpCallbacks::OnDone, this,                    //
      MHD_OPTION_END);
  if (daemon == nullptr) {
    const int error = errno == 0 ? EINVAL : errno;
    return absl::Status(
        absl::ErrnoToStatusCode(error),
        absl::StrCat("listen for HTTP at ", endpoint.Format(), ": ", strerrordesc_np(error)));
  }
  endpoints_.push_back(
      {endpoint.address, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port});
  absl::MutexLock lock(&mutex_);
  listeners_.push_back({daemon, -1});
  return absl::OkStatus();
}

HttpServer::~HttpServer() {
  std::vector<Listener> listeners;
  {
    absl::MutexLock lock(&mutex_);
    listeners.swap(listeners_);
  }
  stop_.Notify();
  watch_.join();
  // Outside the lock: stopping ends the requests under way, and each of them takes it.
  for (const Listener& listener : listeners) {
    MHD_stop_daemon(listener.daemon);
    if (listener.quiesced_fd >= 0) close(listener.quiesced_fd);
  }
}

size_t HttpServer::Drain(absl::Duration limit) {
  {
    absl::MutexLock lock(&mutex_);
    for (Listener& listener : listeners_) {
      if (listener.quiesced_fd >= 0) continue;
      listener.quiesced_fd = MHD_quiesce_daemon(listener.daemon);
      // Who comes now is refused and can turn elsewhere, instead of waiting in the kernel's queue.
      if (listener.quiesced_fd >= 0) EndReading(listener.quiesced_fd);
    }
  }
  connections_.Drain();
  return connections_.AwaitRequests(limit);
}

void HttpServer::Watch() {
  absl::Duration next_warning = -absl::InfiniteDuration();
  while (!stop_.WaitFor(watch_interval_)) {
    const absl::Duration now = clock_.Monotonic();
    connections_.CutExpired(now);
    if (now < next_warning) continue;
    const Connections::Cuts cuts = connections_.TakeCuts();
    if (cuts.head + cuts.slow + cuts.crowded == 0) continue;
    next_warning = now + kBetweenWarnings;
    LogLine("connections-cut")
        .Add("protocol", "http")
        .Add("no_request", cuts.head)
        .Add("too_slow", cuts.slow)
        .Add("for_others", cuts.crowded)
        .Warn();
  }
}

}  // namespace autopxe::agent
