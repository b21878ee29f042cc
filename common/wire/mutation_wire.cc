#include "common/wire/mutation_wire.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/host.h"
#include "common/model/settings.h"
#include "common/status/status_macros.h"
#include "common/wire/field.h"
#include "common/wire/settings_wire.h"
#include "common/wire/time_wire.h"

namespace autopxe {
namespace {

// Writes one kind of mutation into the message's oneof.
struct MutationWriter {
  v1::Mutation& out;

  void operator()(const Assign& assign) const {
    out.mutable_assign()->set_host(FormatHostReference(assign.host));
    out.mutable_assign()->set_distro(assign.distro.Format());
    out.mutable_assign()->set_allow_missing(assign.allow_missing);
  }
  void operator()(const Unassign& unassign) const {
    out.mutable_unassign()->set_host(FormatHostReference(unassign.host));
  }
  void operator()(const CreateHost& create) const {
    out.mutable_create_host()->set_name(create.name.text());
    for (const MacAddress& mac : create.macs) out.mutable_create_host()->add_macs(mac.Format());
  }
  void operator()(const DeleteHost& remove) const {
    out.mutable_delete_host()->set_host(FormatHostReference(remove.host));
  }
  void operator()(const SetProfile& set) const {
    out.mutable_set_profile()->set_name(set.name.text());
    out.mutable_set_profile()->set_command_line(set.command_line.text());
  }
  void operator()(const DeleteProfile& remove) const {
    out.mutable_delete_profile()->set_name(remove.name.text());
  }
  void operator()(const UpdateSettings& update) const {
    v1::Mutation::UpdateSettings& result = *out.mutable_update_settings();
    if (update.default_distro.has_value()) {
      result.set_default_distro(
          update.default_distro->has_value() ? (*update.default_distro)->Format() : "");
    }
    if (update.unknown_hosts.has_value()) {
      result.set_unknown_hosts(update.unknown_hosts->has_value() ? (*update.unknown_hosts)->Format()
                                                                 : "");
    }
    result.set_allow_missing(update.allow_missing);
    for (const auto& [name, value] : update.set_variables) {
      (*result.mutable_set_variables())[name.text()] = value.text();
    }
    for (const VariableName& name : update.unset_variables) {
      result.add_unset_variables(name.text());
    }
    if (update.menu_timeout.has_value()) {
      *result.mutable_menu_timeout() = ToProto(*update.menu_timeout);
    }
    if (update.rootfs_path_prefix.has_value()) {
      result.set_rootfs_path_prefix(
          update.rootfs_path_prefix->has_value() ? (*update.rootfs_path_prefix)->text() : "");
    }
  }
};

absl::StatusOr<Mutation> FromProto(const v1::Mutation::Assign& assign) {
  ASSIGN_OR_RETURN(HostReference host, ParseHostField("host", assign.host()));
  ASSIGN_OR_RETURN(Distro distro, ParseField<Distro>("distro", assign.distro()));
  return Assign{std::move(host), std::move(distro), assign.allow_missing()};
}

absl::StatusOr<Mutation> FromProto(const v1::Mutation::CreateHost& create) {
  if (create.macs().empty() || static_cast<size_t>(create.macs_size()) > kMaxMacsPerHost) {
    return BadField("macs", absl::StrCat(create.macs_size(), " MACs"),
                    absl::StrCat("expected 1 to ", kMaxMacsPerHost));
  }
  std::vector<MacAddress> macs;
  for (int i = 0; i < create.macs_size(); ++i) {
    ASSIGN_OR_RETURN(const MacAddress mac,
                     ParseField<MacAddress>(Element("macs", i), create.macs(i)));
    if (std::find(macs.begin(), macs.end(), mac) != macs.end()) {
      return BadField(Element("macs", i), create.macs(i), "given twice");
    }
    macs.push_back(mac);
  }
  HostName name = NameByMac(macs.front());
  if (!create.name().empty()) {
    ASSIGN_OR_RETURN(name, ParseField<HostName>("name", create.name()));
  }
  std::sort(macs.begin(), macs.end());
  return CreateHost{std::move(name), std::move(macs)};
}

absl::StatusOr<Mutation> FromProto(const v1::Mutation::SetProfile& set) {
  ASSIGN_OR_RETURN(ProfileName name, ParseField<ProfileName>("name", set.name()));
  ASSIGN_OR_RETURN(CommandLineTemplate command_line,
                   ParseField<CommandLineTemplate>("command_line", set.command_line()));
  return SetProfile{std::move(name), std::move(command_line)};
}

}  // namespace

v1::Mutation ToProto(const Mutation& mutation) {
  v1::Mutation result;
  std::visit(MutationWriter{result}, mutation);
  return result;
}

v1::ExpectedEtag ToProto(const ExpectedEtag& expected) {
  v1::ExpectedEtag result;
  if (const auto* host = std::get_if<HostReference>(&expected.resource)) {
    result.set_host(FormatHostReference(*host));
  } else if (const auto* profile = std::get_if<ProfileName>(&expected.resource)) {
    result.set_profile(profile->text());
  } else {
    result.set_settings(true);
  }
  result.set_etag(expected.etag);
  return result;
}

absl::StatusOr<UpdateSettings> FromProto(const v1::Mutation::UpdateSettings& update) {
  UpdateSettings result;
  if (update.has_default_distro()) {
    ASSIGN_OR_RETURN(result.default_distro,
                     ParseOptionalField<Distro>("default_distro", update.default_distro()));
  }
  if (update.has_unknown_hosts()) {
    ASSIGN_OR_RETURN(result.unknown_hosts,
                     ParseOptionalField<Distro>("unknown_hosts", update.unknown_hosts()));
  }
  result.allow_missing = update.allow_missing();
  // Sorted: which of two errors is told must not depend on a hash.
  const std::map<std::string, std::string> variables(update.set_variables().begin(),
                                                     update.set_variables().end());
  for (const auto& [name, value] : variables) {
    ASSIGN_OR_RETURN(VariableName parsed_name, ParseField<VariableName>("set_variables", name));
    ASSIGN_OR_RETURN(VariableValue parsed_value,
                     ParseField<VariableValue>(absl::StrCat("set_variables.", name), value));
    result.set_variables.emplace(std::move(parsed_name), std::move(parsed_value));
  }
  for (int i = 0; i < update.unset_variables_size(); ++i) {
    ASSIGN_OR_RETURN(VariableName name, ParseField<VariableName>(Element("unset_variables", i),
                                                                 update.unset_variables(i)));
    result.unset_variables.push_back(std::move(name));
  }
  if (update.has_menu_timeout()) {
    if (update.menu_timeout().seconds() == 0 && update.menu_timeout().nanos() == 0) {
      result.menu_timeout = Settings::kDefaultMenuTimeout;
    } else {
      ASSIGN_OR_RETURN(result.menu_timeout, MenuTimeoutFromProto(update.menu_timeout()));
    }
  }
  if (update.has_rootfs_path_prefix()) {
    ASSIGN_OR_RETURN(
        result.rootfs_path_prefix,
        ParseOptionalField<RootfsPathPrefix>("rootfs_path_prefix", update.rootfs_path_prefix()));
  }
  return result;
}

absl::StatusOr<Mutation> FromProto(const v1::Mutation& mutation) {
  switch (mutation.kind_case()) {
    case v1::Mutation::kAssign:
      return FromProto(mutation.assign());
    case v1::Mutation::kUnassign: {
      ASSIGN_OR_RETURN(HostReference host, ParseHostField("host", mutation.unassign().host()));
      return Unassign{std::move(host)};
    }
    case v1::Mutation::kCreateHost:
      return FromProto(mutation.create_host());
    case v1::Mutation::kDeleteHost: {
      ASSIGN_OR_RETURN(HostReference host, ParseHostField("host", mutation.delete_host().host()));
      return DeleteHost{std::move(host)};
    }
    case v1::Mutation::kSetProfile:
      return FromProto(mutation.set_profile());
    case v1::Mutation::kDeleteProfile: {
      ASSIGN_OR_RETURN(ProfileName name,
                       ParseField<ProfileName>("name", mutation.delete_profile().name()));
      return DeleteProfile{std::move(name)};
    }
    case v1::Mutation::kUpdateSettings:
      return FromProto(mutation.update_settings());
    case v1::Mutation::kUpdateAgentSettings:
    case v1::Mutation::KIND_NOT_SET:
      break;
  }
  return BadField("kind", "", "missing, or of a kind that this version does not know");
}

absl::StatusOr<ExpectedEtag> FromProto(const v1::ExpectedEtag& expected) {
  RETURN_IF_ERROR(CheckAtLeast("etag", expected.etag(), 0));
  switch (expected.resource_case()) {
    case v1::ExpectedEtag::kHost: {
      ASSIGN_OR_RETURN(HostReference host, ParseHostField("host", expected.host()));
      return ExpectedEtag{std::move(host), expected.etag()};
    }
    case v1::ExpectedEtag::kProfile: {
      ASSIGN_OR_RETURN(ProfileName name, ParseField<ProfileName>("profile", expected.profile()));
      return ExpectedEtag{std::move(name), expected.etag()};
    }
    case v1::ExpectedEtag::kSettings:
      if (!expected.settings()) return BadField("settings", "false", "expected true");
      return ExpectedEtag{std::monostate(), expected.etag()};
    case v1::ExpectedEtag::kAgent:
    case v1::ExpectedEtag::RESOURCE_NOT_SET:
      break;
  }
  return BadField("resource", "", "missing, or of a kind that this version does not know");
}

}  // namespace autopxe
