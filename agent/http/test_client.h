#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "agent/net/unique_fd.h"
#include "common/model/ip_endpoint.h"

namespace autopxe::agent {

// A client for tests that sends what it is told to, byte for byte.
class HttpTestClient {
 public:
  struct Answer {
    int status = 0;                             // 0: none came.
    std::map<std::string, std::string> fields;  // By lower-case name.
    std::string body;
  };

  struct Options {
    int receive_buffer = 0;     // In bytes; 0: the system's.
    int max_segment = 0;        // Of TCP, in bytes; 0: the system's.
    absl::string_view address;  // Of the loopback; empty: the system's choice.
  };

  explicit HttpTestClient(const IpEndpoint& server) : HttpTestClient(server, Options()) {}
  HttpTestClient(const IpEndpoint& server, const Options& options);

  void Send(absl::string_view bytes);

  // The server may refuse, and close, before it has read it all. False if it has.
  bool SendWhatIsTaken(absl::string_view bytes);

  void EndSending();

  // Closes as a host does that is switched off and on: by a reset.
  void Reset();

  // The next answer on the connection. `has_body` is false for the answer to a HEAD.
  Answer Read(bool has_body = true);

  // What comes until the server closes.
  std::string ReadToEnd();

  // What is there, at most `limit` bytes; waits for the first. False at the end.
  bool ReadMore(size_t limit = 65536);

  // True if the server has closed, or closes within `patience_ms`; false, too, if there is
  // something to read.
  bool IsClosed(int patience_ms = 60'000);

 private:
  UniqueFd fd_;
  std::string pending_;
};

}  // namespace autopxe::agent
