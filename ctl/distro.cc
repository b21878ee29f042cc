#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/table.h"

namespace autopxe::ctl {
namespace {

absl::Status RunList(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListDistrosResponse distros, client->ListDistros());
  bool kernels = false;
  for (const v1::Distro& distro : distros.distros()) kernels |= !distro.agents().empty();
  if (!kernels) {
    session.Note(
        "no kernel can be assigned: either no agent offers one (see autopxectl agent list), or "
        "there "
        "is no profile to boot it with (see autopxectl profile set --help)");
  }
  return session.Print(distros, [&] {
    Table table({"NAME", "KERNEL", "AGENTS"});
    for (const v1::Distro& distro : distros.distros()) {
      table.Add({distro.name(), absl::StrJoin(distro.kernel_versions(), ","),
                 absl::StrJoin(distro.agents(), ",")});
    }
    return table.Format();
  });
}

}  // namespace

void AddDistroCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "distro", "What can be assigned");
  AddCommand(noun, session,
             {"list", "", "Every distro that an agent offers, and the built-in ones",
              "Example:\n  autopxectl distro list"},
             [&session] { return RunList(session); });
}

}  // namespace autopxe::ctl
