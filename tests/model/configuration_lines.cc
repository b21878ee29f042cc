#include "tests/model/configuration_lines.h"

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "common/wire/declared_distro_wire.h"
#include "common/wire/group_wire.h"
#include "common/wire/host_wire.h"
#include "common/wire/settings_wire.h"
#include "grpcpp/client_context.h"

namespace autopxe::tests {
namespace {

// So that lists have several pages.
constexpr int kPageSize = 2;

// Texts in the order of their names, whichever kind of map they are in.
template <typename Map>
std::string Join(const Map& map) {
  const Expected::Texts texts(map.begin(), map.end());
  std::string joined;
  for (const auto& [name, value] : texts) absl::StrAppend(&joined, " ", name, "=", value);
  return joined;
}

void AddHost(const v1::Host& host, int64_t incarnation, Lines& lines) {
  std::string line = absl::StrCat("#", incarnation);
  for (const std::string& mac : host.macs()) absl::StrAppend(&line, " ", mac);
  absl::StrAppend(&line, " distro=", host.distro(), " timed=", host.timed().distro(),
                  " until=", host.timed().until().seconds(), ".", host.timed().until().nanos(),
                  " next=", host.next_boot().distro(), " token=", host.next_boot().token(),
                  " labels:", Join(host.labels()), " variables:", Join(host.variables()),
                  " note=", host.note(), host.locked() ? " locked" : "", " @", host.etag());
  lines["host " + host.name()] = line;
}

void AddGroup(const v1::Group& group, Lines& lines) {
  lines["group " + group.name()] =
      absl::StrCat(group.selector(), " priority=", group.priority(), " distro=", group.distro(),
                   " variables:", Join(group.variables()), " @", group.etag());
}

void AddProfile(const std::string& name, const std::string& command_line, int64_t etag,
                Lines& lines) {
  lines["profile " + name] = absl::StrCat(command_line, " @", etag);
}

void AddDeclared(const v1::DeclaredDistro& declared, Lines& lines) {
  std::string line = absl::StrCat("kernel=", declared.kernel().file(), " initrds:");
  for (const std::string& initrd : declared.kernel().initrds()) absl::StrAppend(&line, " ", initrd);
  lines["declared " + declared.name()] =
      absl::StrCat(line, " arguments=", declared.kernel().arguments(), " chain=", declared.chain(),
                   " architecture=", declared.architecture(), " @", declared.etag());
}

void AddSettings(const v1::Settings& settings, Lines& lines) {
  lines["settings"] = absl::StrCat(
      "default=", settings.default_distro(), " unknown=", settings.unknown_hosts(),
      " timeout=", settings.menu_timeout().seconds(), " prefix=", settings.rootfs_path_prefix(),
      " variables:", Join(settings.variables()), " @", settings.etag());
}

v1::Host AsListed(const std::string& name, const Expected::Host& host) {
  v1::Host listed;
  listed.set_name(name);
  for (const std::string& mac : host.macs) listed.add_macs(mac);
  listed.set_distro(host.distro);
  if (!host.timed.empty()) {
    listed.mutable_timed()->set_distro(host.timed);
    listed.mutable_timed()->mutable_until()->set_seconds(host.until);
  }
  if (!host.next.empty()) {
    listed.mutable_next_boot()->set_distro(host.next);
    listed.mutable_next_boot()->set_token(host.token);
  }
  listed.mutable_labels()->insert(host.labels.begin(), host.labels.end());
  listed.mutable_variables()->insert(host.variables.begin(), host.variables.end());
  listed.set_note(host.note);
  listed.set_locked(host.locked);
  listed.set_etag(host.etag);
  return listed;
}

v1::Group AsListed(const std::string& name, const Expected::Group& group) {
  v1::Group listed;
  listed.set_name(name);
  listed.set_selector(group.selector);
  listed.set_priority(group.priority);
  listed.set_distro(group.distro);
  listed.mutable_variables()->insert(group.variables.begin(), group.variables.end());
  listed.set_etag(group.etag);
  return listed;
}

v1::DeclaredDistro AsListed(const std::string& name, const Expected::Declared& declared) {
  v1::DeclaredDistro listed;
  listed.set_name(name);
  if (declared.kernel.empty()) {
    listed.set_chain(declared.chain);
  } else {
    listed.mutable_kernel()->set_file(declared.kernel);
    for (const std::string& initrd : declared.initrds) {
      listed.mutable_kernel()->add_initrds(initrd);
    }
    listed.mutable_kernel()->set_arguments(declared.arguments);
  }
  listed.set_architecture(declared.architecture);
  listed.set_etag(declared.etag);
  return listed;
}

v1::Settings AsListed(const Expected::Settings& settings) {
  v1::Settings listed;
  listed.set_default_distro(settings.default_distro);
  listed.set_unknown_hosts(settings.unknown_hosts);
  listed.mutable_menu_timeout()->set_seconds(settings.menu_timeout);
  listed.set_rootfs_path_prefix(settings.rootfs_path_prefix);
  listed.mutable_variables()->insert(settings.variables.begin(), settings.variables.end());
  listed.set_etag(settings.etag);
  return listed;
}

// Goes through all pages. `list`: the rpc.
template <typename Request, typename Response>
absl::Status ForEachPage(
    const std::function<grpc::Status(grpc::ClientContext*, const Request&, Response*)>& list,
    const std::function<void(const Response&)>& take) {
  Request request;
  request.set_page_size(kPageSize);
  do {
    grpc::ClientContext context;
    Response page;
    const grpc::Status status = list(&context, request, &page);
    if (!status.ok()) {
      return absl::InternalError(
          absl::StrCat(Request::descriptor()->name(), ": ", status.error_message()));
    }
    take(page);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

}  // namespace

int64_t Incarnations::Of(int64_t id, const std::string& name, const Expected& expected) {
  const auto [known, added] = by_id_.try_emplace(id, -1);
  const auto host = expected.hosts().find(name);
  if (!added || host == expected.hosts().end()) return known->second;
  const int64_t incarnation = host->second.incarnation;
  for (const auto& [other_id, other] : by_id_) {
    if (other == incarnation) return -1;
  }
  known->second = incarnation;
  return incarnation;
}

int64_t Incarnations::Of(int64_t id) const {
  const auto known = by_id_.find(id);
  return known == by_id_.end() ? -1 : known->second;
}

Lines LinesOf(const Expected& expected) {
  Lines lines;
  for (const auto& [name, host] : expected.hosts()) {
    AddHost(AsListed(name, host), host.incarnation, lines);
  }
  for (const auto& [name, group] : expected.groups()) AddGroup(AsListed(name, group), lines);
  for (const auto& [name, profile] : expected.profiles()) {
    AddProfile(name, profile.command_line, profile.etag, lines);
  }
  for (const auto& [name, declared] : expected.declared()) {
    AddDeclared(AsListed(name, declared), lines);
  }
  AddSettings(AsListed(expected.settings()), lines);
  return lines;
}

Lines LinesOf(const Snapshot& snapshot, const Expected& expected, Incarnations& incarnations) {
  Lines lines;
  for (const auto& host : snapshot.HostsByName()) {
    AddHost(ToProto(*host),
            incarnations.Of(static_cast<int64_t>(host->id), host->name.text(), expected), lines);
  }
  for (const auto& group : snapshot.groups()) AddGroup(ToProto(*group), lines);
  for (const auto& [name, profile] : snapshot.profiles()) {
    AddProfile(name.text(), profile.command_line.text(), profile.etag, lines);
  }
  for (const auto& [name, declared] : snapshot.declared_distros()) {
    AddDeclared(ToProto(*declared), lines);
  }
  AddSettings(ToProto(snapshot.settings()), lines);
  return lines;
}

absl::StatusOr<Lines> ListLines(v1::ConfigurationService::Stub& server, const Expected& expected,
                                Incarnations& incarnations) {
  Lines lines;
  RETURN_IF_ERROR((ForEachPage<v1::ListHostsRequest, v1::ListHostsResponse>(
      [&](auto* context, const auto& request, auto* page) {
        return server.ListHosts(context, request, page);
      },
      [&](const auto& page) {
        for (const v1::Host& host : page.hosts()) {
          AddHost(host, incarnations.Of(host.id(), host.name(), expected), lines);
        }
      })));
  RETURN_IF_ERROR((ForEachPage<v1::ListGroupsRequest, v1::ListGroupsResponse>(
      [&](auto* context, const auto& request, auto* page) {
        return server.ListGroups(context, request, page);
      },
      [&](const auto& page) {
        for (const v1::Group& group : page.groups()) AddGroup(group, lines);
      })));
  RETURN_IF_ERROR((ForEachPage<v1::ListProfilesRequest, v1::ListProfilesResponse>(
      [&](auto* context, const auto& request, auto* page) {
        return server.ListProfiles(context, request, page);
      },
      [&](const auto& page) {
        for (const v1::Profile& profile : page.profiles()) {
          AddProfile(profile.name(), profile.command_line(), profile.etag(), lines);
        }
      })));
  RETURN_IF_ERROR((ForEachPage<v1::ListDeclaredDistrosRequest, v1::ListDeclaredDistrosResponse>(
      [&](auto* context, const auto& request, auto* page) {
        return server.ListDeclaredDistros(context, request, page);
      },
      [&](const auto& page) {
        for (const v1::DeclaredDistro& declared : page.declared_distros()) {
          AddDeclared(declared, lines);
        }
      })));
  grpc::ClientContext context;
  v1::Settings settings;
  const grpc::Status status = server.GetSettings(&context, v1::GetSettingsRequest(), &settings);
  if (!status.ok()) {
    return absl::InternalError(absl::StrCat("GetSettings: ", status.error_message()));
  }
  AddSettings(settings, lines);
  return lines;
}

}  // namespace autopxe::tests
