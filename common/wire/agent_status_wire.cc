#include "common/wire/agent_status_wire.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status/status_macros.h"
#include "common/wire/field.h"
#include "common/wire/revision_wire.h"
#include "common/wire/time_wire.h"

namespace autopxe {
namespace {

constexpr size_t kMaxVersion = 64;

absl::Status CheckProblems(const v1::AgentStatus& status) {
  if (static_cast<size_t>(status.problems_size()) > AgentStatus::kMaxProblems) {
    return BadField("problems", absl::StrCat(status.problems_size()),
                    absl::StrCat("expected ", AgentStatus::kMaxProblems, " at most"));
  }
  for (int i = 0; i < status.problems_size(); ++i) {
    if (status.problems(i).empty()) {
      return BadField(Element("problems", i), "", "expected a sentence");
    }
    RETURN_IF_ERROR(
        CheckPrintable(Element("problems", i), status.problems(i), AgentStatus::kMaxProblemLength));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint16_t> ToPort(absl::string_view field, uint32_t port) {
  if (port > std::numeric_limits<uint16_t>::max()) {
    return BadField(field, absl::StrCat(port), "expected 65535 at most");
  }
  return static_cast<uint16_t>(port);
}

}  // namespace

v1::AgentStatus ToProto(const AgentStatus& status) {
  v1::AgentStatus result;
  *result.mutable_applied() = ToProto(status.applied);
  result.set_version(status.version);
  result.set_instance(status.instance.text());
  *result.mutable_start_time() = ToProto(status.start_time);
  if (status.http_address.has_value()) result.set_http_address(status.http_address->Format());
  if (status.tftp_address.has_value()) result.set_tftp_address(status.tftp_address->Format());
  if (status.view_age.has_value()) *result.mutable_view_age() = ToProto(*status.view_age);
  for (const std::string& problem : status.problems) result.add_problems(problem);
  result.set_rootfs_folder(status.rootfs_folder);
  if (status.advertise.has_value()) result.set_advertise(status.advertise->Format());
  result.set_http_port(status.http_port);
  result.set_tftp_port(status.tftp_port);
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
  if (status.has_view_age()) {
    ASSIGN_OR_RETURN(const absl::Duration age, FromProto(status.view_age(), "view_age"));
    if (age < absl::ZeroDuration()) {
      return BadField("view_age", absl::FormatDuration(age), "expected 0 or more");
    }
    result.view_age = age;
  }
  RETURN_IF_ERROR(CheckProblems(status));
  result.problems.assign(status.problems().begin(), status.problems().end());
  RETURN_IF_ERROR(
      CheckPrintable("rootfs_folder", status.rootfs_folder(), AgentStatus::kMaxFolderLength));
  result.rootfs_folder = status.rootfs_folder();
  ASSIGN_OR_RETURN(result.advertise,
                   ParseOptionalField<IpAddress>("advertise", status.advertise()));
  ASSIGN_OR_RETURN(result.http_port, ToPort("http_port", status.http_port()));
  ASSIGN_OR_RETURN(result.tftp_port, ToPort("tftp_port", status.tftp_port()));
  return result;
}

}  // namespace autopxe
