#include "common/wire/profile_wire.h"

#include <utility>

#include "common/status/status_macros.h"
#include "common/wire/field.h"

namespace autopxe {

v1::Profile ToProto(const Profile& profile) {
  v1::Profile result;
  result.set_name(profile.name.text());
  result.set_command_line(profile.command_line.text());
  result.set_etag(profile.etag);
  return result;
}

absl::StatusOr<Profile> FromProto(const v1::Profile& profile) {
  ASSIGN_OR_RETURN(ProfileName name, ParseField<ProfileName>("name", profile.name()));
  ASSIGN_OR_RETURN(CommandLineTemplate command_line,
                   ParseField<CommandLineTemplate>("command_line", profile.command_line()));
  RETURN_IF_ERROR(CheckAtLeast("etag", profile.etag(), 0));
  return Profile{std::move(name), std::move(command_line), profile.etag()};
}

}  // namespace autopxe
