#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/decision_text.h"

namespace autopxe::ctl {
namespace {

struct ExplainArguments {
  std::string host;
  std::string agent;
  bool tftp = false;
};

absl::StatusOr<v1::ExplainResponse> Ask(Session& session, const ExplainArguments& arguments) {
  v1::ExplainRequest request;
  request.set_host(arguments.host);
  request.set_agent_id(arguments.agent);
  request.set_by_http(!arguments.tftp);
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  return client->Explain(request);
}

absl::Status RunExplain(Session& session, const ExplainArguments& arguments) {
  ASSIGN_OR_RETURN(const v1::ExplainResponse explanation, Ask(session, arguments));
  return session.Print(explanation, [&] { return ExplanationText(explanation); });
}

absl::Status RunRender(Session& session, const ExplainArguments& arguments) {
  ASSIGN_OR_RETURN(const v1::ExplainResponse explanation, Ask(session, arguments));
  // Bytes for a machine: neither escaped nor ended by a newline.
  session.out() << explanation.script();
  return absl::OkStatus();
}

void AddArguments(CLI::App& command, ExplainArguments& arguments) {
  command.add_option("host", arguments.host)->required();
  command.add_option("--agent", arguments.agent, "at which agent; needed where there are several")
      ->type_name("AGENT");
  command.add_flag("--tftp", arguments.tftp, "as for a host that asks by TFTP instead of HTTP");
}

}  // namespace

void AddExplainCommands(CLI::App& app, Session& session) {
  const auto explained = std::make_shared<ExplainArguments>();
  AddArguments(
      AddCommand(
          app, session,
          {"explain", "HOST", "What a host boots, where each part of that comes from, and why",
           "Begins with a verdict: good, doubtful (it boots something, perhaps not what is\n"
           "meant) or bad, and with what to do. A MAC that nobody has named can be asked "
           "for, too.\n\n"
           "Examples:\n"
           "  autopxectl explain cn017\n"
           "  autopxectl explain 52:54:00:12:34:56 --agent rack1\n"
           "  autopxectl explain cn017 -o json | jq -r .verdict"},
          [&session, explained] { return RunExplain(session, *explained); }),
      *explained);

  const auto rendered = std::make_shared<ExplainArguments>();
  AddArguments(AddCommand(app, session,
                          {"render", "HOST", "The script that a host gets, byte by byte",
                           "Example:\n  autopxectl render cn017 --agent rack1 > cn017.ipxe"},
                          [&session, rendered] { return RunRender(session, *rendered); }),
               *rendered);
}

}  // namespace autopxe::ctl
