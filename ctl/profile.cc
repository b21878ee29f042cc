#include <memory>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/table.h"

namespace autopxe::ctl {
namespace {

absl::Status RunList(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListProfilesResponse profiles, client->ListProfiles());
  return session.Print(profiles, [&] {
    Table table({"NAME", "COMMAND LINE"});
    for (const v1::Profile& profile : profiles.profiles()) {
      table.Add({profile.name(), profile.command_line()});
    }
    return table.Format();
  });
}

absl::Status RunShow(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::Profile profile, client->GetProfile(name));
  return session.Print(profile, [&] {
    Table table({"FIELD", "VALUE"});
    table.Add({"name", profile.name()});
    table.Add({"command line", profile.command_line()});
    table.Add({"changed in revision", absl::StrCat(profile.etag())});
    return table.Format();
  });
}

struct SetArguments {
  std::string name;
  // The command line, or the pieces of one that the shell has split. Apart from the name, since
  // CLI11 takes a "--" only in front of an option that has nothing yet.
  std::vector<std::string> words;
};

absl::Status RunSet(Session& session, const SetArguments& arguments) {
  if (arguments.words.size() != 1) {
    return UsageError(
        arguments.words.empty()
            ? "profile set: expected a name and a command line; see autopxectl profile set --help"
            : "profile set: the command line is one word for the shell: put it between single "
              "quotes");
  }
  v1::SetProfileRequest request;
  request.set_name(arguments.name);
  request.set_command_line(arguments.words.front());
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->SetProfile(request));
  return session.PrintChange(response);
}

absl::Status RunDelete(Session& session, const std::string& name) {
  v1::DeleteProfileRequest request;
  request.set_name(name);
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->DeleteProfile(request));
  return session.PrintChange(response);
}

}  // namespace

void AddProfileCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "profile", "Kernel command lines, by name");
  AddCommand(noun, session, {"list", "", "All profiles", "Example:\n  autopxectl profile list"},
             [&session] { return RunList(session); });

  const auto shown = std::make_shared<std::string>();
  AddCommand(noun, session,
             {"show", "NAME", "One profile", "Example:\n  autopxectl profile show overlayfs"},
             [&session, shown] { return RunShow(session, *shown); })
      .add_option("name", *shown)
      ->required();

  const auto set = std::make_shared<SetArguments>();
  CLI::App& set_command = AddCommand(
      noun, session,
      {"set", "NAME 'COMMAND LINE'", "Create a profile, or replace its command line",
       "${name} stands for a variable (autopxectl settings set variables.name ...), and\n"
       "${name:-text} for a variable or else that text. Built in are:\n"
       "  rootfs-path    where the host mounts its root file system\n"
       "  host, mac      the host's name and MAC\n"
       "  bootif         its MAC as pxelinux writes it: 01-52-54-00-12-34-56\n"
       "  distro         name/release/kernel/profile; distro-name is the first part\n"
       "  release        the release's folder\n"
       "  kernel, arch   the kernel's version, and what it runs on\n"
       "  agent, agent-address  the agent's id, and where the host reaches it\n"
       "iPXE fills in its own settings, such as ${ip}, ${uuid} or ${net0/mac}. Single quotes keep\n"
       "the shell from it; a command line that begins with a dash goes behind \"--\".\n\n"
       "Example:\n  autopxectl profile set nfsrw 'root=/dev/nfs "
       "nfsroot=${nfs-server}:${rootfs-path} console=${console:-ttyS0} ip=dhcp rw'"},
      [&session, set] { return RunSet(session, *set); });
  set_command.add_option("name", set->name)->required();
  set_command.add_option("words", set->words);
  AddChangeOptions(set_command, session);

  const auto deleted = std::make_shared<std::string>();
  CLI::App& delete_command =
      AddCommand(noun, session,
                 {"delete", "NAME", "Delete a profile that nothing uses",
                  "Example:\n  autopxectl profile delete nfsrw"},
                 [&session, deleted] { return RunDelete(session, *deleted); });
  delete_command.add_option("name", *deleted)->required();
  AddChangeOptions(delete_command, session);
}

}  // namespace autopxe::ctl
