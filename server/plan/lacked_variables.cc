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

// More are dearer to match with each host than all hosts are to look at.
constexpr size_t kMaxMatchedGroups = 16;

// Who sets a variable, looked up once however many templates use it.
struct Sources {
  absl::optional<VariableName> name = {};  // Empty: no variable can be called so.
  bool is_set_for_all = false;             // The rest is then left out.
  std::vector<const Group*> groups = {};

  bool Reach(const Host* host) const {
    if (host == nullptr || !name.has_value()) return false;
    if (host->variables.count(*name) > 0) return true;
    return std::any_of(groups.begin(), groups.end(),
                       [&](const Group* group) { return group->selector.Matches(host->labels); });
  }
};

// A variable that a template needs, and that not every host gets.
struct Need {
  std::string variable;
  const Sources* sources;
};

// What templates need in one configuration, which must outlive it. Each is read when it is first
// asked for: most requests let hosts boot with one of them, or with none.
class Needs {
 public:
  // At `agent`, which must outlive it; null: at any, so that what one of them sets is no need.
  Needs(const Snapshot& snapshot, const AgentId* agent) : snapshot_(snapshot), agent_(agent) {}

  // Whether any template has a need.
  bool HasAny() {
    const auto& profiles = snapshot_.profiles();
    const auto& declared = snapshot_.declared_distros();
    const auto has_need = [&](const auto& entry) { return !Of(entry.first).empty(); };
    return std::any_of(profiles.begin(), profiles.end(), has_need) ||
           std::any_of(declared.begin(), declared.end(), has_need);
  }

  // Calls `add` with the owner of the template and each variable of it that the host does not get,
  // of all that is assigned to it, now or later; `host` is null for one that nobody has named.
  template <typename Add>
  void ForEachLack(const Host* host, absl::Time now, Add add) {
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
  void LookAt(const Distro& distro, const Host* host, Add add) {
    const absl::optional<TemplateOwner> owner = OwnerFor(distro);
    if (!owner.has_value()) return;
    for (const Need& need : Of(*owner)) {
      if (!need.sources->Reach(host)) add(*owner, need.variable);
    }
  }

 private:
  const std::vector<Need>& Of(const TemplateOwner& owner) {
    const auto [found, is_new] = by_owner_.try_emplace(owner);
    const CommandLineTemplate* const used = is_new ? FindTemplate(snapshot_, owner) : nullptr;
    if (used == nullptr) return found->second;
    for (std::string& required : RequiredVariables(*used)) {
      const Sources& sources = SourcesOf(required);
      if (!sources.is_set_for_all) found->second.push_back({std::move(required), &sources});
    }
    return found->second;
  }

  const Sources& SourcesOf(const std::string& variable) {
    const auto [found, is_new] = sources_of_.try_emplace(variable);
    Sources& sources = found->second;
    if (!is_new) return sources;
    auto name = VariableName::Parse(variable);
    if (!name.ok()) return sources;
    sources.name = *std::move(name);
    sources.is_set_for_all = IsSetForAll(*sources.name);
    if (sources.is_set_for_all) return sources;
    for (const std::shared_ptr<const Group>& group : snapshot_.groups()) {
      if (group->variables.count(*sources.name) > 0) sources.groups.push_back(group.get());
    }
    return sources;
  }

  bool IsSetForAll(const VariableName& name) const {
    if (snapshot_.settings().variables.count(name) > 0) return true;
    if (agent_ != nullptr) {
      const AgentSettings* const own = snapshot_.FindAgentSettings(*agent_);
      return own != nullptr && own->variables.count(name) > 0;
    }
    const auto& all = snapshot_.agent_settings();
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& entry) { return entry.second.variables.count(name) > 0; });
  }

  const Snapshot& snapshot_;
  const AgentId* const agent_;
  // Of those asked for; empty for one that needs nothing, or is not there.
  std::map<TemplateOwner, std::vector<Need>> by_owner_;
  std::map<std::string, Sources> sources_of_;  // By variable.
};

class Search {
 public:
  Search(const Snapshot& before, const Snapshot& after, absl::Time now)
      : before_(before), after_(after), now_(now), needs_(after, nullptr) {}

  void LookAtChange(const Change& change) {
    const Settings& old_settings = before_.settings();
    const bool is_default_new = change.settings.has_value() &&
                                change.settings->default_distro != old_settings.default_distro;
    LookAtHosts(change, is_default_new);
    // Hosts that somebody has named never boot the setting unknown-hosts.
    if (is_default_new || (change.settings.has_value() &&
                           change.settings->unknown_hosts != old_settings.unknown_hosts)) {
      LookAtUnnamed();
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
    if (!needs_.HasAny()) return;
    // What a host lacked before is not told, so to look at more of them finds nothing else.
    const bool matches_none = all || groups.size() > kMaxMatchedGroups;
    after_.ForEachHost([&](const std::shared_ptr<const Host>& host) {
      const auto is_in = [&](const Group* group) { return group->selector.Matches(host->labels); };
      // The etag is the number of the revision that changed it last.
      if (matches_none || host->etag == change.revision.id.number ||
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
    Needs needs(after_, &agent);
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
  Needs needs_;
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
    absl::StrAppend(&sentence, "a host that ", BootsIt(owner), " doesn't get: ", hosts.front());
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
