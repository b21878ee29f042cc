#include "ctl/import/host_batch.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"

namespace autopxe::ctl {
namespace {

HostName NameOf(const HostRecord& record) {
  return record.name.has_value() ? *record.name : NameByMac(record.macs.front());
}

class Builder {
 public:
  explicit Builder(const v1::ListHostsResponse& current) {
    for (const v1::Host& host : current.hosts()) {
      by_name_.emplace(host.name(), &host);
      for (const std::string& mac : host.macs()) by_mac_.emplace(mac, &host);
    }
  }

  void Add(const HostRecord& record) {
    record_ = &record;
    const v1::Host* const host = Find();
    if (host != nullptr && !claimed_.emplace(host->name(), record.place).second) {
      return Refuse(absl::StrCat("is for host ", Quote(host->name()), ", as is line ",
                                 claimed_.at(host->name()).line));
    }
    if (host == nullptr) {
      Create();
    } else if (host->name() != NameOf(record).text() && record.name.has_value() &&
               !MacAddress::Resembles(host->name())) {
      Refuse(absl::StrCat("a MAC is of host ", Quote(host->name()), ", not ",
                          Quote(record.name->text()),
                          ": rename that (autopxectl host rename), or mend the line"));
    } else {
      Update(*host);
    }
  }

  HostBatch Finish() { return std::move(batch_); }

 private:
  void Refuse(std::string message) {
    batch_.problems.push_back({record_->place, std::move(message)});
  }

  void Push(Mutation mutation) {
    batch_.mutations.push_back(std::move(mutation));
    batch_.places.push_back(record_->place);
  }

  // The host that the record is for; null if there is none.
  const v1::Host* Find() const {
    if (const auto found = by_name_.find(NameOf(*record_).text()); found != by_name_.end()) {
      return found->second;
    }
    for (const MacAddress& mac : record_->macs) {
      if (const auto found = by_mac_.find(mac.Format()); found != by_mac_.end()) {
        return found->second;
      }
    }
    return nullptr;
  }

  void Create() {
    if (record_->macs.empty()) {
      return Refuse(
          absl::StrCat("host ", Quote(record_->name->text()), " is new: expected its MACs"));
    }
    ++batch_.created;
    std::vector<MacAddress> macs = record_->macs;
    std::sort(macs.begin(), macs.end());
    Push(CreateHost{NameOf(*record_), std::move(macs)});
    PushUpdate(UpdateHost{.host = NameOf(*record_)});
    if (record_->distro.has_value()) PushAssign(NameOf(*record_));
  }

  void Update(const v1::Host& host) {
    ++batch_.known;
    absl::StatusOr<HostName> name = HostName::Parse(host.name());
    if (!name.ok()) return Refuse(std::string(name.status().message()));
    UpdateHost update{.host = *name};
    if (record_->name.has_value() && *record_->name != *name) {
      name = *record_->name;
      update.name = *name;
    }
    if (!record_->macs.empty()) CompareMacs(host, update);
    PushUpdate(std::move(update));
    if (record_->distro.has_value() && record_->distro->Format() != host.distro()) {
      PushAssign(*name);
    }
  }

  void CompareMacs(const v1::Host& host, UpdateHost& update) const {
    std::vector<MacAddress> had;
    for (const std::string& text : host.macs()) {
      if (const auto mac = MacAddress::Parse(text); mac.ok()) had.push_back(*mac);
    }
    const auto add_those_not_in = [](const std::vector<MacAddress>& others,
                                     const std::vector<MacAddress>& macs,
                                     std::vector<MacAddress>& result) {
      for (const MacAddress& mac : macs) {
        if (std::find(others.begin(), others.end(), mac) == others.end()) result.push_back(mac);
      }
    };
    add_those_not_in(had, record_->macs, update.add_macs);
    add_those_not_in(record_->macs, had, update.remove_macs);
  }

  // With all else that the record says; not if that is nothing.
  void PushUpdate(UpdateHost update) {
    update.set_labels = record_->labels;
    update.set_variables = record_->variables;
    update.note = record_->note;
    if (update != UpdateHost{.host = update.host}) Push(std::move(update));
  }

  void PushAssign(const HostName& host) {
    Push(Assign{.host = host, .distro = *record_->distro, .allow_missing = true});
  }

  std::map<std::string, const v1::Host*> by_name_;
  std::map<std::string, const v1::Host*> by_mac_;
  std::map<std::string, Place> claimed_;  // Hosts that a record is for.
  const HostRecord* record_ = nullptr;
  HostBatch batch_;
};

}  // namespace

HostBatch BuildHostBatch(const std::vector<HostRecord>& records,
                         const v1::ListHostsResponse& current) {
  Builder builder(current);
  for (const HostRecord& record : records) builder.Add(record);
  return builder.Finish();
}

}  // namespace autopxe::ctl
