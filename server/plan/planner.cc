#include "server/plan/planner.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boot/resolution.h"
#include "boot/suggestion.h"
#include "common/model/quote.h"
#include "server/plan/differences.h"

namespace autopxe::server {
namespace {

constexpr size_t kMaxMutations = 100'000;

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

Refusal BuildRefusal(std::vector<Problem> problems) {
  Refusal refusal{
      .code = CodeOf(problems.front().reason), .message = problems.front().message, .problems = {}};
  if (problems.size() > 1) {
    absl::StrAppend(&refusal.message, " (and ", problems.size() - 1, " more)");
  }
  refusal.problems = std::move(problems);
  return refusal;
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
                          absl::string_view field) {
  absl::optional<DistroCheck::Finding> finding =
      check.Check(distro, overlay_.profiles(), overlay_.declared_distros());
  if (!finding.has_value()) return true;
  if (allow_missing) {
    Warn(std::move(finding->warning));
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
                            size_t at_most, std::map<VariableName, VariableValue>& variables) {
  for (const auto& [name, value] : set) variables.insert_or_assign(name, value);
  for (const VariableName& name : unset) {
    if (variables.erase(name) == 0) {
      Warn(absl::StrCat("variable ", Quote(name.text()), ": it was not set", whose));
    }
    unset_variables_.insert(name.text());
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
    if (!before.locked || problems_.size() >= kMaxLocked) return;
    if (used_next_boots_.count(before.id) > 0) return;
    const std::string name = before.name.text();
    const std::shared_ptr<const Host> now = after.FindHost(before.id);
    if (now == nullptr) {
      Refuse(Reason::kHostLocked, "host", name,
             absl::StrCat("host ", Quote(name), ": it is locked; unlock it, or add --force"));
      return;
    }
    if (!now->locked) return;
    const Distro boots = ChooseDistro(snapshot_, nullptr, &before, now_).distro;
    const Distro would = ChooseDistro(after, nullptr, now.get(), now_).distro;
    const bool assigned =
        before.distro != now->distro || before.timed != now->timed || before.next != now->next;
    if (!assigned && boots == would) return;
    Refuse(
        Reason::kHostLocked, "host", name,
        absl::StrCat("host ", Quote(name), ": it is locked to ", boots.Format(),
                     assigned && boots == would ? ", and its assignments would change"
                                                : absl::StrCat(" and would boot ", would.Format()),
                     "; unlock it, or add --force"));
  };
  if (change.settings || !change.groups.empty() || !change.deleted_groups.empty()) {
    for (const std::shared_ptr<const Host>& host : snapshot_.HostsByName()) check(*host);
    return;
  }
  for (const HostId id : change.deleted_hosts) {
    if (const auto host = snapshot_.FindHost(id)) check(*host);
  }
  for (const std::shared_ptr<const Host>& now : change.hosts) {
    if (const auto host = snapshot_.FindHost(now->id)) check(*host);
  }
}

void Planner::CheckUnsetVariables(const Snapshot& after, bool force) {
  std::set<TemplateOwner> set_owners;
  for (const auto& [owner, position] : set_owners_) set_owners.insert(owner);
  for (UnsetVariable& unset :
       FindUnsetVariables(after, catalogs_, set_owners, unset_variables_, now_)) {
    const auto set = set_owners_.find(unset.owner);
    if (force || !unset.reaches_nobody || set == set_owners_.end()) {
      Warn(std::move(unset.sentence));
      continue;
    }
    position_ = set->second;
    absl::StrAppend(&unset.sentence, "; set it first, or give it a default, ${", unset.variable,
                    ":-VALUE}, or add --force");
    Refuse(Reason::kVariableUnset, TemplateField(unset.owner),
           FindTemplate(after, unset.owner)->text(), std::move(unset.sentence));
  }
}

std::variant<Plan, Refusal> Planner::Build(const Batch& batch) {
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
  if (!problems_.empty()) return BuildRefusal(std::move(problems_));

  for (const Mutation& mutation : batch.mutations) {
    ++position_;
    std::visit([this](const auto& one) { Take(one); }, mutation);
  }
  if (!problems_.empty()) return BuildRefusal(std::move(problems_));

  Plan plan{.change = overlay_.BuildChange(), .differences = {}, .warnings = {}};
  // A contradiction in the change itself is the writer's to tell.
  if (const auto after = autopxe::Apply(snapshot_, plan.change); after.ok()) {
    CheckUnsetVariables(**after, batch.force);
    if (!batch.force) CheckLocks(plan.change, **after);
  }
  if (!problems_.empty()) return BuildRefusal(std::move(problems_));
  plan.differences = Compare(snapshot_, plan.change);
  plan.warnings = std::move(warnings_);
  return plan;
}

}  // namespace autopxe::server
