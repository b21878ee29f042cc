#include "common/wire/agent_settings_wire.h"

#include <utility>

#include "common/status/status_macros.h"
#include "common/wire/field.h"
#include "common/wire/variables_wire.h"

namespace autopxe {

v1::AgentSettings ToProto(const AgentSettings& settings) {
  v1::AgentSettings result;
  result.set_agent_id(settings.agent.text());
  if (settings.default_distro.has_value()) {
    result.set_default_distro(settings.default_distro->Format());
  }
  *result.mutable_variables() = ToProto(settings.variables);
  if (settings.rootfs_path_prefix.has_value()) {
    result.set_rootfs_path_prefix(settings.rootfs_path_prefix->text());
  }
  result.set_etag(settings.etag);
  return result;
}

absl::StatusOr<AgentSettings> FromProto(const v1::AgentSettings& settings) {
  ASSIGN_OR_RETURN(AgentId agent, ParseField<AgentId>("agent_id", settings.agent_id()));
  AgentSettings result{.agent = std::move(agent),
                       .default_distro = {},
                       .variables = {},
                       .rootfs_path_prefix = {},
                       .etag = settings.etag()};
  ASSIGN_OR_RETURN(result.default_distro,
                   ParseOptionalField<Distro>("default_distro", settings.default_distro()));
  ASSIGN_OR_RETURN(result.variables, FromProto(settings.variables(), "variables"));
  ASSIGN_OR_RETURN(
      result.rootfs_path_prefix,
      ParseOptionalField<RootfsPathPrefix>("rootfs_path_prefix", settings.rootfs_path_prefix()));
  RETURN_IF_ERROR(CheckAtLeast("etag", settings.etag(), 0));
  return result;
}

}  // namespace autopxe
