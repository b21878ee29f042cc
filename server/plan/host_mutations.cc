// The planner's part for hosts.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "server/plan/planner.h"

namespace autopxe::server {
namespace {

// Of the mutations that take one MAC away, how many are looked at for the one that takes it from
// the host that has it. One that names each once has one of them, or a few.
constexpr int kMaxLosers = 16;

}  // namespace

void Planner::CheckTerm(const Assign& assign) {
  if (std::holds_alternative<NextBootOnly>(assign.term)) {
    const Distro::Kind kind = assign.distro.kind();
    if (kind == Distro::Kind::kKernel || kind == Distro::Kind::kDeclared ||
        kind == Distro::Kind::kLocal) {
      return;
    }
    Refuse(Reason::kMalformed, "next_boot", assign.distro.Format(),
           absl::StrCat("distro ", Quote(assign.distro.Format()),
                        ": nothing tells when a host has done that once; only a kernel, a declared "
                        "distro or \"local\" can be for the next boot only"));
    return;
  }
  absl::Time until;
  if (const auto* duration = std::get_if<absl::Duration>(&assign.term)) {
    until = now_ + *duration;
  } else if (const auto* time = std::get_if<absl::Time>(&assign.term)) {
    until = *time;
  } else {
    return;
  }
  if (until > now_ && until <= now_ + kMaxTerm) return;
  Refuse(Reason::kMalformed, "until", absl::FormatTime(until, absl::UTCTimeZone()),
         absl::StrCat("an assignment until ", absl::FormatTime(until, absl::UTCTimeZone()),
                      ": expected a time in the future, in 366 days at most"));
}

Host Planner::Assigned(Host host, const Assign& assign) const {
  if (std::holds_alternative<NextBootOnly>(assign.term)) {
    // One that is there already and not used up is the same one.
    if (!host.next.has_value() || host.next->distro != assign.distro) {
      host.next = NextBoot{.distro = assign.distro, .token = snapshot_.revision().id.number + 1};
    }
    return host;
  }
  absl::Time until;
  if (const auto* duration = std::get_if<absl::Duration>(&assign.term)) {
    until = now_ + *duration;
  } else if (const auto* time = std::get_if<absl::Time>(&assign.term)) {
    until = *time;
  } else {
    host.distro = assign.distro;
    // It would hide what was just assigned.
    host.timed.reset();
    return host;
  }
  // As the database keeps it.
  host.timed = TimedAssignment{.distro = assign.distro,
                               .until = absl::FromUnixMicros(absl::ToUnixMicros(until))};
  return host;
}

void Planner::Take(const Assign& assign) {
  const size_t problems_before = problems_.size();
  const MacAddress* const mac = std::get_if<MacAddress>(&assign.host);
  const Host* const known = overlay_.FindHost(assign.host);
  const HostName name = known != nullptr ? known->name
                        : mac != nullptr ? NameByMac(*mac)
                                         : std::get<HostName>(assign.host);
  CheckDistro(distro_check_, assign.distro, assign.allow_missing, "distro", &name);
  CheckTerm(assign);
  if (mac != nullptr && known == nullptr) {
    if (problems_.size() != problems_before) return;
    const HostId id = overlay_.AddHost(NameByMac(*mac), {*mac});
    overlay_.ReplaceHost(Assigned(*overlay_.FindHost(id), assign));
    return;
  }
  const Host* const host = RequireHost(assign.host);
  if (problems_.size() == problems_before) overlay_.ReplaceHost(Assigned(*host, assign));
}

void Planner::Take(const Unassign& unassign) {
  const Host* const host = RequireHost(unassign.host);
  if (host == nullptr) return;
  Host now = *host;
  now.next.reset();
  if (!unassign.next_boot_only) {
    now.distro.reset();
    now.timed.reset();
  }
  overlay_.ReplaceHost(std::move(now));
}

void Planner::CheckName(const HostName& name, const std::vector<MacAddress>& macs,
                        const Host* itself) {
  // Else the host whose MAC that is could not be told from this one by name.
  const absl::StatusOr<MacAddress> name_as_mac = MacAddress::Parse(name.text());
  if (name_as_mac.ok() && std::find(macs.begin(), macs.end(), *name_as_mac) == macs.end()) {
    Refuse(
        Reason::kMalformed, "name", name.text(),
        absl::StrCat("host ", Quote(name.text()), ": its name is a MAC that is none of its own"));
  }
  const Host* const owner = overlay_.FindHost(name);
  if (owner == nullptr || (itself != nullptr && owner->id == itself->id)) return;
  Refuse(Reason::kHostExists, "name", name.text(),
         absl::StrCat("host ", Quote(name.text()), ": it exists already"));
}

void Planner::CheckMacs(const std::vector<MacAddress>& macs, const Host* itself) {
  for (const MacAddress& mac : macs) {
    const Host* const owner = overlay_.FindHost(mac);
    if (owner == nullptr || (itself != nullptr && owner->id == itself->id)) continue;
    Refuse(Reason::kHostExists, "macs", mac.Format(),
           absl::StrCat("mac ", Quote(mac.Format()), ": host ", Quote(owner->name.text()),
                        " has it already"));
  }
}

void Planner::TakeEarly(const MacAddress& mac, absl::optional<HostId> receiver) {
  const Host* const owner = overlay_.FindHost(mac);
  if (owner == nullptr || (receiver.has_value() && owner->id == *receiver)) return;
  if (!losses_.has_value()) {
    losses_.emplace();
    for (size_t i = 0; i < batch_->mutations.size(); ++i) {
      const auto* const update = std::get_if<UpdateHost>(&batch_->mutations[i]);
      if (update == nullptr) continue;
      for (const MacAddress& lost : update->remove_macs) {
        (*losses_)[lost].push_back(static_cast<int>(i));
      }
    }
  }
  const auto found = losses_->find(mac);
  if (found == losses_->end()) return;
  const std::vector<int>& losses = found->second;
  auto at = std::upper_bound(losses.begin(), losses.end(), position_);
  for (int looked_at = 0; at != losses.end() && looked_at < kMaxLosers; ++at, ++looked_at) {
    const auto& update = std::get<UpdateHost>(batch_->mutations[static_cast<size_t>(*at)]);
    const Host* const loser = overlay_.FindHost(update.host);
    if (loser == nullptr || loser->id != owner->id) continue;
    Host now = *owner;
    now.macs.erase(std::find(now.macs.begin(), now.macs.end(), mac));
    taken_early_[{now.id, mac}] = *at;
    overlay_.ReplaceHost(std::move(now));
    return;
  }
}

std::vector<MacAddress> Planner::WithTakenEarly(const Host& host) const {
  std::vector<MacAddress> macs = host.macs;
  for (auto taken = taken_early_.lower_bound({host.id, MacAddress::FromNumber(0)});
       taken != taken_early_.end() && taken->first.first == host.id; ++taken) {
    macs.push_back(taken->first.second);
  }
  std::sort(macs.begin(), macs.end());
  return macs;
}

void Planner::CheckTakenEarly() {
  for (const auto& [taken, position] : taken_early_) {
    position_ = position;
    Refuse(Reason::kHostExists, "macs", taken.second.Format(),
           absl::StrCat("mac ", Quote(taken.second.Format()),
                        ": another host has it already, and the mutation that takes it away from "
                        "that is of yet another one"));
  }
}

void Planner::Take(const CreateHost& create) {
  const size_t problems_before = problems_.size();
  for (const MacAddress& mac : create.macs) TakeEarly(mac, absl::nullopt);
  if (create.macs.empty()) {
    Refuse(Reason::kMalformed, "macs", "",
           absl::StrCat("host ", Quote(create.name.text()), ": expected one MAC at least"));
  }
  for (size_t i = 1; i < create.macs.size(); ++i) {
    if (create.macs[i - 1] < create.macs[i]) continue;
    Refuse(Reason::kMalformed, "macs", create.macs[i].Format(),
           absl::StrCat("host ", Quote(create.name.text()),
                        ": expected MACs in ascending order without repeats"));
  }
  CheckName(create.name, create.macs, nullptr);
  // Of a host of that name, which has been told of, nothing more need be said.
  CheckMacs(create.macs, overlay_.FindHost(create.name));
  if (problems_.size() == problems_before) overlay_.AddHost(create.name, create.macs);
}

void Planner::Take(const UpdateHost& update) {
  const Host* const found = RequireHost(update.host);
  if (found == nullptr) return;
  const HostId id = found->id;
  for (const MacAddress& mac : update.add_macs) TakeEarly(mac, id);
  const Host& before = *overlay_.FindHost(id);
  const std::string whose = absl::StrCat(" for host ", Quote(before.name.text()));
  const size_t problems_before = problems_.size();
  Host now = before;

  for (const MacAddress& mac : update.remove_macs) {
    const auto at = std::find(now.macs.begin(), now.macs.end(), mac);
    if (at != now.macs.end()) {
      now.macs.erase(at);
      continue;
    }
    if (taken_early_.erase({id, mac}) > 0) continue;
    Refuse(Reason::kMalformed, "remove_macs", mac.Format(),
           absl::StrCat("host ", Quote(before.name.text()), ": it has no MAC ", mac.Format()));
  }
  CheckMacs(update.add_macs, &before);
  for (const MacAddress& mac : update.add_macs) {
    const auto at = std::lower_bound(now.macs.begin(), now.macs.end(), mac);
    if (at == now.macs.end() || *at != mac) now.macs.insert(at, mac);
  }
  // Until the mutations are here that take them away, what was taken early is still its own.
  const std::vector<MacAddress> own = WithTakenEarly(now);
  if (own.empty() || now.macs.size() > kMaxMacsPerHost) {
    Refuse(Reason::kMalformed, "macs", absl::StrCat(now.macs.size()),
           absl::StrCat("host ", Quote(before.name.text()), ": it would have ", now.macs.size(),
                        " MACs, expected 1 to ", kMaxMacsPerHost));
    return;
  }
  if (update.name.has_value()) {
    now.name = *update.name;
  } else if (const auto mac = MacAddress::Parse(now.name.text());
             mac.ok() && !std::binary_search(own.begin(), own.end(), *mac)) {
    // Who is known by a MAC alone is called by one that it has.
    now.name = NameByMac(own.front());
  }
  CheckName(now.name, own, &before);

  for (const auto& [key, value] : update.set_labels) now.labels.insert_or_assign(key, value);
  for (const LabelKey& key : update.unset_labels) {
    if (update.set_labels.count(key) > 0) {
      Refuse(Reason::kBatchInvalid, "unset_labels", key.text(),
             absl::StrCat("label ", Quote(key.text()), ": both set and unset"));
    }
    if (now.labels.erase(key) == 0) {
      WarnOfHost(absl::StrCat("label ", Quote(key.text()), ": it was not set"), before.name);
    }
  }
  if (now.labels.size() > kMaxLabelsPerHost) {
    Refuse(Reason::kMalformed, "set_labels", absl::StrCat(now.labels.size()),
           absl::StrCat("host ", Quote(before.name.text()), ": it would have ", now.labels.size(),
                        " labels, expected ", kMaxLabelsPerHost, " at most"));
  }
  NoteVariables(update.set_variables, update.unset_variables);
  TakeVariables(update.set_variables, update.unset_variables, whose, kMaxVariablesPerHost,
                &before.name, now.variables);
  if (update.note.has_value()) now.note = *update.note;
  if (update.locked.has_value()) now.locked = *update.locked;
  if (problems_.size() == problems_before) overlay_.ReplaceHost(std::move(now));
}

void Planner::Take(const DeleteHost& remove) {
  const Host* const host = RequireHost(remove.host);
  if (host != nullptr) overlay_.RemoveHost(host->id);
}

void Planner::Take(const UseNextBoot& use) {
  const Host* const host = overlay_.FindHost(use.host);
  if (host == nullptr || !host->next.has_value() || host->next->token != use.token) return;
  used_next_boots_.insert(use.host);
  Host now = *host;
  now.next.reset();
  overlay_.ReplaceHost(std::move(now));
}

}  // namespace autopxe::server
