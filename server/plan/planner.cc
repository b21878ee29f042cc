#include "server/plan/planner.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boot/resolution.h"
#include "boot/suggestion.h"
#include "common/model/hostlist.h"
#include "common/model/quote.h"
#include "server/plan/differences.h"
#include "server/plan/lacked_variables.h"

namespace autopxe::server {
namespace {

constexpr size_t kMaxMutations = 100'000;

// The hosts' names in a sentence.
constexpr size_t kMaxNamesLength = 200;

// More sentences would not be read.
constexpr size_t kMaxWarnings = 100;

// Of groups with hosts, to find those that match none: a moment of the write that they are part of.
constexpr size_t kMaxMatches = 5'000'000;

absl::StatusCode CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kHostUnknown:
    case Reason::kProfileUnknown:
    case Reason::kGroupUnknown:
    case Reason::kDistroNotOffered:
    case Reason::kDistroUnknown:
      return absl::StatusCode::kNotFound;
    case Reason::kHostExists:
      return absl::StatusCode::kAlreadyExists;
    case Reason::kProfileInUse:
    case Reason::kDistroInUse:
    case Reason::kHostLocked:
    case Reason::kVariableUnset:
      return absl::StatusCode::kFailedPrecondition;
    case Reason::kEtagMismatch:
      return absl::StatusCode::kAborted;
    case Reason::kMalformed:
    case Reason::kRequestIdReused:
    case Reason::kBatchInvalid:
      return absl::StatusCode::kInvalidArgument;
  }
  return absl::StatusCode::kInternal;
}

// The hosts that a change may let boot something else without touching them, by a default or a
// group.
class Reach {
 public:
  Reach(const Snapshot& before, const Change& change) {
    everyone_ = change.settings.has_value() &&
                change.settings->default_distro != before.settings().default_distro;
    for (const std::shared_ptr<const Group>& group : change.groups) {
      Add(before.FindGroup(group->name));
      Add(group);
    }
    for (const GroupName& name : change.deleted_groups) Add(before.FindGroup(name));
  }

  bool empty() const { return !everyone_ && groups_.empty(); }

  bool Includes(const Host& host) const {
    return everyone_ || std::any_of(groups_.begin(), groups_.end(), [&](const auto& group) {
             return group->selector.Matches(host.labels);
           });
  }

 private:
  void Add(const std::shared_ptr<const Group>& group) {
    if (group != nullptr && group->distro.has_value()) groups_.push_back(group);
  }

  bool everyone_;
  std::vector<std::shared_ptr<const Group>> groups_;  // As they were and as they are.
};

// Whether all are of unknown hosts, which one sentence can name.
bool AreUnknownHosts(const std::vector<Problem>& problems) {
  return problems.size() > 1 &&
         std::all_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.reason == Reason::kHostUnknown; });
}

std::string UnknownHostsText(const std::vector<Problem>& problems) {
  std::vector<std::string> names;
  for (const Problem& problem : problems) names.push_back(problem.value);
  const Hostlist hosts = Hostlist::Of(std::move(names));
  std::string text = absl::StrCat(hosts.names().size(),
                                  " hosts are unknown: ", hosts.FormatShort(kMaxNamesLength), "; ");
  for (const Problem& problem : problems) {
    if (problem.suggestions.empty()) continue;
    return absl::StrCat(text, "by ", Quote(problem.value), " did you mean ",
                        Quote(problem.suggestions.front()), "?");
  }
  return absl::StrCat(text, "see autopxectl host list, or create them with their MACs");
}

}  // namespace

std::string Subject(const HostReference& reference) {
  return absl::StrCat(std::holds_alternative<MacAddress>(reference) ? "mac " : "host ",
                      Quote(FormatHostReference(reference)));
}

void Planner::Refuse(Reason reason, absl::string_view field, std::string value, std::string message,
                     std::vector<std::string> suggestions) {
  problems_.push_back({.reason = reason,
                       .mutation = position_,
                       .field = std::string(field),
                       .value = std::move(value),
                       .suggestions = std::move(suggestions),
                       .message = std::move(message)});
}

void Planner::Warn(std::string warning) {
  if (warned_.insert(warning).second) warnings_.push_back(std::move(warning));
}

void Planner::WarnOfHost(std::string what, const HostName& host, std::string advice) {
  HostWarning& warning = host_warnings_[std::move(what)];
  warning.hosts.push_back(host.text());
  warning.advice = std::move(advice);
}

std::vector<std::string> Planner::TakeWarnings() {
  for (auto& [what, warning] : host_warnings_) {
    const Hostlist hosts = Hostlist::Of(std::move(warning.hosts));
    const size_t count = hosts.names().size();
    const std::string whom =
        count == 1 ? absl::StrCat("host ", Quote(hosts.names().front()))
                   : absl::StrCat(count, " hosts: ", hosts.FormatShort(kMaxNamesLength));
    Warn(absl::StrCat(what, " for ", whom, warning.advice.empty() ? "" : "; ", warning.advice));
  }
  if (warnings_.size() > kMaxWarnings) {
    const size_t more = warnings_.size() - kMaxWarnings;
    warnings_.resize(kMaxWarnings);
    warnings_.push_back(absl::StrCat("and ", more, " warnings more"));
  }
  return std::move(warnings_);
}

Refusal Planner::BuildRefusal() {
  Refusal refusal{.code = CodeOf(problems_.front().reason),
                  .message = problems_.front().message,
                  .problems = {}};
  if (AreUnknownHosts(problems_)) {
    refusal.message = UnknownHostsText(problems_);
  } else if (locked_.size() > 1) {
    const size_t count = locked_.size();
    refusal.message = absl::StrCat(count, " hosts are locked, and it would change what they boot: ",
                                   Hostlist::Of(std::move(locked_)).FormatShort(kMaxNamesLength),
                                   "; unlock them, or add --force");
  } else if (problems_.size() > 1) {
    absl::StrAppend(&refusal.message, " (and ", problems_.size() - 1, " more)");
  }
  refusal.problems = std::move(problems_);
  return refusal;
}

void Planner::CheckEtag(const ExpectedEtag& expected) {
  std::string subject = "settings";
  std::string value;
  int64_t etag = snapshot_.settings().etag;
  if (const auto* reference = std::get_if<HostReference>(&expected.resource)) {
    const auto host = snapshot_.FindHost(*reference);
    subject = Subject(*reference);
    value = FormatHostReference(*reference);
    etag = host == nullptr ? 0 : host->etag;
  } else if (const auto* name = std::get_if<ProfileName>(&expected.resource)) {
    const Profile* const profile = snapshot_.FindProfile(*name);
    subject = absl::StrCat("profile ", Quote(name->text()));
    value = name->text();
    etag = profile == nullptr ? 0 : profile->etag;
  } else if (const auto* agent = std::get_if<AgentId>(&expected.resource)) {
    const AgentSettings* const settings = snapshot_.FindAgentSettings(*agent);
    subject = absl::StrCat("settings of agent ", Quote(agent->text()));
    value = agent->text();
    etag = settings == nullptr ? 0 : settings->etag;
  } else if (const auto* group_name = std::get_if<GroupName>(&expected.resource)) {
    const auto group = snapshot_.FindGroup(*group_name);
    subject = absl::StrCat("group ", Quote(group_name->text()));
    value = group_name->text();
    etag = group == nullptr ? 0 : group->etag;
  } else if (const auto* distro_name = std::get_if<DistroName>(&expected.resource)) {
    const auto distro = snapshot_.FindDeclaredDistro(*distro_name);
    subject = absl::StrCat("declared distro ", Quote(distro_name->text()));
    value = distro_name->text();
    etag = distro == nullptr ? 0 : distro->etag;
  }
  if (etag == expected.etag) return;
  std::string finding = absl::StrCat("changed by revision ", etag);
  if (etag == 0) finding = "not there";
  if (expected.etag == 0) finding = absl::StrCat("there already, by revision ", etag);
  Refuse(Reason::kEtagMismatch, "expected_etags", std::move(value),
         absl::StrCat(subject, ": expected etag ", expected.etag, ", but it is ", finding,
                      "; read it again and retry"));
}

bool Planner::CheckDistro(DistroCheck& check, const Distro& distro, bool allow_missing,
                          absl::string_view field, const HostName* host) {
  absl::optional<DistroCheck::Finding> finding =
      check.Check(distro, overlay_.profiles(), overlay_.declared_distros());
  if (!finding.has_value()) return true;
  if (allow_missing) {
    if (host != nullptr) {
      WarnOfHost(std::move(finding->warning), *host, std::move(finding->advice));
    } else {
      Warn(absl::StrCat(finding->warning, finding->advice.empty() ? "" : "; ", finding->advice));
    }
    return true;
  }
  finding->problem.mutation = position_;
  finding->problem.field = std::string(field);
  problems_.push_back(std::move(finding->problem));
  return false;
}

const Host* Planner::RequireHost(const HostReference& reference) {
  const Host* const host = overlay_.FindHost(reference);
  if (host != nullptr) return host;
  const std::string value = FormatHostReference(reference);
  std::vector<std::string> suggestions;
  if (std::holds_alternative<HostName>(reference) && suggestions_left_ > 0) {
    --suggestions_left_;
    suggestions = Suggest(value, overlay_.HostNames(), kMaxSuggestions);
  }
  std::string message = absl::StrCat(Subject(reference), ": no such host");
  if (!suggestions.empty()) {
    absl::StrAppend(&message, "; did you mean ", Quote(suggestions.front()), "?");
  } else if (std::holds_alternative<HostName>(reference)) {
    absl::StrAppend(&message, "; see autopxectl host list, or create it with its MACs");
  } else {
    absl::StrAppend(&message, "; see autopxectl host list, or autopxectl host create");
  }
  Refuse(Reason::kHostUnknown, "host", value, std::move(message), std::move(suggestions));
  return nullptr;
}

void Planner::NoteVariables(const std::map<VariableName, VariableValue>& set,
                            const std::vector<VariableName>& unset) {
  for (Problem& problem : CheckVariables(set, unset)) {
    problem.mutation = position_;
    problems_.push_back(std::move(problem));
  }
}

void Planner::TakeVariables(const std::map<VariableName, VariableValue>& set,
                            const std::vector<VariableName>& unset, const std::string& whose,
                            size_t at_most, const HostName* host,
                            std::map<VariableName, VariableValue>& variables) {
  for (const auto& [name, value] : set) variables.insert_or_assign(name, value);
  for (const VariableName& name : unset) {
    const bool was_set = variables.erase(name) > 0;
    auto& losses = host == nullptr ? unset_variables_ : lost_variables_;
    losses.insert_or_assign(name.text(), Loss{position_, "unset_variables", name.text()});
    if (was_set) continue;
    std::string what = absl::StrCat("variable ", Quote(name.text()), ": it was not set");
    if (host != nullptr) {
      WarnOfHost(std::move(what), *host);
    } else {
      Warn(absl::StrCat(what, whose));
    }
  }
  if (variables.size() <= at_most) return;
  Refuse(Reason::kMalformed, "set_variables", absl::StrCat(variables.size()),
         absl::StrCat("there would be ", variables.size(), " variables", whose, ": expected ",
                      at_most, " at most"));
}

void Planner::CheckLocks(const Change& change, const Snapshot& after) {
  // More would be no help to anybody.
  constexpr size_t kMaxLocked = 20;
  position_ = -1;
  const auto check = [&](const Host& before) {
    if (used_next_boots_.count(before.id) > 0) return;
    const std::string name = before.name.text();
    const std::shared_ptr<const Host> now = after.FindHost(before.id);
    const auto refuse = [&](std::string message) {
      locked_.push_back(name);
      if (problems_.size() >= kMaxLocked) return;
      Refuse(Reason::kHostLocked, "host", name, std::move(message));
    };
    if (now == nullptr) {
      return refuse(
          absl::StrCat("host ", Quote(name), ": it is locked; unlock it, or add --force"));
    }
    if (!now->locked) return;
    const Distro boots = ChooseDistro(snapshot_, nullptr, &before, now_).distro;
    const Distro would = ChooseDistro(after, nullptr, now.get(), now_).distro;
    const bool assigned =
        before.distro != now->distro || before.timed != now->timed || before.next != now->next;
    if (!assigned && boots == would) return;
    refuse(absl::StrCat("host ", Quote(name), ": it is locked to ", boots.Format(),
                        assigned && boots == would
                            ? ", and its assignments would change"
                            : absl::StrCat(" and would boot ", would.Format()),
                        "; unlock it, or add --force"));
  };
  std::map<HostName, std::shared_ptr<const Host>> locked;
  const auto add = [&](const std::shared_ptr<const Host>& host) {
    if (host != nullptr && host->locked) locked.emplace(host->name, host);
  };
  for (const HostId id : change.deleted_hosts) add(snapshot_.FindHost(id));
  for (const std::shared_ptr<const Host>& now : change.hosts) add(snapshot_.FindHost(now->id));
  if (const Reach reach(snapshot_, change); !reach.empty()) {
    snapshot_.ForEachLockedHost([&](const std::shared_ptr<const Host>& host) {
      if (reach.Includes(*host)) add(host);
    });
  }
  for (const auto& [name, host] : locked) check(*host);
}

void Planner::CheckUnsetVariables(const Snapshot& after, bool force) {
  std::set<TemplateOwner> set_owners;
  for (const auto& [owner, position] : set_owners_) set_owners.insert(owner);
  std::set<std::string> unset_variables;
  for (const auto& [variable, loss] : unset_variables_) unset_variables.insert(variable);
  for (UnsetVariable& unset :
       FindUnsetVariables(after, catalogs_, set_owners, unset_variables, now_)) {
    const auto set = set_owners_.find(unset.owner);
    if (force || !unset.reaches_nobody) {
      Warn(std::move(unset.sentence));
      continue;
    }
    if (set == set_owners_.end()) {
      if (unset.users > 0 && ReachedSomebody(unset.owner, unset.variable)) {
        RefuseLoss(unset_variables_.at(unset.variable), unset);
      } else {
        Warn(std::move(unset.sentence));
      }
      continue;
    }
    position_ = set->second;
    absl::StrAppend(&unset.sentence, "; set it first, or give it a default, ${", unset.variable,
                    ":-VALUE}, or add --force");
    Refuse(Reason::kVariableUnset, TemplateField(unset.owner),
           FindTemplate(after, unset.owner)->text(), std::move(unset.sentence));
  }
}

bool Planner::ReachedSomebody(const TemplateOwner& owner, const std::string& variable) const {
  const std::vector<UnsetVariable> before =
      FindUnsetVariables(snapshot_, catalogs_, {}, {variable}, now_);
  return std::none_of(before.begin(), before.end(), [&](const UnsetVariable& unset) {
    return unset.owner == owner && unset.reaches_nobody;
  });
}

void Planner::RefuseLoss(const Loss& loss, const UnsetVariable& unset) {
  position_ = loss.position;
  Refuse(Reason::kVariableUnset, loss.field, loss.value,
         absl::StrCat(unset.sentence, "; set it elsewhere first, or give it a default, ${",
                      unset.variable, ":-VALUE}, or add --force"));
}

void Planner::CheckLackedVariables(const Change& change, const Snapshot& after, bool force) {
  std::vector<LackedVariable> found;
  std::set<std::string> lost;
  for (LackedVariable& lacked : FindLackedVariables(snapshot_, after, change, now_)) {
    if (set_owners_.count(lacked.owner) > 0 || unset_variables_.count(lacked.variable) > 0) {
      continue;
    }
    if (!force && !lacked.hosts.empty() && lost_variables_.count(lacked.variable) > 0) {
      lost.insert(lacked.variable);
    }
    found.push_back(std::move(lacked));
  }
  std::set<std::pair<TemplateOwner, std::string>> refused;
  for (const UnsetVariable& unset : FindUnsetVariables(after, catalogs_, {}, lost, now_)) {
    const bool is_new = std::any_of(found.begin(), found.end(), [&](const LackedVariable& lacked) {
      return lacked.owner == unset.owner && lacked.variable == unset.variable;
    });
    if (!is_new || !unset.reaches_nobody || unset.users == 0 ||
        !ReachedSomebody(unset.owner, unset.variable)) {
      continue;
    }
    RefuseLoss(lost_variables_.at(unset.variable), unset);
    refused.emplace(unset.owner, unset.variable);
  }
  for (const LackedVariable& lacked : found) {
    if (refused.count({lacked.owner, lacked.variable}) == 0) Warn(lacked.Sentence());
  }
}

void Planner::WarnOfEmptyGroups(const Snapshot& after) {
  // Whoever sets groups up before any hosts are known has mistyped nothing.
  if (set_selectors_.empty() || after.host_count() == 0) return;
  std::vector<std::shared_ptr<const Group>> empty;
  const size_t at_most = std::max<size_t>(1, kMaxMatches / after.host_count());
  for (const GroupName& name : set_selectors_) {
    const auto group = after.FindGroup(name);
    if (group != nullptr && empty.size() < at_most) empty.push_back(group);
  }
  after.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    std::erase_if(empty, [&](const auto& group) { return group->selector.Matches(host->labels); });
  });
  if (empty.empty()) return;
  std::set<std::string> keys;
  after.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    for (const auto& [key, value] : host->labels) keys.insert(key.text());
  });
  const std::vector<std::string> known(keys.begin(), keys.end());
  for (const std::shared_ptr<const Group>& group : empty) {
    std::string warning = absl::StrCat("group ", Quote(group->name.text()), ": its selector ",
                                       Quote(group->selector.text()), " matches no host now");
    for (const Selector::Requirement& requirement : group->selector.requirements()) {
      const bool is_wanted = requirement.op == Selector::Operator::kIn ||
                             requirement.op == Selector::Operator::kExists;
      if (!is_wanted || keys.count(requirement.key.text()) > 0) continue;
      absl::StrAppend(&warning, "; no host has a label ", Quote(requirement.key.text()));
      if (suggestions_left_ == 0) break;
      --suggestions_left_;
      const std::vector<std::string> closest = Suggest(requirement.key.text(), known, 1);
      if (!closest.empty()) {
        absl::StrAppend(&warning, ", did you mean ", Quote(closest.front()), "?");
      }
      break;
    }
    Warn(std::move(warning));
  }
}

std::variant<Plan, Refusal> Planner::Build(const Batch& batch) {
  batch_ = &batch;
  if (batch.mutations.empty()) {
    Refuse(Reason::kBatchInvalid, "mutations", "", "the request asks for no change at all");
  }
  if (batch.mutations.size() > kMaxMutations) {
    Refuse(Reason::kBatchInvalid, "mutations", absl::StrCat(batch.mutations.size()),
           absl::StrCat("the request asks for ", batch.mutations.size(), " changes: expected ",
                        kMaxMutations, " at most"));
  }
  for (const ExpectedEtag& expected : batch.expected_etags) CheckEtag(expected);
  // A caller whose view is stale gets no further findings: they may be about what is no longer so.
  if (!problems_.empty()) return BuildRefusal();

  for (const Mutation& mutation : batch.mutations) {
    ++position_;
    std::visit([this](const auto& one) { Take(one); }, mutation);
  }
  CheckTakenEarly();
  if (!problems_.empty()) return BuildRefusal();

  Plan plan{.change = overlay_.BuildChange(), .differences = {}, .warnings = {}};
  // A contradiction in the change itself is the writer's to tell.
  if (const auto after = autopxe::Apply(snapshot_, plan.change); after.ok()) {
    CheckUnsetVariables(**after, batch.force);
    CheckLackedVariables(plan.change, **after, batch.force);
    WarnOfEmptyGroups(**after);
    if (!batch.force) CheckLocks(plan.change, **after);
  }
  if (!problems_.empty()) return BuildRefusal();
  plan.differences = Compare(snapshot_, plan.change);
  plan.warnings = TakeWarnings();
  return plan;
}

}  // namespace autopxe::server
