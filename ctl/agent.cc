#include <cstdint>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/model/age_text.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"
#include "ctl/agent_state_text.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/table.h"
#include "ctl/terminal_text.h"

namespace autopxe::ctl {
namespace {

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// By the server's clock, on both sides.
std::string ViewAgeText(const v1::Agent& agent, const google::protobuf::Timestamp& now) {
  if (agent.state() == v1::AGENT_STATE_CURRENT) return "current";
  if (!agent.has_view_time()) return "";
  return FormatAge(TimeOf(now) - TimeOf(agent.view_time()));
}

// Where hosts reach it; only ":8080" of an agent that listens on all its addresses.
std::string ReachedAtText(const std::string& address, uint32_t port) {
  return address.empty() && port != 0 ? absl::StrCat(":", port) : address;
}

// The table, then a line for each reason.
std::string AgentsText(const v1::ListAgentsResponse& agents) {
  Table table({"ID", "STATE", "VIEW AGE", "REVISION", "KERNELS", "HTTP", "TFTP", "VERSION"});
  std::string reasons;
  for (const v1::Agent& agent : agents.agents()) {
    const v1::AgentStatus& status = agent.status();
    table.Add({agent.id(), AgentStateText(agent.state()), ViewAgeText(agent, agents.time()),
               absl::StrCat(status.applied().number()), absl::StrCat(agent.kernels()),
               ReachedAtText(status.http_address(), status.http_port()),
               ReachedAtText(status.tftp_address(), status.tftp_port()), status.version()});
    for (const std::string& reason : agent.reasons()) {
      absl::StrAppend(&reasons, TerminalText(agent.id()), ": ", TerminalMessage(reason), "\n");
    }
  }
  return absl::StrCat(table.Format(), reasons.empty() ? "" : "\n", reasons);
}

absl::Status RunList(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListAgentsResponse agents, client->ListAgents());
  return session.Print(agents, [&] { return AgentsText(agents); });
}

absl::Status RunDelete(Session& session, const std::string& agent) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::DeleteAgentResponse response, client->DeleteAgent(agent));
  // The deletion stands, whether or not this can be told.
  const absl::StatusOr<v1::AgentSettings> settings = client->GetAgentSettings(agent);
  if (settings.ok() && settings->etag() != 0) {
    session.Note(absl::StrCat("what is set for agent ", Quote(agent),
                              " stays: see autopxectl agent show, and clear it with autopxectl "
                              "agent unset"));
  }
  return session.Print(response, [] { return std::string(); });
}

}  // namespace

void AddAgentCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "agent", "The agents that answer the firmware");
  AddCommand(
      noun, session,
      {"list", "", "All agents: what each serves, how old that is, and what is wrong",
       "STATE is one of\n"
       "  current  connected, and serves the current configuration\n"
       "  behind   connected, and serves an older one\n"
       "  away     not connected: hosts boot what it knew last\n"
       "  foreign  serves a configuration that is not of this server's database\n"
       "  empty    has no configuration yet\n"
       "VIEW AGE tells how long ago what it serves was last known to be current. HTTP and TFTP\n"
       "tell where hosts reach it; the port alone, :8080, if it listens on several addresses and\n"
       "advertises none. Below the table stands, for each agent, why it is not current and what\n"
       "it reports as wrong.\n\n"
       "Example:\n  autopxectl agent list"},
      [&session] { return RunList(session); });

  const auto deleted = std::make_shared<std::string>();
  AddCommand(noun, session,
             {"delete", "AGENT", "Forget an agent that is gone, with what it offered",
              "What is set for it stays, since an administrator set it and the agent may come\n"
              "back: autopxectl agent show tells what, and autopxectl agent unset clears it.\n"
              "An agent that is connected is refused: stop it first.\n\n"
              "Example:\n  autopxectl agent delete lab"},
             [&session, deleted] { return RunDelete(session, *deleted); })
      .add_option("agent", *deleted)
      ->required();
  AddAgentSettingsCommands(noun, session);
}

}  // namespace autopxe::ctl
