#include <memory>

#include "CLI/CLI.hpp"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/known_agent.h"
#include "ctl/settings_key.h"
#include "ctl/table.h"

namespace autopxe::ctl {
namespace {

struct AgentSettingsArguments {
  std::string agent;
  std::string key;
  std::string value;
  bool allow_missing = false;
};

absl::Status RunShow(Session& session, const std::string& agent) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::AgentSettings settings, client->GetAgentSettings(agent));
  // Of one that was never heard of, nothing is set either.
  if (settings.etag() == 0) RETURN_IF_ERROR(CheckAgentKnown(*client, agent));
  return session.Print(settings, [&] {
    Table table({"KEY", "VALUE"});
    for (const auto& [key, value] : SettingsByKey(settings)) table.Add({key, value});
    return table.Format();
  });
}

absl::Status RunList(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListAgentSettingsResponse agents, client->ListAgentSettings());
  return session.Print(agents, [&] {
    Table table({"AGENT", "KEY", "VALUE"});
    for (const v1::AgentSettings& settings : agents.agents()) {
      for (const auto& [key, value] : SettingsByKey(settings)) {
        if (!value.empty()) table.Add({settings.agent_id(), key, value});
      }
    }
    return table.Format();
  });
}

absl::Status Update(Session& session, const v1::Mutation::UpdateAgentSettings& update) {
  v1::UpdateAgentSettingsRequest request;
  *request.mutable_update() = update;
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->UpdateAgentSettings(request));
  return session.PrintChange(response);
}

absl::Status RunSet(Session& session, const AgentSettingsArguments& arguments) {
  ASSIGN_OR_RETURN(v1::Mutation::UpdateAgentSettings update,
                   SetAgentKey(arguments.agent, arguments.key, arguments.value));
  update.set_allow_missing(arguments.allow_missing);
  return Update(session, update);
}

absl::Status RunUnset(Session& session, const AgentSettingsArguments& arguments) {
  ASSIGN_OR_RETURN(const v1::Mutation::UpdateAgentSettings update,
                   UnsetAgentKey(arguments.agent, arguments.key));
  return Update(session, update);
}

}  // namespace

void AddAgentSettingsCommands(CLI::App& agent, Session& session) {
  const auto shown = std::make_shared<std::string>();
  AddCommand(agent, session,
             {"show", "AGENT", "What is set for the hosts of one agent",
              "What is not set is as autopxectl settings show says. Of all agents at once:\n"
              "autopxectl agent settings.\n\n"
              "Example:\n  autopxectl agent show rack1"},
             [&session, shown] { return RunShow(session, *shown); })
      .add_option("agent", *shown)
      ->required();

  AddCommand(
      agent, session,
      {"settings", "", "What is set for the hosts of each agent",
       "Agents for which nothing is set are not listed. One that was never heard of, or was\n"
       "deleted, may have settings all the same.\n\n"
       "Example:\n  autopxectl agent settings"},
      [&session] { return RunList(session); });

  const auto set = std::make_shared<AgentSettingsArguments>();
  CLI::App& set_command = AddCommand(
      agent, session,
      {"set", "AGENT KEY VALUE", "Set something for the hosts of one agent",
       "It wins over the setting of that name (autopxectl settings show). Keys:\n"
       "  default-distro      what a host without an assignment boots here\n"
       "  rootfs-path-prefix  where hosts mount what this agent sees as its rootfs folder\n"
       "  variables.NAME      a value for templates\n\n"
       "Examples:\n"
       "  autopxectl agent set rack1 variables.nfs-server 10.77.1.1\n"
       "  autopxectl agent set rack1 default-distro debian/stable/latest/overlayfs"},
      [&session, set] { return RunSet(session, *set); });
  set_command.add_option("agent", set->agent)->required();
  set_command.add_option("key", set->key)->required();
  set_command.add_option("value", set->value)->required();
  set_command.add_flag("--allow-missing", set->allow_missing,
                       "although this agent does not offer the distro");
  AddChangeOptions(set_command, session);

  const auto unset = std::make_shared<AgentSettingsArguments>();
  CLI::App& unset_command =
      AddCommand(agent, session,
                 {"unset", "AGENT KEY", "Return a setting of one agent to what holds for all",
                  "Example:\n  autopxectl agent unset rack1 variables.nfs-server"},
                 [&session, unset] { return RunUnset(session, *unset); });
  unset_command.add_option("agent", unset->agent)->required();
  unset_command.add_option("key", unset->key)->required();
  AddChangeOptions(unset_command, session);
}

}  // namespace autopxe::ctl
