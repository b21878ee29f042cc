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
// To the noun "host", of AddHostCommands.
void AddHostEditCommands(CLI::App& host, Session& session);
void AddHostImportCommand(CLI::App& host, Session& session);
void AddGroupCommands(CLI::App& app, Session& session);
void AddDistroCommands(CLI::App& app, Session& session);
// To the noun "distro", of AddDistroCommands.
void AddDeclaredDistroCommands(CLI::App& distro, Session& session);
void AddProfileCommands(CLI::App& app, Session& session);
void AddSettingsCommands(CLI::App& app, Session& session);
void AddAgentCommands(CLI::App& app, Session& session);
// To the noun "agent", of AddAgentCommands.
void AddAgentSettingsCommands(CLI::App& agent, Session& session);
void AddExplainCommands(CLI::App& app, Session& session);
void AddResolveCommand(CLI::App& app, Session& session);
void AddHistoryCommand(CLI::App& app, Session& session);
void AddImportCommands(CLI::App& app, Session& session);
void AddBackupCommand(CLI::App& app, Session& session);
void AddVersionCommand(CLI::App& app, Session& session);

}  // namespace autopxe::ctl
