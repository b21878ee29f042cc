#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/model/mac_address.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/host_selection.h"
#include "ctl/key_value.h"

namespace autopxe::ctl {
namespace {

struct EditArguments {
  HostSelection hosts;
  std::vector<std::string> keys;  // --unset, --label
};

// Makes one change to every host, all in one batch.
absl::Status Update(Session& session, const HostSelection& selection,
                    const v1::Mutation::UpdateHost& change) {
  ASSIGN_OR_RETURN(const std::vector<std::string> hosts, SelectHosts(session, selection));
  v1::ApplyRequest batch;
  for (const std::string& host : hosts) {
    v1::Mutation::UpdateHost& update = *batch.add_mutations()->mutable_update_host();
    update = change;
    update.set_host(host);
  }
  return session.Apply(std::move(batch));
}

absl::Status RunCreate(Session& session, const EditArguments& arguments) {
  v1::ApplyRequest batch;
  v1::Mutation::CreateHost& create = *batch.add_mutations()->mutable_create_host();
  // A word is either a MAC or a name, so the name may be left out.
  for (const std::string& word : arguments.hosts.words) {
    if (&word == &arguments.hosts.words.front() && !MacAddress::Parse(word).ok()) {
      create.set_name(word);
    } else {
      create.add_macs(word);
    }
  }
  if (create.macs().empty()) {
    return UsageError(
        "host create: expected a MAC behind the name; see autopxectl host create --help");
  }
  if (!arguments.keys.empty()) {
    const std::string host = create.name().empty() ? create.macs(0) : create.name();
    v1::Mutation::UpdateHost& update = *batch.add_mutations()->mutable_update_host();
    update.set_host(host);
    for (const std::string& label : arguments.keys) {
      RETURN_IF_ERROR(AddKeyValue("label", label, *update.mutable_set_labels()));
    }
  }
  return session.Apply(std::move(batch));
}

absl::Status RunDelete(Session& session, const EditArguments& arguments) {
  ASSIGN_OR_RETURN(const std::vector<std::string> hosts, SelectHosts(session, arguments.hosts));
  v1::DeleteHostsRequest request;
  for (const std::string& host : hosts) request.add_hosts(host);
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->DeleteHosts(request));
  return session.PrintChange(response);
}

absl::Status RunSet(Session& session, const EditArguments& arguments) {
  HostSelection selection = arguments.hosts;
  selection.words.clear();
  v1::Mutation::UpdateHost change;
  for (const std::string& word : arguments.hosts.words) {
    if (absl::StrContains(word, '=')) {
      RETURN_IF_ERROR(AddKeyValue("variable", word, *change.mutable_set_variables()));
    } else {
      selection.words.push_back(word);
    }
  }
  for (const std::string& name : arguments.keys) change.add_unset_variables(name);
  if (change.set_variables().empty() && change.unset_variables().empty()) {
    return UsageError(
        "host set: expected NAME=VALUE or --unset NAME; see autopxectl host set --help");
  }
  return Update(session, selection, change);
}

absl::Status RunLabel(Session& session, const EditArguments& arguments) {
  HostSelection selection = arguments.hosts;
  selection.words.clear();
  v1::Mutation::UpdateHost change;
  for (absl::string_view word : arguments.hosts.words) {
    if (absl::StrContains(word, '=')) {
      RETURN_IF_ERROR(AddKeyValue("label", word, *change.mutable_set_labels()));
    } else if (word.size() > 1 && absl::ConsumeSuffix(&word, "-")) {
      change.add_unset_labels(std::string(word));
    } else {
      selection.words.emplace_back(word);
    }
  }
  if (change.set_labels().empty() && change.unset_labels().empty()) {
    return UsageError("host label: expected KEY=VALUE or KEY-; see autopxectl host label --help");
  }
  return Update(session, selection, change);
}

absl::Status RunNote(Session& session, const EditArguments& arguments) {
  HostSelection selection = arguments.hosts;
  v1::Mutation::UpdateHost change;
  change.set_note(selection.words.back());
  selection.words.pop_back();
  if (selection.words.empty() && selection.files.empty() && !selection.has_selector) {
    return UsageError(
        "host note: expected one host or more, then the text; see autopxectl host note --help");
  }
  return Update(session, selection, change);
}

absl::Status RunLock(Session& session, const EditArguments& arguments, bool locked) {
  v1::Mutation::UpdateHost change;
  change.set_locked(locked);
  return Update(session, arguments.hosts, change);
}

absl::Status RunRename(Session& session, const std::string& old_name, const std::string& new_name) {
  v1::ApplyRequest batch;
  v1::Mutation::UpdateHost& update = *batch.add_mutations()->mutable_update_host();
  update.set_host(old_name);
  update.set_name(new_name);
  return session.Apply(std::move(batch));
}

// Which of a host's MACs change: the host, then them.
absl::Status RunMacs(Session& session, const EditArguments& arguments, bool add) {
  const std::vector<std::string>& words = arguments.hosts.words;
  if (words.size() < 2) {
    const char* const name = add ? "add-mac" : "remove-mac";
    return UsageError(absl::StrCat(
        "host ", name, ": expected a host, then its MACs; see autopxectl host ", name, " --help"));
  }
  v1::ApplyRequest batch;
  v1::Mutation::UpdateHost& update = *batch.add_mutations()->mutable_update_host();
  update.set_host(words.front());
  for (size_t i = 1; i < words.size(); ++i) {
    add ? update.add_add_macs(words[i]) : update.add_remove_macs(words[i]);
  }
  for (const std::string& mac : arguments.keys) update.add_remove_macs(mac);
  return session.Apply(std::move(batch));
}

// A command whose words are taken as `arguments`; gives the command, for more options.
CLI::App& AddEdit(CLI::App& noun, Session& session, const std::shared_ptr<EditArguments>& arguments,
                  const CommandText& text,
                  absl::Status (*run)(Session& session, const EditArguments& arguments)) {
  CLI::App& command = AddCommand(noun, session, text,
                                 [&session, arguments, run] { return run(session, *arguments); });
  command.add_option("words", arguments->hosts.words);
  AddChangeOptions(command, session);
  return command;
}

// The same for one that takes HOSTS, which its help then explains.
CLI::App& AddEditOfHosts(CLI::App& noun, Session& session,
                         const std::shared_ptr<EditArguments>& arguments, CommandText text,
                         absl::Status (*run)(Session& session, const EditArguments& arguments)) {
  text.details = absl::StrCat(kHostsHelp, "\n\n", text.details);
  CLI::App& command = AddEdit(noun, session, arguments, text, run);
  AddSelectionOptions(command, arguments->hosts);
  return command;
}

void AddCreateCommand(CLI::App& noun, Session& session) {
  const auto arguments = std::make_shared<EditArguments>();
  CLI::App& command =
      AddEdit(noun, session, arguments,
              {"create", "[NAME] MAC...", "Name a host, with its MACs",
               "Without NAME the host is called by its first MAC. Many at once: autopxectl host "
               "import.\n\n"
               "Example:\n"
               "  autopxectl host create web1 52:54:00:12:34:56 52:54:00:12:34:57 --label rack=r1"},
              RunCreate);
  command.get_option("words")->required();
  command.add_option("--label", arguments->keys, "a label that it gets")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void AddSetCommand(CLI::App& noun, Session& session) {
  const auto arguments = std::make_shared<EditArguments>();
  AddEditOfHosts(noun, session, arguments,
                 {"set", "HOSTS NAME=VALUE...", "Set variables of hosts, or remove them",
                  "They win over those of groups, agents and settings.\n\n"
                  "Examples:\n"
                  "  autopxectl host set 'cn[001-128]' console=ttyS1,115200\n"
                  "  autopxectl host set -l rack=r1 nfs-server=10.77.1.1 --unset console"},
                 RunSet)
      .add_option("--unset", arguments->keys, "a variable to remove")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

void AddMacCommands(CLI::App& noun, Session& session) {
  const auto added = std::make_shared<EditArguments>();
  AddEdit(noun, session, added,
          {"add-mac", "HOST MAC...", "Give a host more MACs",
           "With --remove, a network card was replaced.\n\n"
           "Example:\n"
           "  autopxectl host add-mac web1 52:54:00:12:34:60 --remove 52:54:00:12:34:56"},
          [](Session& session, const EditArguments& arguments) {
            return RunMacs(session, arguments, /*add=*/true);
          })
      .add_option("--remove", added->keys, "a MAC that it loses at the same time")
      ->type_name("MAC")
      ->allow_extra_args(false);
  AddEdit(noun, session, std::make_shared<EditArguments>(),
          {"remove-mac", "HOST MAC...", "Take MACs away from a host; one must be left",
           "Example:\n  autopxectl host remove-mac web1 52:54:00:12:34:56"},
          [](Session& session, const EditArguments& arguments) {
            return RunMacs(session, arguments, /*add=*/false);
          });
}

void AddLockCommands(CLI::App& noun, Session& session) {
  AddEditOfHosts(
      noun, session, std::make_shared<EditArguments>(),
      {"lock", "HOSTS", "Lock hosts: which distro they boot is then changed by --force only",
       "Refused without --force, naming the host: to change its assignment, standing, for\n"
       "the next boot or until a time; to delete it; and to change labels, a group or the\n"
       "server's default distro so that it would boot another distro.\n"
       "Not covered: variables and profiles, and so its command line; its MACs, name and\n"
       "note; a declared distro that is declared anew; an agent's default distro. Whoever\n"
       "may change a host may unlock it.\n\n"
       "Examples:\n"
       "  autopxectl host lock login1\n"
       "  autopxectl host list --filter locked=yes"},
      [](Session& session, const EditArguments& arguments) {
        return RunLock(session, arguments, true);
      });
  AddEditOfHosts(noun, session, std::make_shared<EditArguments>(),
                 {"unlock", "HOSTS", "Unlock hosts", "Example:\n  autopxectl host unlock login1"},
                 [](Session& session, const EditArguments& arguments) {
                   return RunLock(session, arguments, false);
                 });
}

void AddRenameCommand(CLI::App& noun, Session& session) {
  struct Names {
    std::string old_name;
    std::string new_name;
  };
  const auto names = std::make_shared<Names>();
  CLI::App& command = AddCommand(
      noun, session,
      {"rename", "OLD NEW", "Give a host another name; all else stays",
       "OLD may be a MAC.\n\nExample:\n  autopxectl host rename 52:54:00:12:34:56 web1"},
      [&session, names] { return RunRename(session, names->old_name, names->new_name); });
  command.add_option("old", names->old_name)->required();
  command.add_option("new", names->new_name)->required();
  AddChangeOptions(command, session);
}

}  // namespace

void AddHostEditCommands(CLI::App& host, Session& session) {
  AddCreateCommand(host, session);
  AddEditOfHosts(host, session, std::make_shared<EditArguments>(),
                 {"delete", "HOSTS", "Forget hosts, with their assignments",
                  "Examples:\n"
                  "  autopxectl host delete web1 52:54:00:12:34:56\n"
                  "  autopxectl host delete 'cn[001-128]' --dry-run"},
                 RunDelete);
  AddSetCommand(host, session);
  AddEditOfHosts(host, session, std::make_shared<EditArguments>(),
                 {"label", "HOSTS KEY=VALUE... KEY-...", "Label hosts; KEY- takes a label away",
                  "Groups and -l select by labels.\n\n"
                  "Example:\n"
                  "  autopxectl host label 'cn[001-128]' rack=r1 gpu=a100 old-"},
                 RunLabel);
  AddEditOfHosts(host, session, std::make_shared<EditArguments>(),
                 {"note", "HOSTS TEXT", "Note something about hosts; an empty text removes it",
                  "Example:\n  autopxectl host note web1 'DIMM B2 fails, ticket 4711'"},
                 RunNote)
      .get_option("words")
      ->required();
  AddLockCommands(host, session);
  AddRenameCommand(host, session);
  AddMacCommands(host, session);
}

}  // namespace autopxe::ctl
