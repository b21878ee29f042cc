#include "agent/tftp/former_clients.h"

#include "absl/hash/hash.h"
#include "common/model/ip_endpoint.h"

namespace autopxe::agent::tftp {

FormerClients::FormerClients(size_t places)
    : places_(places, Former{.client = {{IpAddress::FromV4({}), 0}}, .port = 0}) {}

void FormerClients::Add(const Client& client, uint16_t port) {
  places_[PlaceOf(client)] = {client, port};
}

absl::optional<uint16_t> FormerClients::Find(const Client& client) const {
  const Former& former = places_[PlaceOf(client)];
  if (former.client != client) return absl::nullopt;
  return former.port;
}

size_t FormerClients::PlaceOf(const Client& client) const {
  return absl::HashOf(client) % places_.size();
}

}  // namespace autopxe::agent::tftp
