#pragma once

#include <cstddef>
#include <list>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/types/optional.h"
#include "agent/tftp/client.h"
#include "agent/tftp/open_transfer.h"
#include "common/model/ip_endpoint.h"

namespace autopxe::agent::tftp {

// The transfers that are open, by client; and which of them gives way to one more, where there are
// too many. That is the oldest that was never answered, for its client may have asked for nothing;
// or, if all were, the one whose client has been silent for longest. Where one address has too many
// it is one of that address: who forges requests of a host does not keep it out by them.
//
// It owns the transfers and never looks into them. Whatever it is asked takes the same time however
// many there are.
class OpenTransfers {
 public:
  // Each at least 1.
  struct Limits {
    size_t all;
    size_t of_address;
  };

  // Why there is no room for one more.
  struct Crowd {
    bool of_address;  // Else it is that of all.
    size_t open;      // How many are in it.
    // Whose transfer would be the first to give way, and whether that was ever answered.
    Client first;
    bool is_answered;
  };

  explicit OpenTransfers(const Limits& limits) : limits_(limits) {}

  // Those that are open beyond them stay until others want their places.
  void SetLimits(const Limits& limits) { limits_ = limits; }

  bool empty() const { return slots_.empty(); }

  // Null if the client has none.
  OpenTransfer* Find(const Client& client) const;

  // Unset if one more of this address finds room.
  absl::optional<Crowd> CrowdFor(const IpAddress& address) const;

  // REQUIRES: the client has none.
  void Add(const Client& client, std::unique_ptr<OpenTransfer> transfer);

  // The client has answered, and not for the first time perhaps.
  // REQUIRES: it has one.
  void NoteAnswer(const Client& client);

  // REQUIRES: the client has one.
  std::unique_ptr<OpenTransfer> Remove(const Client& client);

  // For each in any order: visit(transfer).
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const auto& [client, slot] : slots_) visit(*slot.transfer);
  }

 private:
  using Clients = std::list<Client>;
  // In the order in which they give way.
  struct Queue {
    Clients unanswered;  // By the time of their requests.
    Clients answered;    // By the time of their last answers.

    size_t size() const { return unanswered.size() + answered.size(); }
  };
  struct Slot {
    std::unique_ptr<OpenTransfer> transfer;
    bool is_answered;
    Queue* of_address;
    Clients::iterator place;  // In all_.
    Clients::iterator place_of_address;
  };

  static Clients& QueueOf(const Slot& slot, Queue& queue) {
    return slot.is_answered ? queue.answered : queue.unanswered;
  }

  Limits limits_;
  absl::flat_hash_map<Client, Slot> slots_;
  Queue all_;
  absl::node_hash_map<IpAddress, Queue> of_address_;  // Slots point to them.
};

}  // namespace autopxe::agent::tftp
