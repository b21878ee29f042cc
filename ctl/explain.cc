#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/decision_text.h"
#include "ctl/exit_code.h"

namespace autopxe::ctl {
namespace {

constexpr char kIgnore[] = "ignore";

struct ExplainArguments {
  std::string host;
  std::string agent;
  std::string asked_at;
  bool tftp = false;
};

absl::StatusOr<v1::ExplainResponse> Ask(Session& session, const ExplainArguments& arguments) {
  v1::ExplainRequest request;
  request.set_host(arguments.host);
  request.set_agent_id(arguments.agent);
  request.set_by_http(!arguments.tftp);
  request.set_asked_at(arguments.asked_at);
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  return client->Explain(request);
}

absl::Status RunExplain(Session& session, const ExplainArguments& arguments) {
  ASSIGN_OR_RETURN(const v1::ExplainResponse explanation, Ask(session, arguments));
  return session.Print(explanation, [&] { return ExplanationText(explanation); });
}

absl::Status RunRender(Session& session, const ExplainArguments& arguments) {
  if (!session.is_table()) {
    return UsageError(
        "render: a script has no other format: leave out -o, or see autopxectl explain -o json");
  }
  ASSIGN_OR_RETURN(const v1::ExplainResponse explanation, Ask(session, arguments));
  if (!explanation.agent_choice().empty()) session.Note(explanation.agent_choice());
  for (const std::string& doubt : explanation.script_doubts()) {
    session.Note(absl::StrCat("not certain: ", doubt));
  }
  if (const v1::Decision& decision = explanation.decision(); decision.distro() == kIgnore) {
    session.Note(absl::StrCat("agent ", decision.agent_id(), " does not answer ", decision.host(),
                              ", which gets no script: its distro is ignore, by ",
                              DistroOriginText(decision)));
  }
  // Bytes for a machine: neither escaped nor ended by a newline.
  session.out() << explanation.script();
  return absl::OkStatus();
}

void AddArguments(CLI::App& command, ExplainArguments& arguments) {
  command.add_option("host", arguments.host)->required();
  command
      .add_option(
          "--agent", arguments.agent,
          "at which agent; else one is chosen that is connected and has what the host is to "
          "boot")
      ->type_name("AGENT");
  command
      .add_option("--asked-at", arguments.asked_at,
                  "at which address of the agent the host asks, where the agent does not say it")
      ->type_name("IP");
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
           "for, too. Without --agent it is said how the agent was chosen, and what the host\n"
           "would boot at others. Below the script stands what of it can differ, and why.\n\n"
           "Examples:\n"
           "  autopxectl explain cn017\n"
           "  autopxectl explain 52:54:00:12:34:56 --agent rack1\n"
           "  autopxectl explain cn017 --agent rack1 --asked-at 10.77.1.1\n"
           "  autopxectl explain cn017 -o json | jq -r .verdict"},
          [&session, explained] { return RunExplain(session, *explained); }),
      *explained);

  const auto rendered = std::make_shared<ExplainArguments>();
  AddArguments(AddCommand(app, session,
                          {"render", "HOST", "The script that a host gets, byte by byte",
                           "What of it can differ, and why, is said on standard error; also that "
                           "the agent does not\nanswer a host, which then gets none.\n\n"
                           "Example:\n  autopxectl render cn017 --agent rack1 > cn017.ipxe"},
                          [&session, rendered] { return RunRender(session, *rendered); }),
               *rendered);
}

}  // namespace autopxe::ctl
