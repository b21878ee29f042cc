#include "common/wire/mutation_wire.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/architecture.h"
#include "common/model/host.h"
#include "common/model/settings.h"
#include "common/status/status_macros.h"
#include "common/wire/declared_distro_wire.h"
#include "common/wire/field.h"
#include "common/wire/group_wire.h"
#include "common/wire/labels_wire.h"
#include "common/wire/settings_wire.h"
#include "common/wire/term_wire.h"
#include "common/wire/time_wire.h"
#include "common/wire/variables_wire.h"

namespace autopxe {
namespace {

// Writes which variables to set and which to remove.
template <typename Update, typename Message>
void WriteVariables(const Update& update, Message& out) {
  *out.mutable_set_variables() = ToProto(update.set_variables);
  for (const VariableName& name : update.unset_variables) out.add_unset_variables(name.text());
}

// Reads the same.
template <typename Message, typename Update>
absl::Status ReadVariables(const Message& in, Update& update) {
  ASSIGN_OR_RETURN(update.set_variables, FromProto(in.set_variables(), "set_variables"));
  for (int i = 0; i < in.unset_variables_size(); ++i) {
    ASSIGN_OR_RETURN(VariableName name, ParseField<VariableName>(Element("unset_variables", i),
                                                                 in.unset_variables(i)));
    update.unset_variables.push_back(std::move(name));
  }
  return absl::OkStatus();
}

// Writes what the settings of the whole server and those of an agent have in common.
template <typename Update, typename Message>
void WriteCommonSettings(const Update& update, Message& out) {
  if (update.default_distro.has_value()) {
    out.set_default_distro(update.default_distro->has_value() ? (*update.default_distro)->Format()
                                                              : "");
  }
  out.set_allow_missing(update.allow_missing);
  WriteVariables(update, out);
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
  RETURN_IF_ERROR(ReadVariables(in, update));
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
    TermToProto(assign.term, *out.mutable_assign());
  }
  void operator()(const Unassign& unassign) const {
    out.mutable_unassign()->set_host(FormatHostReference(unassign.host));
    out.mutable_unassign()->set_next_boot_only(unassign.next_boot_only);
  }
  void operator()(const UpdateHost& update) const {
    v1::Mutation::UpdateHost& result = *out.mutable_update_host();
    result.set_host(FormatHostReference(update.host));
    if (update.name.has_value()) result.set_name(update.name->text());
    for (const MacAddress& mac : update.add_macs) result.add_add_macs(mac.Format());
    for (const MacAddress& mac : update.remove_macs) result.add_remove_macs(mac.Format());
    *result.mutable_set_labels() = LabelsToProto(update.set_labels);
    for (const LabelKey& key : update.unset_labels) result.add_unset_labels(key.text());
    WriteVariables(update, result);
    if (update.note.has_value()) result.set_note(update.note->text());
    if (update.locked.has_value()) result.set_locked(*update.locked);
  }
  void operator()(const SetGroup& set) const {
    v1::Mutation::SetGroup& result = *out.mutable_set_group();
    result.set_name(set.name.text());
    if (set.selector.has_value()) result.set_selector(set.selector->text());
    if (set.priority.has_value()) result.set_priority(*set.priority);
    if (set.distro.has_value()) {
      result.set_distro(set.distro->has_value() ? (*set.distro)->Format() : "");
    }
    result.set_allow_missing(set.allow_missing);
    WriteVariables(set, result);
  }
  void operator()(const DeleteGroup& remove) const {
    out.mutable_delete_group()->set_name(remove.name.text());
  }
  void operator()(const UseNextBoot& use) const {
    out.mutable_use_next_boot()->set_host_id(static_cast<int64_t>(use.host));
    out.mutable_use_next_boot()->set_token(use.token);
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
  void operator()(const DeclareDistro& declare) const {
    *out.mutable_declare_distro() = ToProto(declare.distro);
  }
  void operator()(const DeleteDeclaredDistro& remove) const {
    out.mutable_delete_declared_distro()->set_name(remove.name.text());
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
  ASSIGN_OR_RETURN(const Term term, TermFromProto(assign));
  return Assign{std::move(host), std::move(distro), assign.allow_missing(), term};
}

absl::StatusOr<std::vector<MacAddress>> MacsFromProto(
    absl::string_view field, const google::protobuf::RepeatedPtrField<std::string>& texts) {
  RETURN_IF_ERROR(CheckAtMost(field, static_cast<size_t>(texts.size()), kMaxMacsPerHost));
  std::vector<MacAddress> macs;
  for (int i = 0; i < texts.size(); ++i) {
    ASSIGN_OR_RETURN(const MacAddress mac, ParseField<MacAddress>(Element(field, i), texts[i]));
    macs.push_back(mac);
  }
  return macs;
}

absl::StatusOr<Mutation> FromProto(const v1::Mutation::UpdateHost& update) {
  ASSIGN_OR_RETURN(HostReference host, ParseHostField("host", update.host()));
  UpdateHost result{.host = std::move(host)};
  ASSIGN_OR_RETURN(result.name, ParseOptionalField<HostName>("name", update.name()));
  ASSIGN_OR_RETURN(result.add_macs, MacsFromProto("add_macs", update.add_macs()));
  ASSIGN_OR_RETURN(result.remove_macs, MacsFromProto("remove_macs", update.remove_macs()));
  ASSIGN_OR_RETURN(result.set_labels, LabelsFromProto(update.set_labels(), "set_labels"));
  for (int i = 0; i < update.unset_labels_size(); ++i) {
    ASSIGN_OR_RETURN(LabelKey key,
                     ParseField<LabelKey>(Element("unset_labels", i), update.unset_labels(i)));
    result.unset_labels.push_back(std::move(key));
  }
  RETURN_IF_ERROR(ReadVariables(update, result));
  if (update.has_note()) {
    ASSIGN_OR_RETURN(result.note, ParseField<Note>("note", update.note()));
  }
  if (update.has_locked()) result.locked = update.locked();
  return result;
}

absl::StatusOr<Mutation> FromProto(const v1::Mutation::SetGroup& set) {
  ASSIGN_OR_RETURN(GroupName name, ParseField<GroupName>("name", set.name()));
  SetGroup result{.name = std::move(name)};
  if (set.has_selector()) {
    ASSIGN_OR_RETURN(result.selector, ParseField<Selector>("selector", set.selector()));
  }
  if (set.has_priority()) {
    RETURN_IF_ERROR(CheckGroupPriority(set.priority()));
    result.priority = set.priority();
  }
  if (set.has_distro()) {
    ASSIGN_OR_RETURN(result.distro, ParseOptionalField<Distro>("distro", set.distro()));
  }
  result.allow_missing = set.allow_missing();
  RETURN_IF_ERROR(ReadVariables(set, result));
  return result;
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

absl::StatusOr<Mutation> ToDeclare(const v1::DeclaredDistro& distro) {
  // Somebody means it, and would else wonder why every host is offered it.
  if (!distro.architecture().empty() && !ParseArchitecture(distro.architecture()).has_value()) {
    return BadField("architecture", distro.architecture(),
                    "expected x86_64, i386, arm64, riscv64 or arm32, or nothing for all");
  }
  ASSIGN_OR_RETURN(DeclaredDistro declared, autopxe::FromProto(distro));
  declared.etag = 0;  // Not looked at: the plan knows it.
  return DeclareDistro{std::move(declared)};
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
  } else if (const auto* group = std::get_if<GroupName>(&expected.resource)) {
    result.set_group(group->text());
  } else if (const auto* distro = std::get_if<DistroName>(&expected.resource)) {
    result.set_declared_distro(distro->text());
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
      return Unassign{std::move(host), mutation.unassign().next_boot_only()};
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
    case v1::Mutation::kDeclareDistro:
      return ToDeclare(mutation.declare_distro());
    case v1::Mutation::kDeleteDeclaredDistro: {
      ASSIGN_OR_RETURN(DistroName name,
                       ParseField<DistroName>("name", mutation.delete_declared_distro().name()));
      return DeleteDeclaredDistro{std::move(name)};
    }
    case v1::Mutation::kUpdateSettings:
      return FromProto(mutation.update_settings());
    case v1::Mutation::kUpdateAgentSettings:
      return FromProto(mutation.update_agent_settings());
    case v1::Mutation::kUpdateHost:
      return FromProto(mutation.update_host());
    case v1::Mutation::kSetGroup:
      return FromProto(mutation.set_group());
    case v1::Mutation::kDeleteGroup: {
      ASSIGN_OR_RETURN(GroupName name,
                       ParseField<GroupName>("name", mutation.delete_group().name()));
      return DeleteGroup{std::move(name)};
    }
    case v1::Mutation::kUseNextBoot:
      RETURN_IF_ERROR(CheckAtLeast("host_id", mutation.use_next_boot().host_id(), 1));
      RETURN_IF_ERROR(CheckAtLeast("token", mutation.use_next_boot().token(), 1));
      return UseNextBoot{.host = HostId{mutation.use_next_boot().host_id()},
                         .token = mutation.use_next_boot().token()};
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
    case v1::ExpectedEtag::kGroup: {
      ASSIGN_OR_RETURN(GroupName group, ParseField<GroupName>("group", expected.group()));
      return ExpectedEtag{std::move(group), expected.etag()};
    }
    case v1::ExpectedEtag::kDeclaredDistro: {
      ASSIGN_OR_RETURN(DistroName name,
                       ParseField<DistroName>("declared_distro", expected.declared_distro()));
      return ExpectedEtag{std::move(name), expected.etag()};
    }
    case v1::ExpectedEtag::RESOURCE_NOT_SET:
      break;
  }
  return BadField("resource", "", "missing, or of a kind that this version does not know");
}

}  // namespace autopxe
