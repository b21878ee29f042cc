#include "agent/tftp/open_transfers.h"

#include <utility>

namespace autopxe::agent::tftp {

OpenTransfer* OpenTransfers::Find(const Client& client) const {
  const auto slot = slots_.find(client);
  return slot == slots_.end() ? nullptr : slot->second.transfer.get();
}

absl::optional<OpenTransfers::Crowd> OpenTransfers::CrowdFor(const IpAddress& address) const {
  const auto crowd_of = [](const Queue& queue, bool of_address) {
    const bool is_answered = queue.unanswered.empty();
    const Client& first = is_answered ? queue.answered.front() : queue.unanswered.front();
    return Crowd{
        .of_address = of_address, .open = queue.size(), .first = first, .is_answered = is_answered};
  };
  const auto of_address = of_address_.find(address);
  if (of_address != of_address_.end() && of_address->second.size() >= limits_.of_address) {
    return crowd_of(of_address->second, true);
  }
  if (all_.size() >= limits_.all) return crowd_of(all_, false);
  return absl::nullopt;
}

void OpenTransfers::Add(const Client& client, std::unique_ptr<OpenTransfer> transfer) {
  Queue& of_address = of_address_[client.endpoint.address];
  slots_.emplace(client, Slot{.transfer = std::move(transfer),
                              .is_answered = false,
                              .of_address = &of_address,
                              .place = all_.unanswered.insert(all_.unanswered.end(), client),
                              .place_of_address = of_address.unanswered.insert(
                                  of_address.unanswered.end(), client)});
}

void OpenTransfers::NoteAnswer(const Client& client) {
  Slot& slot = slots_.find(client)->second;
  Queue& of_address = *slot.of_address;
  all_.answered.splice(all_.answered.end(), QueueOf(slot, all_), slot.place);
  of_address.answered.splice(of_address.answered.end(), QueueOf(slot, of_address),
                             slot.place_of_address);
  slot.is_answered = true;
}

std::unique_ptr<OpenTransfer> OpenTransfers::Remove(const Client& client) {
  const auto found = slots_.find(client);
  Slot& slot = found->second;
  std::unique_ptr<OpenTransfer> transfer = std::move(slot.transfer);
  QueueOf(slot, all_).erase(slot.place);
  QueueOf(slot, *slot.of_address).erase(slot.place_of_address);
  if (slot.of_address->size() == 0) of_address_.erase(client.endpoint.address);
  slots_.erase(found);
  return transfer;
}

}  // namespace autopxe::agent::tftp
