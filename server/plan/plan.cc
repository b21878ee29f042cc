#include "server/plan/plan.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boot/suggestion.h"
#include "common/model/quote.h"
#include "server/plan/differences.h"
#include "server/plan/distro_check.h"
#include "server/plan/overlay.h"
#include "server/plan/variable_check.h"

namespace autopxe::server {
namespace {

constexpr size_t kMaxMutations = 100'000;
constexpr size_t kMaxSuggestions = 3;

absl::StatusCode CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kHostUnknown:
    case Reason::kProfileUnknown:
    case Reason::kDistroNotOffered:
      return absl::StatusCode::kNotFound;
    case Reason::kHostExists:
      return absl::StatusCode::kAlreadyExists;
    case Reason::kProfileInUse:
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

std::string Subject(const HostReference& reference) {
  return absl::StrCat(std::holds_alternative<MacAddress>(reference) ? "mac " : "host ",
                      Quote(FormatHostReference(reference)));
}

// One batch on its way through.
class Planner {
 public:
  Planner(const Snapshot& snapshot, const Catalogs& catalogs, HostId next_host_id)
      : snapshot_(snapshot),
        catalogs_(catalogs),
        overlay_(snapshot, next_host_id),
        distro_check_(catalogs) {}

  std::variant<Plan, Refusal> Build(const Batch& batch);

 private:
  void CheckEtag(const ExpectedEtag& expected);

  void Take(const Assign& assign);
  void Take(const Unassign& unassign);
  void Take(const CreateHost& create);
  void Take(const DeleteHost& remove);
  void Take(const SetProfile& set);
  void Take(const DeleteProfile& remove);
  void Take(const UpdateSettings& update);
  void Take(const UpdateAgentSettings& update);

  // Whether a distro can be set: notes a problem, or a warning if it is allowed to be missing.
  bool CheckDistro(DistroCheck& check, const Distro& distro, bool allow_missing,
                   absl::string_view field);
  // The check for what the hosts of one agent boot: by what it offers itself if it has told.
  DistroCheck& DistroCheckOf(const AgentId& agent);
  // Notes what is wrong with what updates of settings have in common.
  template <typename Update>
  void CheckCommonSettings(DistroCheck& check, const Update& update);
  // Takes the same over into `values`; `whose` follows "it was not set".
  template <typename Update, typename Values>
  void TakeCommonSettings(const Update& update, const std::string& whose, Values& values);
  void WarnIfUnknown(const AgentId& agent);
  // The host, or null with a problem noted.
  const Host* RequireHost(const HostReference& reference);
  void Refuse(Reason reason, absl::string_view field, std::string value, std::string message,
              std::vector<std::string> suggestions = {});
  void Warn(std::string warning);

  const Snapshot& snapshot_;
  const Catalogs& catalogs_;
  Overlay overlay_;
  DistroCheck distro_check_;
  std::map<AgentId, DistroCheck> agent_checks_;
  int position_ = -1;  // Of the mutation that is being taken.
  std::vector<Problem> problems_;
  std::vector<std::string> warnings_;
  std::set<std::string> warned_;
  std::set<ProfileName> set_profiles_;
  std::set<std::string> unset_variables_;
  int suggestions_left_ = 20;  // Comparing with every host's name is dear.
};

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
  absl::optional<Problem> problem = check.Check(distro, overlay_.profiles());
  if (!problem) return true;
  if (allow_missing) {
    const std::string name = Quote(distro.Format());
    Warn(problem->reason == Reason::kProfileUnknown
             ? absl::StrCat("distro ", name, ": there is no profile ", Quote(distro.profile()),
                            " now")
             : absl::StrCat("distro ", name, ": ", check.not_offered(), " now"));
    return true;
  }
  problem->mutation = position_;
  problem->field = std::string(field);
  problems_.push_back(*std::move(problem));
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

void Planner::Take(const Assign& assign) {
  const bool distro_fits =
      CheckDistro(distro_check_, assign.distro, assign.allow_missing, "distro");
  const MacAddress* const mac = std::get_if<MacAddress>(&assign.host);
  if (mac != nullptr && overlay_.FindHost(*mac) == nullptr) {
    if (distro_fits) overlay_.AddHost(NameByMac(*mac), {*mac}, assign.distro);
    return;
  }
  const Host* const host = RequireHost(assign.host);
  if (host != nullptr && distro_fits) overlay_.SetDistro(host->id, assign.distro);
}

void Planner::Take(const Unassign& unassign) {
  const Host* const host = RequireHost(unassign.host);
  if (host != nullptr) overlay_.SetDistro(host->id, absl::nullopt);
}

void Planner::Take(const CreateHost& create) {
  const size_t problems_before = problems_.size();
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
  // Else the host whose MAC that is could not be told from this one by name.
  const absl::StatusOr<MacAddress> name_as_mac = MacAddress::Parse(create.name.text());
  if (name_as_mac.ok() &&
      std::find(create.macs.begin(), create.macs.end(), *name_as_mac) == create.macs.end()) {
    Refuse(Reason::kMalformed, "name", create.name.text(),
           absl::StrCat("host ", Quote(create.name.text()),
                        ": its name is a MAC that is none of its own"));
  }
  if (overlay_.FindHost(create.name) != nullptr) {
    Refuse(Reason::kHostExists, "name", create.name.text(),
           absl::StrCat("host ", Quote(create.name.text()), ": it exists already"));
  }
  for (const MacAddress& mac : create.macs) {
    const Host* const owner = overlay_.FindHost(mac);
    if (owner == nullptr || owner->name == create.name) continue;
    Refuse(Reason::kHostExists, "macs", mac.Format(),
           absl::StrCat("mac ", Quote(mac.Format()), ": host ", Quote(owner->name.text()),
                        " has it already"));
  }
  if (problems_.size() == problems_before) {
    overlay_.AddHost(create.name, create.macs, absl::nullopt);
  }
}

void Planner::Take(const DeleteHost& remove) {
  const Host* const host = RequireHost(remove.host);
  if (host != nullptr) overlay_.RemoveHost(host->id);
}

void Planner::Take(const SetProfile& set) {
  std::vector<Problem> problems = CheckTemplate(set.name, set.command_line);
  for (Problem& problem : problems) {
    problem.mutation = position_;
    problems_.push_back(std::move(problem));
  }
  if (!problems.empty()) return;
  set_profiles_.insert(set.name);
  overlay_.PutProfile(set.name, set.command_line);
}

void Planner::Take(const DeleteProfile& remove) {
  const std::string& name = remove.name.text();
  if (overlay_.FindProfile(remove.name) == nullptr) {
    std::vector<std::string> names;
    for (const auto& [other, profile] : overlay_.profiles()) names.push_back(other.text());
    std::vector<std::string> suggestions;
    if (suggestions_left_ > 0) {
      --suggestions_left_;
      suggestions = Suggest(name, names, kMaxSuggestions);
    }
    std::string message = absl::StrCat("profile ", Quote(name), ": no such profile");
    if (!suggestions.empty()) {
      absl::StrAppend(&message, "; did you mean ", Quote(suggestions.front()), "?");
    }
    Refuse(Reason::kProfileUnknown, "name", name, std::move(message), std::move(suggestions));
    return;
  }
  const Overlay::Users users = overlay_.UsersOf(remove.name);
  if (users.count > 0) {
    const std::string others =
        users.count > 1 ? absl::StrCat(" and ", users.count - 1, " more") : "";
    Refuse(Reason::kProfileInUse, "name", name,
           absl::StrCat("profile ", Quote(name), ": ", users.example, others,
                        users.count > 1 ? " boot" : " boots",
                        " with it; assign another distro first"));
    return;
  }
  overlay_.RemoveProfile(remove.name);
  set_profiles_.erase(remove.name);
}

template <typename Update>
void Planner::CheckCommonSettings(DistroCheck& check, const Update& update) {
  if (update.default_distro && *update.default_distro) {
    CheckDistro(check, **update.default_distro, update.allow_missing, "default_distro");
  }
  for (Problem& problem : CheckVariables(update.set_variables, update.unset_variables)) {
    problem.mutation = position_;
    problems_.push_back(std::move(problem));
  }
}

template <typename Update, typename Values>
void Planner::TakeCommonSettings(const Update& update, const std::string& whose, Values& values) {
  if (update.default_distro) values.default_distro = *update.default_distro;
  if (update.rootfs_path_prefix) values.rootfs_path_prefix = *update.rootfs_path_prefix;
  for (const auto& [name, value] : update.set_variables) {
    values.variables.insert_or_assign(name, value);
  }
  for (const VariableName& name : update.unset_variables) {
    if (values.variables.erase(name) == 0) {
      Warn(absl::StrCat("variable ", Quote(name.text()), ": it was not set", whose));
    }
    unset_variables_.insert(name.text());
  }
}

void Planner::Take(const UpdateSettings& update) {
  const size_t problems_before = problems_.size();
  CheckCommonSettings(distro_check_, update);
  if (update.unknown_hosts && *update.unknown_hosts) {
    CheckDistro(distro_check_, **update.unknown_hosts, update.allow_missing, "unknown_hosts");
  }
  if (update.menu_timeout) {
    const absl::Duration timeout = *update.menu_timeout;
    if (timeout < Settings::kMinMenuTimeout || timeout > Settings::kMaxMenuTimeout ||
        timeout != absl::Trunc(timeout, absl::Seconds(1))) {
      Refuse(Reason::kMalformed, "menu_timeout", absl::FormatDuration(timeout),
             absl::StrCat("menu time-out ", absl::FormatDuration(timeout),
                          ": expected whole seconds from 1s to 1h"));
    }
  }
  if (problems_.size() != problems_before) return;

  Settings& settings = overlay_.mutable_settings();
  TakeCommonSettings(update, "", settings);
  if (update.unknown_hosts) settings.unknown_hosts = *update.unknown_hosts;
  if (update.menu_timeout) settings.menu_timeout = *update.menu_timeout;
}

DistroCheck& Planner::DistroCheckOf(const AgentId& agent) {
  const auto catalog = catalogs_.find(agent);
  if (catalog == catalogs_.end()) return distro_check_;
  return agent_checks_.try_emplace(agent, agent, *catalog->second).first->second;
}

void Planner::WarnIfUnknown(const AgentId& agent) {
  if (catalogs_.count(agent) > 0) return;
  std::string warning =
      absl::StrCat("agent ", Quote(agent.text()), ": no such agent has reported yet");
  if (suggestions_left_ > 0) {
    --suggestions_left_;
    std::vector<std::string> ids;
    for (const auto& [id, catalog] : catalogs_) ids.push_back(id.text());
    const std::vector<std::string> closest = Suggest(agent.text(), ids, 1);
    if (!closest.empty()) {
      absl::StrAppend(&warning, "; did you mean ", Quote(closest.front()), "?");
    }
  }
  Warn(std::move(warning));
}

void Planner::Take(const UpdateAgentSettings& update) {
  const size_t problems_before = problems_.size();
  CheckCommonSettings(DistroCheckOf(update.agent), update);
  if (problems_.size() != problems_before) return;
  AgentSettings& settings = overlay_.mutable_agent_settings(update.agent);
  TakeCommonSettings(update, absl::StrCat(" for agent ", Quote(update.agent.text())), settings);
  if (!settings.empty()) WarnIfUnknown(update.agent);
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

  for (std::string& warning :
       WarningsOfUnsetVariables(overlay_, catalogs_, set_profiles_, unset_variables_)) {
    Warn(std::move(warning));
  }
  Plan plan{.change = overlay_.BuildChange(), .differences = {}, .warnings = {}};
  plan.differences = Compare(snapshot_, plan.change);
  plan.warnings = std::move(warnings_);
  return plan;
}

}  // namespace

std::variant<Plan, Refusal> BuildPlan(const Snapshot& snapshot, const Catalogs& catalogs,
                                      const Batch& batch, HostId next_host_id) {
  return Planner(snapshot, catalogs, next_host_id).Build(batch);
}

}  // namespace autopxe::server
