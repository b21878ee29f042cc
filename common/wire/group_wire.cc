#include "common/wire/group_wire.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "common/wire/field.h"
#include "common/wire/variables_wire.h"

namespace autopxe {

v1::Group ToProto(const Group& group) {
  v1::Group result;
  result.set_name(group.name.text());
  result.set_selector(group.selector.text());
  result.set_priority(group.priority);
  if (group.distro.has_value()) result.set_distro(group.distro->Format());
  *result.mutable_variables() = ToProto(group.variables);
  result.set_etag(group.etag);
  return result;
}

absl::Status CheckGroupPriority(int32_t priority) {
  if (priority >= kMinGroupPriority && priority <= kMaxGroupPriority) return absl::OkStatus();
  return BadField("priority", absl::StrCat(priority),
                  absl::StrCat("expected ", kMinGroupPriority, " to ", kMaxGroupPriority));
}

absl::StatusOr<Group> FromProto(const v1::Group& group) {
  ASSIGN_OR_RETURN(GroupName name, ParseField<GroupName>("name", group.name()));
  ASSIGN_OR_RETURN(Selector selector, ParseField<Selector>("selector", group.selector()));
  RETURN_IF_ERROR(CheckGroupPriority(group.priority()));
  Group result{
      .name = std::move(name), .selector = std::move(selector), .priority = group.priority()};
  ASSIGN_OR_RETURN(result.distro, ParseOptionalField<Distro>("distro", group.distro()));
  ASSIGN_OR_RETURN(result.variables, FromProto(group.variables(), "variables"));
  RETURN_IF_ERROR(CheckAtMost("variables", result.variables.size(), kMaxVariablesPerGroup));
  RETURN_IF_ERROR(CheckAtLeast("etag", group.etag(), 0));
  result.etag = group.etag();
  return result;
}

}  // namespace autopxe
