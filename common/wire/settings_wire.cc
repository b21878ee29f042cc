#include "common/wire/settings_wire.h"

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "common/wire/field.h"
#include "common/wire/time_wire.h"
#include "common/wire/variables_wire.h"

namespace autopxe {

v1::Settings ToProto(const Settings& settings) {
  v1::Settings result;
  if (settings.default_distro.has_value()) {
    result.set_default_distro(settings.default_distro->Format());
  }
  *result.mutable_variables() = ToProto(settings.variables);
  *result.mutable_menu_timeout() = ToProto(settings.menu_timeout);
  if (settings.rootfs_path_prefix.has_value()) {
    result.set_rootfs_path_prefix(settings.rootfs_path_prefix->text());
  }
  if (settings.unknown_hosts.has_value()) {
    result.set_unknown_hosts(settings.unknown_hosts->Format());
  }
  result.set_etag(settings.etag);
  return result;
}

absl::StatusOr<absl::Duration> MenuTimeoutFromProto(const google::protobuf::Duration& duration) {
  ASSIGN_OR_RETURN(const absl::Duration timeout, FromProto(duration, "menu_timeout"));
  if (timeout < Settings::kMinMenuTimeout || timeout > Settings::kMaxMenuTimeout ||
      timeout != absl::Trunc(timeout, absl::Seconds(1))) {
    return BadField("menu_timeout", absl::FormatDuration(timeout),
                    absl::StrCat("expected whole seconds from ",
                                 absl::FormatDuration(Settings::kMinMenuTimeout), " to ",
                                 absl::FormatDuration(Settings::kMaxMenuTimeout)));
  }
  return timeout;
}

absl::StatusOr<Settings> FromProto(const v1::Settings& settings) {
  Settings result;
  ASSIGN_OR_RETURN(result.default_distro,
                   ParseOptionalField<Distro>("default_distro", settings.default_distro()));
  ASSIGN_OR_RETURN(result.variables, FromProto(settings.variables(), "variables"));
  if (settings.has_menu_timeout()) {
    ASSIGN_OR_RETURN(result.menu_timeout, MenuTimeoutFromProto(settings.menu_timeout()));
  }
  ASSIGN_OR_RETURN(
      result.rootfs_path_prefix,
      ParseOptionalField<RootfsPathPrefix>("rootfs_path_prefix", settings.rootfs_path_prefix()));
  ASSIGN_OR_RETURN(result.unknown_hosts,
                   ParseOptionalField<Distro>("unknown_hosts", settings.unknown_hosts()));
  RETURN_IF_ERROR(CheckAtLeast("etag", settings.etag(), 0));
  result.etag = settings.etag();
  return result;
}

}  // namespace autopxe
