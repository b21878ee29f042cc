#include "common/wire/mutation_wire.h"

#include <algorithm>
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
#include "common/wire/variables_wire.h"

namespace autopxe {
namespace {

// Writes what the settings of the whole server and those of an agent have in common.
template <typename Update, typename Message>
void WriteCommonSettings(const Update& update, Message& out) {
  if (update.default_distro.has_value()) {
    out.set_default_distro(update.default_distro->has_value() ? (*update.default_distro)->Format()
                                                              : "");
  }
  out.set_allow_missing(update.allow_missing);
  *out.mutable_set_variables() = ToProto(update.set_variables);
  for (const VariableName& name : update.unset_variables) out.add_unset_variables(name.text());
  if (update.rootfs_path_prefix.has_value()) {
    out.set_rootfs_path_prefix(
        update.rootfs_path_prefix->has_value() ? (*update.rootfs_path_prefix)->text() : "");
  }
}

// Reads the same.
template <typename Message, typename Update>
absl::Status ReadCommonSettings(const Message& in, Update& update) {
  if (in.has_default_distro()) {
    ASSIGN_OR_RETURN(update.default_distro,
                     ParseOptionalField<Distro>("default_distro", in.default_distro()));
  }
  update.allow_missing = in.allow_missing();
  ASSIGN_OR_RETURN(update.set_variables, FromProto(in.set_variables(), "set_variables"));
  for (int i = 0; i < in.unset_variables_size(); ++i) {
    ASSIGN_OR_RETURN(VariableName name, ParseField<VariableName>(Element("unset_variables", i),
                                                                 in.unset_variables(i)));
    update.unset_variables.push_back(std::move(name));
  }
  if (in.has_rootfs_path_prefix()) {
    ASSIGN_OR_RETURN(update.rootfs_path_prefix, ParseOptionalField<RootfsPathPrefix>(
                                                    "rootfs_path_prefix", in.rootfs_path_prefix()));
  }
  return absl::OkStatus();
}

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
    WriteCommonSettings(update, result);
    if (update.unknown_hosts.has_value()) {
      result.set_unknown_hosts(update.unknown_hosts->has_value() ? (*update.unknown_hosts)->Format()
                                                                 : "");
    }
    if (update.menu_timeout.has_value()) {
      *result.mutable_menu_timeout() = ToProto(*update.menu_timeout);
    }
  }
  void operator()(const UpdateAgentSettings& update) const {
    out.mutable_update_agent_settings()->set_agent_id(update.agent.text());
    WriteCommonSettings(update, *out.mutable_update_agent_settings());
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

absl::StatusOr<Mutation> FromProto(const v1::Mutation::UpdateAgentSettings& update) {
  ASSIGN_OR_RETURN(AgentId agent, ParseField<AgentId>("agent_id", update.agent_id()));
  UpdateAgentSettings result{.agent = std::move(agent),
                             .default_distro = {},
                             .set_variables = {},
                             .unset_variables = {},
                             .rootfs_path_prefix = {}};
  RETURN_IF_ERROR(ReadCommonSettings(update, result));
  return result;
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
  } else if (const auto* agent = std::get_if<AgentId>(&expected.resource)) {
    result.set_agent(agent->text());
  } else {
    result.set_settings(true);
  }
  result.set_etag(expected.etag);
  return result;
}

absl::StatusOr<UpdateSettings> FromProto(const v1::Mutation::UpdateSettings& update) {
  UpdateSettings result;
  RETURN_IF_ERROR(ReadCommonSettings(update, result));
  if (update.has_unknown_hosts()) {
    ASSIGN_OR_RETURN(result.unknown_hosts,
                     ParseOptionalField<Distro>("unknown_hosts", update.unknown_hosts()));
  }
  if (update.has_menu_timeout()) {
    if (update.menu_timeout().seconds() == 0 && update.menu_timeout().nanos() == 0) {
      result.menu_timeout = Settings::kDefaultMenuTimeout;
    } else {
      ASSIGN_OR_RETURN(result.menu_timeout, MenuTimeoutFromProto(update.menu_timeout()));
    }
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
      return FromProto(mutation.update_agent_settings());
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
    case v1::ExpectedEtag::kAgent: {
      ASSIGN_OR_RETURN(AgentId agent, ParseField<AgentId>("agent", expected.agent()));
      return ExpectedEtag{std::move(agent), expected.etag()};
    }
    case v1::ExpectedEtag::RESOURCE_NOT_SET:
      break;
  }
  return BadField("resource", "", "missing, or of a kind that this version does not know");
}

}  // namespace autopxe
