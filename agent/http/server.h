#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/content/path_resolver.h"
#include "agent/http/connections.h"
#include "common/model/ip_endpoint.h"
#include "common/runtime/clock.h"
#include "common/runtime/wakeup.h"

struct MHD_Daemon;

namespace autopxe::agent {

// Answers HTTP requests with what `resolve` finds: GET and HEAD, single ranges of files, and 304 to
// who has a file already. A failure is its message in plain text, but for a host that is to be
// ignored (PERMISSION_DENIED): its connection is closed without an answer, as TFTP has none for it.
// No request has a body: one that says it has is refused and its connection closed, so nothing can
// be smuggled behind it. Who dribbles, idles or takes an answer drop by drop is cut; docs/http.md
// says when and why. Logs one line for each request that is done.
//
// Runs on threads of its own.
class HttpServer {
 public:
  // Called on several threads at once.
  using Resolve = std::function<absl::StatusOr<ResolvedContent>(const ContentRequest& request)>;

  struct Options {
    // An IPv6 one takes IPv6 alone: "[::]" is to be listed beside "0.0.0.0".
    std::vector<IpEndpoint> listen;

    // For each endpoint; 0: one for each processor that may be used, up to 8. More are a loss: all
    // of them wake up for each new connection.
    size_t threads = 0;

    // For each endpoint, over all threads. From seven eighths on, those that wait make room for
    // newer ones; further ones wait in the kernel. One takes a descriptor, and one or two more
    // while it is sent a file.
    size_t max_connections = 4096;

    // `crowded` and `requests_per_address` follow from max_connections. `idle` is also how long a
    // connection may be without a byte in either direction; in whole seconds, 1 at least.
    Connections::Limits limits;

    // For a connection's request line, fields, and answer's head. A request that needs more is
    // answered 414 or 431.
    size_t connection_memory = 8 << 10;
  };

  // Errors: the system's, naming the endpoint.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Open(Options options, Resolve resolve);

  // Cuts the connections that are still open.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Where it listens, with the real ports.
  const std::vector<IpEndpoint>& endpoints() const { return endpoints_; }

  // Takes no more connections and requests, and waits until the requests under way are done.
  // Returns how many were not within `limit`; they go on.
  size_t Drain(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // What libmicrohttpd calls.
  friend struct HttpCallbacks;

  struct Listener {
    MHD_Daemon* daemon;
    int quiesced_fd;  // Ours to close once the daemon has stopped; -1 before Drain.
  };

  HttpServer(const Options& options, Resolve resolve);

  absl::Status Listen(const Options& options, const IpEndpoint& endpoint)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Cuts connections whose time is up, until stop_ is notified.
  void Watch();

  const Resolve resolve_;
  const SystemClock clock_;
  const absl::Duration watch_interval_;
  Connections connections_;
  std::vector<IpEndpoint> endpoints_;  // Constant once Open is done.
  absl::Mutex mutex_;
  std::vector<Listener> listeners_ ABSL_GUARDED_BY(mutex_);
  Wakeup stop_;
  std::thread watch_;  // Last: it uses everything above.
};

}  // namespace autopxe::agent
