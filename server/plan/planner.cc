#include "server/plan/planner.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boot/suggestion.h"
#include "common/model/hostlist.h"
#include "common/model/quote.h"
#include "server/plan/differences.h"

namespace autopxe::server {
namespace {

constexpr size_t kMaxMutations = 100'000;

// The hosts' names in a sentence.
constexpr size_t kMaxNamesLength = 200;

// More sentences would not be read.
constexpr size_t kMaxWarnings = 100;

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
