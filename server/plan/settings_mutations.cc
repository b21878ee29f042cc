// The planner's part for profiles, and for the settings of the server and of agents.

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boot/suggestion.h"
#include "common/model/quote.h"
#include "server/plan/planner.h"

namespace autopxe::server {

bool Planner::CheckOwnTemplate(const TemplateOwner& owner,
                               const CommandLineTemplate& command_line) {
  std::vector<Problem> problems = CheckTemplate(owner, command_line);
  for (Problem& problem : problems) {
    problem.mutation = position_;
    problems_.push_back(std::move(problem));
  }
  return problems.empty();
}

void Planner::Take(const SetProfile& set) {
  if (!CheckOwnTemplate(set.name, set.command_line)) return;
  set_owners_[set.name] = position_;
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
    } else {
      absl::StrAppend(&message, "; see autopxectl profile list");
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
  set_owners_.erase(remove.name);
}

template <typename Update>
void Planner::CheckCommonSettings(DistroCheck& check, const Update& update) {
  if (update.default_distro && *update.default_distro) {
    CheckDistro(check, **update.default_distro, update.allow_missing, "default_distro");
  }
  NoteVariables(update.set_variables, update.unset_variables);
}

template <typename Update, typename Values>
void Planner::TakeCommonSettings(const Update& update, const std::string& whose, Values& values) {
  if (update.default_distro) values.default_distro = *update.default_distro;
  if (update.rootfs_path_prefix) values.rootfs_path_prefix = *update.rootfs_path_prefix;
  TakeVariables(update.set_variables, update.unset_variables, whose,
                std::numeric_limits<size_t>::max(), nullptr, values.variables);
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

}  // namespace autopxe::server
