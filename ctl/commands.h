#pragma once

#include "ctl/session.h"

namespace CLI {
class App;
}

namespace autopxe::ctl {

// Each adds the commands of one noun, in the file of its name. What they answer, they answer
// through `session`, which outlives `app`.
void AddAssignCommands(CLI::App& app, Session& session);
void AddHostCommands(CLI::App& app, Session& session);
void AddDistroCommands(CLI::App& app, Session& session);
void AddProfileCommands(CLI::App& app, Session& session);
void AddSettingsCommands(CLI::App& app, Session& session);
void AddAgentCommands(CLI::App& app, Session& session);
// To the noun "agent", of AddAgentCommands.
void AddAgentSettingsCommands(CLI::App& agent, Session& session);
void AddImportCommands(CLI::App& app, Session& session);
void AddVersionCommand(CLI::App& app, Session& session);

}  // namespace autopxe::ctl
