#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/table.h"

namespace autopxe::ctl {
namespace {

std::string LagText(int64_t lag) { return lag < 0 ? "other server" : absl::StrCat(lag); }

// Local time, as it is people who read it; scripts take JSON, which has UTC.
std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(time.seconds()),
                          absl::LocalTimeZone());
}

absl::Status RunList(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListAgentsResponse agents, client->ListAgents());
  return session.Print(agents, [&] {
    Table table(
        {"ID", "CONNECTED", "REVISION", "LAG", "LAST SEEN", "KERNELS", "HTTP", "TFTP", "VERSION"});
    for (const v1::Agent& agent : agents.agents()) {
      table.Add(
          {agent.id(),
           // Two processes under one id follow each other's tracks: say so where people look first.
           !agent.connected()    ? "no"
           : agent.watches() > 1 ? absl::StrCat("yes, ", agent.watches(), " times")
                                 : "yes",
           absl::StrCat(agent.status().applied().number()), LagText(agent.lag()),
           TimeText(agent.last_seen()), absl::StrCat(agent.kernels()),
           agent.status().http_address(), agent.status().tftp_address(), agent.status().version()});
    }
    return table.Format();
  });
}

}  // namespace

void AddAgentCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "agent", "The agents that answer the firmware");
  AddCommand(noun, session,
             {"list", "", "All agents: the revision each serves, and how many it lags behind",
              "Example:\n  autopxectl agent list"},
             [&session] { return RunList(session); });
}

}  // namespace autopxe::ctl
