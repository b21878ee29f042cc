#include "common/wire/agent_status_wire.h"

#include <cstddef>
#include <utility>

#include "common/status/status_macros.h"
#include "common/wire/field.h"
#include "common/wire/revision_wire.h"
#include "common/wire/time_wire.h"

namespace autopxe {
namespace {

constexpr size_t kMaxVersion = 64;

}  // namespace

v1::AgentStatus ToProto(const AgentStatus& status) {
  v1::AgentStatus result;
  *result.mutable_applied() = ToProto(status.applied);
  result.set_version(status.version);
  result.set_instance(status.instance.text());
  *result.mutable_start_time() = ToProto(status.start_time);
  if (status.http_address.has_value()) result.set_http_address(status.http_address->Format());
  if (status.tftp_address.has_value()) result.set_tftp_address(status.tftp_address->Format());
  return result;
}

absl::StatusOr<AgentStatus> FromProto(const v1::AgentStatus& status) {
  ASSIGN_OR_RETURN(AgentInstance instance,
                   ParseField<AgentInstance>("instance", status.instance()));
  AgentStatus result{std::move(instance)};
  const absl::StatusOr<RevisionId> applied = FromProto(status.applied());
  if (!applied.ok()) return Within("applied", applied.status());
  result.applied = *applied;
  RETURN_IF_ERROR(CheckPrintable("version", status.version(), kMaxVersion));
  result.version = status.version();
  if (status.has_start_time()) {
    ASSIGN_OR_RETURN(result.start_time, FromProto(status.start_time(), "start_time"));
  }
  ASSIGN_OR_RETURN(result.http_address,
                   ParseOptionalField<IpEndpoint>("http_address", status.http_address()));
  ASSIGN_OR_RETURN(result.tftp_address,
                   ParseOptionalField<IpEndpoint>("tftp_address", status.tftp_address()));
  return result;
}

}  // namespace autopxe
