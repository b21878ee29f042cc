#include <memory>

#include "CLI/CLI.hpp"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/settings_key.h"
#include "ctl/table.h"

namespace autopxe::ctl {
namespace {

struct SettingsArguments {
  std::string key;
  std::string value;
  bool allow_missing = false;
};

absl::Status RunShow(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::Settings settings, client->GetSettings());
  return session.Print(settings, [&] {
    Table table({"KEY", "VALUE"});
    for (const auto& [key, value] : SettingsByKey(settings)) table.Add({key, value});
    return table.Format();
  });
}

absl::Status Update(Session& session, const v1::Mutation::UpdateSettings& update) {
  v1::UpdateSettingsRequest request;
  *request.mutable_update() = update;
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->UpdateSettings(request));
  return session.PrintChange(response);
}

absl::Status RunSet(Session& session, const SettingsArguments& arguments) {
  ASSIGN_OR_RETURN(v1::Mutation::UpdateSettings update, SetKey(arguments.key, arguments.value));
  update.set_allow_missing(arguments.allow_missing);
  return Update(session, update);
}

absl::Status RunUnset(Session& session, const SettingsArguments& arguments) {
  ASSIGN_OR_RETURN(const v1::Mutation::UpdateSettings update, UnsetKey(arguments.key));
  return Update(session, update);
}

}  // namespace

void AddSettingsCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "settings", "What holds for every host");
  AddCommand(noun, session, {"show", "", "All settings", "Example:\n  autopxectl settings show"},
             [&session] { return RunShow(session); });

  const auto set = std::make_shared<SettingsArguments>();
  CLI::App& set_command = AddCommand(
      noun, session,
      {"set", "KEY VALUE", "Change a setting",
       "Keys:\n"
       "  default-distro      what a host without an assignment boots\n"
       "  unknown-hosts       what a host boots that nobody has named (a distro, menu, wait, "
       "local, ignore)\n"
       "  menu-timeout        how long a menu waits before it boots the default: 1s to 1h\n"
       "  rootfs-path-prefix  where hosts mount what agents see as their rootfs folder\n"
       "  variables.NAME      a value for templates; that of local-boot says how a host leaves for "
       "its\n"
       "                      local disk: exit, exit-ok or sanboot\n\n"
       "Examples:\n"
       "  autopxectl settings set default-distro debian/stable/latest/overlayfs\n"
       "  autopxectl settings set variables.nfs-server 172.25.2.11"},
      [&session, set] { return RunSet(session, *set); });
  set_command.add_option("key", set->key)->required();
  set_command.add_option("value", set->value)->required();
  set_command.add_flag("--allow-missing", set->allow_missing,
                       "although no agent offers the distro");
  AddChangeOptions(set_command, session);

  const auto unset = std::make_shared<SettingsArguments>();
  CLI::App& unset_command =
      AddCommand(noun, session,
                 {"unset", "KEY", "Return a setting to its default, or remove a variable",
                  "Example:\n  autopxectl settings unset variables.nfs-server"},
                 [&session, unset] { return RunUnset(session, *unset); });
  unset_command.add_option("key", unset->key)->required();
  AddChangeOptions(unset_command, session);
}

}  // namespace autopxe::ctl
