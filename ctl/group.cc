#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/key_value.h"
#include "ctl/table.h"

namespace autopxe::ctl {
namespace {

absl::Status RunList(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListGroupsResponse groups, client->ListGroups());
  return session.Print(groups, [&] {
    Table table({"NAME", "PRIORITY", "SELECTOR", "DISTRO", "VARIABLES"});
    for (const v1::Group& group : groups.groups()) {
      table.Add({group.name(), absl::StrCat(group.priority()), group.selector(), group.distro(),
                 KeyValuesText(group.variables())});
    }
    return table.Format();
  });
}

absl::Status RunShow(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::Group group, client->GetGroup(name));
  return session.Print(group, [&] {
    Table table({"FIELD", "VALUE"});
    table.Add({"name", group.name()});
    table.Add({"selector", group.selector()});
    table.Add({"priority", absl::StrCat(group.priority())});
    table.Add({"distro", group.distro()});
    table.Add({"variables", KeyValuesText(group.variables())});
    table.Add({"changed in revision", absl::StrCat(group.etag())});
    return table.Format();
  });
}

struct SetArguments {
  std::string name;
  absl::optional<std::string> selector;
  absl::optional<int32_t> priority;
  absl::optional<std::string> distro;
  bool no_distro = false;
  bool allow_missing = false;
  std::vector<std::string> set;
  std::vector<std::string> unset;
};

absl::Status RunSet(Session& session, const SetArguments& arguments) {
  if (arguments.no_distro && arguments.distro.has_value()) {
    return UsageError("group set: --distro and --no-distro exclude each other: leave one out");
  }
  v1::ApplyRequest batch;
  v1::Mutation::SetGroup& group = *batch.add_mutations()->mutable_set_group();
  group.set_name(arguments.name);
  if (arguments.selector.has_value()) group.set_selector(*arguments.selector);
  if (arguments.priority.has_value()) group.set_priority(*arguments.priority);
  if (arguments.distro.has_value()) group.set_distro(*arguments.distro);
  if (arguments.no_distro) group.set_distro("");
  group.set_allow_missing(arguments.allow_missing);
  for (const std::string& variable : arguments.set) {
    RETURN_IF_ERROR(AddKeyValue("variable", variable, *group.mutable_set_variables()));
  }
  for (const std::string& name : arguments.unset) group.add_unset_variables(name);
  return session.Apply(std::move(batch));
}

absl::Status RunDelete(Session& session, const std::vector<std::string>& names) {
  v1::ApplyRequest batch;
  for (const std::string& name : names) {
    batch.add_mutations()->mutable_delete_group()->set_name(name);
  }
  return session.Apply(std::move(batch));
}

void AddSetCommand(CLI::App& noun, Session& session) {
  const auto arguments = std::make_shared<SetArguments>();
  CLI::App& command = AddCommand(
      noun, session,
      {"set", "NAME", "Create a group, or change what is named of one",
       "A host is in every group whose selector matches its labels. It boots the distro of the "
       "one\n"
       "with the highest priority (among equals the first by name), unless it has an assignment "
       "of\n"
       "its own; variables merge in the same way. A new group needs a selector.\n\n"
       "Selectors: rack=r1  gpu!=none  gpu  !gpu  role in (login,head)  role notin (login)  and\n"
       "several, joined by commas. Put them between single quotes.\n\n"
       "Examples:\n"
       "  autopxectl group set rack1 -s rack=r1 --distro debian/bookworm/latest/nfsrw\n"
       "  autopxectl group set gpu -s 'gpu,gpu!=none' --priority 10 --set console=ttyS1\n"
       "  autopxectl group set gpu --no-distro --unset console"},
      [&session, arguments] { return RunSet(session, *arguments); });
  command.add_option("name", arguments->name)->required();
  command.add_option("-s,--selector", arguments->selector, "the labels of its hosts")
      ->type_name("SELECTOR");
  command.add_option("--priority", arguments->priority, "the higher one wins (0)")
      ->type_name("NUMBER");
  command.add_option("--distro", arguments->distro, "what its hosts boot")->type_name("DISTRO");
  command.add_flag("--no-distro", arguments->no_distro, "it says no more what its hosts boot");
  command.add_option("--set", arguments->set, "a variable to set")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command.add_option("--unset", arguments->unset, "a variable to remove")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command.add_flag("--allow-missing", arguments->allow_missing,
                   "although no agent offers the distro");
  AddChangeOptions(command, session);
}

}  // namespace

void AddGroupCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "group", "What holds for hosts with certain labels");
  AddCommand(noun, session,
             {"list", "", "All groups, those that win first", "Example:\n  autopxectl group list"},
             [&session] { return RunList(session); });

  const auto shown = std::make_shared<std::string>();
  AddCommand(noun, session,
             {"show", "NAME", "One group",
              "Its hosts: autopxectl host list -l SELECTOR.\n\n"
              "Example:\n  autopxectl group show gpu"},
             [&session, shown] { return RunShow(session, *shown); })
      .add_option("name", *shown)
      ->required();

  AddSetCommand(noun, session);

  const auto deleted = std::make_shared<std::vector<std::string>>();
  CLI::App& command = AddCommand(noun, session,
                                 {"delete", "NAME...", "Delete groups; their hosts stay",
                                  "Example:\n  autopxectl group delete gpu"},
                                 [&session, deleted] { return RunDelete(session, *deleted); });
  command.add_option("names", *deleted)->required();
  AddChangeOptions(command, session);
}

}  // namespace autopxe::ctl
