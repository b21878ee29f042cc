#include "server/plan/lacked_variables.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "boot/command_line.h"
#include "boot/resolution.h"
#include "common/model/distro.h"
#include "common/model/host.h"
#include "common/model/hostlist.h"
#include "common/model/quote.h"

namespace autopxe::server {
namespace {

// The hosts' names in a sentence.
constexpr size_t kMaxNamesLength = 200;

// A variable that a template needs, and that not every host gets.
struct Need {
  std::string variable;
  absl::optional<VariableName> name;  // Empty: no variable can be called so.
  std::vector<const Group*> groups;   // Which set it.

  bool IsMetFor(const Host* host) const {
    if (host == nullptr || !name.has_value()) return false;
    if (host->variables.count(*name) > 0) return true;
    return std::any_of(groups.begin(), groups.end(),
                       [&](const Group* group) { return group->selector.Matches(host->labels); });
  }
};

// The needs of every template that has some, in one configuration, which must outlive it.
class Needs {
 public:
  // At `agent`; null: at any, so that what one of them sets is no need.
  Needs(const Snapshot& snapshot, const AgentId* agent) : snapshot_(snapshot) {
    for (const auto& [profile, one] : snapshot.profiles()) Add(profile, agent);
    for (const auto& [distro, one] : snapshot.declared_distros()) Add(distro, agent);
  }

  bool empty() const { return by_owner_.empty(); }

  // Calls `add` with the owner of the template and each variable of it that the host does not get,
  // of all that is assigned to it, now or later; `host` is null for one that nobody has named.
  template <typename Add>
  void ForEachLack(const Host* host, absl::Time now, Add add) const {
    if (empty()) return;
    const auto look = [&](const Distro& distro) { LookAt(distro, host, add); };
    if (host == nullptr) return look(ChooseDistro(snapshot_, nullptr, nullptr, now).distro);
    if (host->next.has_value()) look(host->next->distro);
    if (host->timed.has_value() && host->timed->until > now) look(host->timed->distro);
    if (host->distro.has_value()) return look(*host->distro);
    if (!host->next.has_value() && !host->timed.has_value()) {
      return look(ChooseDistro(snapshot_, nullptr, host, now).distro);
    }
    Host later = *host;
    later.next.reset();
    later.timed.reset();
    look(ChooseDistro(snapshot_, nullptr, &later, now).distro);
  }

  template <typename Add>
  void LookAt(const Distro& distro, const Host* host, Add add) const {
    const absl::optional<TemplateOwner> owner = OwnerFor(distro);
    if (!owner.has_value()) return;
    const auto found = by_owner_.find(*owner);
    if (found == by_owner_.end()) return;
    for (const Need& need : found->second) {
      if (!need.IsMetFor(host)) add(found->first, need.variable);
    }
  }

 private:
  void Add(const TemplateOwner& owner, const AgentId* agent) {
    const CommandLineTemplate* const used = FindTemplate(snapshot_, owner);
    if (used == nullptr) return;
    for (std::string& required : RequiredVariables(*used)) {
      Need need{.variable = std::move(required), .name = absl::nullopt, .groups = {}};
      if (auto name = VariableName::Parse(need.variable); name.ok()) {
        if (IsSetForAll(*name, agent)) continue;
        for (const std::shared_ptr<const Group>& group : snapshot_.groups()) {
          if (group->variables.count(*name) > 0) need.groups.push_back(group.get());
        }
        need.name = *std::move(name);
      }
      by_owner_[owner].push_back(std::move(need));
    }
  }

  bool IsSetForAll(const VariableName& name, const AgentId* agent) const {
    if (snapshot_.settings().variables.count(name) > 0) return true;
    if (agent != nullptr) {
      const AgentSettings* const own = snapshot_.FindAgentSettings(*agent);
      return own != nullptr && own->variables.count(name) > 0;
    }
    const auto& all = snapshot_.agent_settings();
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& entry) { return entry.second.variables.count(name) > 0; });
  }

  const Snapshot& snapshot_;
  std::map<TemplateOwner, std::vector<Need>> by_owner_;
};

class Search {
 public:
  Search(const Snapshot& before, const Snapshot& after, absl::Time now)
      : before_(before), after_(after), now_(now), needs_(after, nullptr) {}

  void LookAtChange(const Change& change) {
    const bool is_default_changed =
        change.settings.has_value() &&
        (change.settings->default_distro != before_.settings().default_distro ||
         change.settings->unknown_hosts != before_.settings().unknown_hosts);
    if (!needs_.empty()) {
      LookAtHosts(change, is_default_changed);
      if (is_default_changed) LookAtUnnamed();
    }
    for (const AgentSettings& settings : change.agent_settings) {
      const AgentSettings* const old = before_.FindAgentSettings(settings.agent);
      if (!settings.default_distro.has_value()) continue;
      if (old == nullptr || old->default_distro != settings.default_distro) {
        LookAtDefaultOf(settings.agent, *settings.default_distro);
      }
    }
  }

  std::vector<LackedVariable> Finish() {
    for (LackedVariable& lacked : found_) std::sort(lacked.hosts.begin(), lacked.hosts.end());
    return std::move(found_);
  }

 private:
  // Of the groups that the change touches, as they were and as they are.
  std::vector<const Group*> TouchedGroups(const Change& change) const {
    std::vector<const Group*> groups;
    const auto add_old = [&](const GroupName& name) {
      if (const auto old = before_.FindGroup(name); old != nullptr) groups.push_back(old.get());
    };
    for (const std::shared_ptr<const Group>& group : change.groups) {
      groups.push_back(group.get());
      add_old(group->name);
    }
    for (const GroupName& name : change.deleted_groups) add_old(name);
    return groups;
  }

  void LookAtHosts(const Change& change, bool all) {
    // before_ holds the groups as long.
    const std::vector<const Group*> groups = TouchedGroups(change);
    if (!all && groups.empty()) {
      for (const std::shared_ptr<const Host>& host : change.hosts) LookAt(*host);
      return;
    }
    after_.ForEachHost([&](const std::shared_ptr<const Host>& host) {
      const auto is_in = [&](const Group* group) { return group->selector.Matches(host->labels); };
      // The etag is the number of the revision that changed it last.
      if (all || host->etag == change.revision.id.number ||
          std::any_of(groups.begin(), groups.end(), is_in)) {
        LookAt(*host);
      }
    });
  }

  void LookAt(const Host& host) {
    absl::optional<std::set<std::pair<TemplateOwner, std::string>>> had;  // Read when needed.
    needs_.ForEachLack(&host, now_, [&](const TemplateOwner& owner, const std::string& variable) {
      if (!had.has_value()) {
        had.emplace();
        if (!needs_before_.has_value()) needs_before_.emplace(before_, nullptr);
        if (const auto old = before_.FindHost(host.id); old != nullptr) {
          needs_before_->ForEachLack(old.get(), now_,
                                     [&](const auto& p, const auto& v) { had->emplace(p, v); });
        }
      }
      if (had->count({owner, variable}) > 0) return;
      Add(owner, variable, nullptr, &host);
    });
  }

  void LookAtUnnamed() {
    needs_.ForEachLack(nullptr, now_, [&](const TemplateOwner& owner, const std::string& variable) {
      Add(owner, variable, nullptr, nullptr);
    });
  }

  // Hosts without an assignment and a group's distro boot it at this agent.
  void LookAtDefaultOf(const AgentId& agent, const Distro& distro) {
    const Needs needs(after_, &agent);
    bool has_need = false;
    needs.LookAt(distro, nullptr, [&](const auto&, const auto&) { has_need = true; });
    if (!has_need) return;
    after_.ForEachHost([&](const std::shared_ptr<const Host>& host) {
      const ChosenDistro chosen = ChooseDistro(after_, &agent, host.get(), now_);
      if (chosen.origin != DistroOrigin::kAgentDefault) return;
      needs.LookAt(distro, host.get(),
                   [&](const TemplateOwner& owner, const std::string& variable) {
                     Add(owner, variable, &agent, host.get());
                   });
    });
  }

  void Add(const TemplateOwner& owner, const std::string& variable, const AgentId* agent,
           const Host* host) {
    const auto [place, is_new] = places_.try_emplace(
        {owner, variable, agent != nullptr ? agent->text() : "", host != nullptr}, found_.size());
    if (is_new) {
      found_.push_back({.owner = owner,
                        .variable = variable,
                        .agent = agent != nullptr ? absl::optional<AgentId>(*agent) : absl::nullopt,
                        .hosts = {}});
    }
    if (host == nullptr) return;
    // Twice in a row if two of its assignments lack the same.
    std::vector<std::string>& hosts = found_[place->second].hosts;
    if (hosts.empty() || hosts.back() != host->name.text()) hosts.push_back(host->name.text());
  }

  const Snapshot& before_;
  const Snapshot& after_;
  const absl::Time now_;
  const Needs needs_;
  absl::optional<Needs> needs_before_;
  std::vector<LackedVariable> found_;
  // In found_, by template, variable, agent and whether it is of named hosts.
  std::map<std::tuple<TemplateOwner, std::string, std::string, bool>, size_t> places_;
};

}  // namespace

std::string LackedVariable::Sentence() const {
  std::string sentence =
      absl::StrCat(agent.has_value() ? absl::StrCat("agent ", Quote(agent->text()), ": ") : "",
                   DescribeOwner(owner), " uses ${", variable, "}, which ");
  if (hosts.empty()) {
    absl::StrAppend(&sentence, "hosts that nobody has named, and that ", BootIt(owner),
                    ", don't get");
  } else if (hosts.size() == 1) {
    absl::StrAppend(&sentence, "a host that ",
                    std::holds_alternative<ProfileName>(owner) ? "boots with it" : "boots it",
                    " doesn't get: ", hosts.front());
  } else {
    absl::StrAppend(&sentence, hosts.size(), " hosts that ", BootIt(owner),
                    " don't get: ", Hostlist::Of(hosts).FormatShort(kMaxNamesLength));
  }
  return sentence;
}

std::vector<LackedVariable> FindLackedVariables(const Snapshot& before, const Snapshot& after,
                                                const Change& change, absl::Time now) {
  Search search(before, after, now);
  search.LookAtChange(change);
  return search.Finish();
}

}  // namespace autopxe::server
