#include "server/store/agent_setting_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/types/optional.h"
#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"
#include "server/store/variable_rows.h"

namespace autopxe::server {
namespace {

VariableScope ScopeOf(const AgentId& agent) { return {.scope = "agent", .key = agent.text()}; }

absl::StatusOr<AgentId> ToAgent(absl::string_view text) {
  absl::StatusOr<AgentId> agent = AgentId::Parse(text);
  if (!agent.ok()) return DamagedRow("agent_setting", agent.status());
  return agent;
}

// In the order of: agent_id, default_distro, rootfs_path_prefix, valid_from.
absl::StatusOr<AgentSettings> ToAgentSettings(Database& database, const Rows& rows) {
  ASSIGN_OR_RETURN(AgentId agent, ToAgent(rows.Text(0)));
  AgentSettings settings{.agent = std::move(agent),
                         .default_distro = {},
                         .variables = {},
                         .rootfs_path_prefix = {},
                         .etag = rows.Integer(3)};
  if (!rows.IsNull(1)) {
    absl::StatusOr<Distro> distro = Distro::Parse(rows.Text(1));
    if (!distro.ok()) return DamagedRow("agent_setting", distro.status());
    settings.default_distro = *std::move(distro);
  }
  if (!rows.IsNull(2)) {
    absl::StatusOr<RootfsPathPrefix> prefix = RootfsPathPrefix::Parse(rows.Text(2));
    if (!prefix.ok()) return DamagedRow("agent_setting", prefix.status());
    settings.rootfs_path_prefix = *std::move(prefix);
  }
  ASSIGN_OR_RETURN(settings.variables,
                   LoadVariables(database, ScopeOf(settings.agent), settings.etag));
  return settings;
}

absl::Status EndAgentSettings(Database& database, const AgentId& agent, int64_t revision) {
  return database.Run(
      "UPDATE agent_setting SET valid_to = ?1 WHERE agent_id = ?2 AND valid_to IS NULL", revision,
      agent.text());
}

// The step of an agent's variables from those in `before`.
absl::Status WriteVariablesOf(Database& database, const Snapshot& before, const AgentId& agent,
                              const Variables& after, int64_t revision) {
  const AgentSettings* const old = before.FindAgentSettings(agent);
  return WriteVariables(database, ScopeOf(agent), old == nullptr ? Variables{} : old->variables,
                        after, revision);
}

}  // namespace

absl::StatusOr<std::vector<AgentSettings>> LoadAgentSettings(Database& database) {
  ASSIGN_OR_RETURN(Rows rows,
                   database.Query("SELECT agent_id, default_distro, rootfs_path_prefix, valid_from "
                                  "FROM agent_setting WHERE valid_to IS NULL ORDER BY agent_id"));
  std::vector<AgentSettings> settings;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return settings;
    ASSIGN_OR_RETURN(AgentSettings one, ToAgentSettings(database, rows));
    settings.push_back(std::move(one));
  }
}

absl::Status WriteAgentSettings(Database& database, const Snapshot& before, const Change& change) {
  const int64_t revision = change.revision.id.number;
  for (const AgentId& agent : change.deleted_agent_settings) {
    RETURN_IF_ERROR(EndAgentSettings(database, agent, revision));
    RETURN_IF_ERROR(WriteVariablesOf(database, before, agent, {}, revision));
  }
  for (const AgentSettings& after : change.agent_settings) {
    absl::optional<std::string> distro;
    if (after.default_distro) distro = after.default_distro->Format();
    absl::optional<std::string> prefix;
    if (after.rootfs_path_prefix) prefix = after.rootfs_path_prefix->text();
    RETURN_IF_ERROR(EndAgentSettings(database, after.agent, revision));
    RETURN_IF_ERROR(database.Run(
        "INSERT INTO agent_setting (agent_id, default_distro, rootfs_path_prefix, valid_from) "
        "VALUES (?1, ?2, ?3, ?4)",
        after.agent.text(), distro, prefix, revision));
    RETURN_IF_ERROR(WriteVariablesOf(database, before, after.agent, after.variables, revision));
  }
  return absl::OkStatus();
}

absl::Status AddAgentSettingsChanges(Database& database, int64_t after, ChangesByNumber& changes) {
  ASSIGN_OR_RETURN(Rows changed,
                   database.Query("SELECT agent_id, default_distro, rootfs_path_prefix, valid_from "
                                  "FROM agent_setting WHERE valid_from > ?1 "
                                  "ORDER BY valid_from, agent_id",
                                  after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, changed.Next());
    if (!more) break;
    ASSIGN_OR_RETURN(AgentSettings settings, ToAgentSettings(database, changed));
    const int64_t revision = settings.etag;
    changes.at(revision).agent_settings.push_back(std::move(settings));
  }
  ASSIGN_OR_RETURN(
      Rows deleted,
      database.Query("SELECT agent_id, valid_to FROM agent_setting AS ended "
                     "WHERE valid_to > ?1 AND NOT EXISTS (SELECT 1 FROM agent_setting AS next "
                     "WHERE next.agent_id = ended.agent_id AND next.valid_from = ended.valid_to) "
                     "ORDER BY valid_to, agent_id",
                     after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, deleted.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(AgentId agent, ToAgent(deleted.Text(0)));
    changes.at(deleted.Integer(1)).deleted_agent_settings.push_back(std::move(agent));
  }
}

absl::Status AddAgentSettingsStep(Database& database, const std::string& only,
                                  ConfigurationStep& step) {
  const int64_t revision = step.change.revision.id.number;
  {
    ASSIGN_OR_RETURN(Rows begun,
                     database.Query("SELECT agent_id, default_distro, rootfs_path_prefix, "
                                    "valid_from FROM agent_setting WHERE valid_from = ?1 "
                                    "AND (?2 = '' OR agent_id = ?2) ORDER BY agent_id",
                                    revision, only));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, begun.Next());
      if (!more) break;
      ASSIGN_OR_RETURN(auto one, ToAgentSettings(database, begun));
      step.change.agent_settings.push_back(std::move(one));
    }
  }
  ASSIGN_OR_RETURN(Rows ended,
                   database.Query("SELECT agent_id, default_distro, rootfs_path_prefix, valid_from "
                                  "FROM agent_setting WHERE valid_to = ?1 "
                                  "AND (?2 = '' OR agent_id = ?2) ORDER BY agent_id",
                                  revision, only));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, ended.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(auto one, ToAgentSettings(database, ended));
    const bool is_kept =
        std::any_of(step.change.agent_settings.begin(), step.change.agent_settings.end(),
                    [&](const auto& now) { return now.agent == one.agent; });
    if (!is_kept) step.change.deleted_agent_settings.push_back(one.agent);
    step.agent_settings.push_back(std::move(one));
  }
}

}  // namespace autopxe::server
