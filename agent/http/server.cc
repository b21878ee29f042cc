#include "agent/http/server.h"

#include <microhttpd.h>
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
#include "common/status/status_macros.h"

namespace autopxe::agent {

// A connection's context is the target of its latest request, as it came; a request's context is
// its HttpExchange.
struct HttpCallbacks {
  static std::string* TargetOf(MHD_Connection* connection) {
    return static_cast<std::string*>(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
  }

  static void OnConnection(void*, MHD_Connection*, void** context,
                           MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      *context = new std::string;
    } else {
      delete static_cast<std::string*>(*context);
      *context = nullptr;
    }
  }

  // The only place where libmicrohttpd shows the target before it cuts it up.
  static void* OnTarget(void*, const char* target, MHD_Connection* connection) {
    *TargetOf(connection) = target;
    return nullptr;
  }

  // Nothing is decoded by libmicrohttpd: its C strings can't hold what "%00" stands for.
  static size_t KeepEscapes(void*, MHD_Connection*, char* text) { return std::strlen(text); }

  static MHD_Result OnRequest(void* server, MHD_Connection* connection, const char*,
                              const char* method, const char*, const char*, size_t* body_size,
                              void** context) {
    auto* const self = static_cast<HttpServer*>(server);
    if (*context == nullptr) {
      auto* const exchange = new HttpExchange(connection, std::move(*TargetOf(connection)), method);
      *context = exchange;
      {
        absl::MutexLock lock(&self->mutex_);
        ++self->under_way_;
      }
      return exchange->AnswerHead();
    }
    auto* const exchange = static_cast<HttpExchange*>(*context);
    if (exchange->answered()) {
      *body_size = 0;
      return MHD_YES;
    }
    return exchange->Answer(self->resolve_);
  }

  static void OnDone(void* server, MHD_Connection*, void** context,
                     MHD_RequestTerminationCode termination) {
    if (*context == nullptr) return;  // Its head was never whole.
    auto* const exchange = static_cast<HttpExchange*>(*context);
    exchange->Log(termination);
    delete exchange;
    *context = nullptr;
    auto* const self = static_cast<HttpServer*>(server);
    absl::MutexLock lock(&self->mutex_);
    --self->under_way_;
  }
};

HttpServer::HttpServer(Resolve resolve) : resolve_(std::move(resolve)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Open(Options options, Resolve resolve) {
  if (options.threads == 0) {
    options.threads = std::clamp<size_t>(std::thread::hardware_concurrency(), 2, 8);
  }
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(resolve)));
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
      static_cast<unsigned>(std::max<int64_t>(1, absl::ToInt64Seconds(options.idle_timeout)));
  errno = 0;
  MHD_Daemon* const daemon = MHD_start_daemon(
      flags, 0, nullptr, nullptr, &HttpCallbacks::OnRequest, this,                  //
      MHD_OPTION_SOCK_ADDR, address.get(),                                          //
      MHD_OPTION_THREAD_POOL_SIZE, static_cast<unsigned>(options.threads),          //
      MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(options.max_connections),  //
      MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,                                  //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, options.connection_memory,                //
      MHD_OPTION_STRICT_FOR_CLIENT, 1,                                              //
      MHD_OPTION_NOTIFY_CONNECTION, &HttpCallbacks::OnConnection, nullptr,          //
      MHD_OPTION_URI_LOG_CALLBACK, &HttpCallbacks::OnTarget, nullptr,               //
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
  // Outside the lock: stopping ends the requests under way, and each of them takes it.
  for (const Listener& listener : listeners) {
    MHD_stop_daemon(listener.daemon);
    if (listener.quiesced_fd >= 0) close(listener.quiesced_fd);
  }
}

size_t HttpServer::Drain(absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  for (Listener& listener : listeners_) {
    if (listener.quiesced_fd < 0) listener.quiesced_fd = MHD_quiesce_daemon(listener.daemon);
  }
  const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return under_way_ == 0; };
  mutex_.AwaitWithTimeout(absl::Condition(&none), limit);
  return under_way_;
}

}  // namespace autopxe::agent
