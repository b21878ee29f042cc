#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/optional.h"
#include "agent/tftp/client.h"

namespace autopxe::agent::tftp {

// Whose transfers have ended, and at which port of ours: a packet of theirs that comes late is none
// of an intruder, and their next transfer is to have another port (RFC 1350, 4). Forgets the older
// of two that want the same place.
class FormerClients {
 public:
  // REQUIRES: places > 0.
  explicit FormerClients(size_t places);

  void Add(const Client& client, uint16_t port);

  // The port of its last transfer; unset if it is not remembered.
  absl::optional<uint16_t> Find(const Client& client) const;

 private:
  struct Former {
    Client client;  // Port 0: none; no client has it.
    uint16_t port;
  };

  size_t PlaceOf(const Client& client) const;

  std::vector<Former> places_;
};

}  // namespace autopxe::agent::tftp
