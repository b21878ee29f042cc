#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/net/udp_socket.h"
#include "agent/tftp/packet.h"
#include "common/model/ip_endpoint.h"

namespace autopxe::agent::tftp {

// A client for tests, which sends what it is told and shows what comes.
class TestClient {
 public:
  struct Answer {
    Packet packet;
    IpEndpoint from;
  };

  // `address` is one of the loopback's.
  explicit TestClient(absl::string_view address = "127.0.0.1");

  const IpEndpoint& endpoint() const { return socket_.local(); }

  void Send(const IpEndpoint& to, absl::string_view bytes);
  void Ask(const IpEndpoint& server, const ReadRequest& request) {
    Send(server, BuildReadRequest(request));
  }
  void Acknowledge(const IpEndpoint& to, uint16_t number) {
    Send(to, BuildAcknowledgement(number));
  }

  // The next packet; waits for it, far longer than any server needs.
  // Errors: DEADLINE_EXCEEDED, if none comes; INVALID_ARGUMENT, if it can't be parsed.
  absl::StatusOr<Answer> Receive();

  // Reads a whole file, taking its windows as they are acknowledged to it.
  // Errors: ABORTED, with the code and the text of an ERROR; DATA_LOSS, if a block is not the next
  // one; those of Receive().
  absl::StatusOr<std::string> Fetch(const IpEndpoint& server, const ReadRequest& request);

 private:
  UdpSocket socket_;
  ReceiveBatch batch_;
};

}  // namespace autopxe::agent::tftp
