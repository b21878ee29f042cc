// What becomes of each kind of mutation.

#include <algorithm>
#include <cctype>
#include <utility>

#include "tests/model/expected.h"

namespace autopxe::tests {
namespace {

using grpc::StatusCode;

bool IsBuiltIn(const std::string& distro) {
  return distro == "local" || distro == "menu" || distro == "wait" || distro == "ignore";
}

// MACs in requests are written in any letter case, and kept in one.
std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool IsMac(const std::string& text) { return text.find(':') != std::string::npos; }

// Sets and unsets as a request says; INVALID_ARGUMENT where it says both of one name.
template <typename Set, typename Unset>
StatusCode SetTexts(const Set& set, const Unset& unset, Expected::Texts& texts) {
  StatusCode code = StatusCode::OK;
  for (const auto& [name, value] : set) texts[name] = value;
  for (const std::string& name : unset) {
    if (set.count(name) > 0) code = StatusCode::INVALID_ARGUMENT;
    texts.erase(name);
  }
  return code;
}

}  // namespace

bool Expected::IsOffered(const std::string& kernel) {
  return kernel == "debian/bookworm/latest" || kernel == "debian/trixie/latest";
}

std::string Expected::Find(const std::string& reference) const {
  if (!IsMac(reference)) return hosts_.count(reference) > 0 ? reference : "";
  for (const auto& [name, host] : hosts_) {
    if (host.macs.count(Lower(reference)) > 0) return name;
  }
  return "";
}

bool Expected::IsThere(const std::string& file) {
  return file == "memtest/mt86+.bin" || file.find("://") != std::string::npos;
}

bool Expected::HasAllFiles(const Declared& declared) {
  return IsThere(declared.kernel.empty() ? declared.chain : declared.kernel) &&
         std::all_of(declared.initrds.begin(), declared.initrds.end(), IsThere);
}

bool Expected::CanAssign(const std::string& distro, bool allow_missing) const {
  if (allow_missing || IsBuiltIn(distro)) return true;
  const size_t slash = distro.rfind('/');
  if (slash == std::string::npos) {
    const auto declared = declared_.find(distro);
    return declared != declared_.end() && HasAllFiles(declared->second);
  }
  return IsOffered(distro.substr(0, slash)) && profiles_.count(distro.substr(slash + 1)) > 0;
}

std::vector<std::string> Expected::AllDistros(int64_t now) const {
  std::vector<std::string> all = {settings_.default_distro, settings_.unknown_hosts};
  for (const auto& [name, host] : hosts_) {
    all.insert(all.end(), {host.distro, host.next});
    if (host.until > now) all.push_back(host.timed);
  }
  for (const auto& [name, group] : groups_) all.push_back(group.distro);
  return all;
}

StatusCode Expected::Take(const v1::Mutation::Assign& assign, int64_t now) {
  if (!CanAssign(assign.distro(), assign.allow_missing())) return StatusCode::NOT_FOUND;
  if (assign.next_boot() && IsBuiltIn(assign.distro()) && assign.distro() != "local") {
    return StatusCode::INVALID_ARGUMENT;
  }
  int64_t until = 0;
  if (assign.has_duration()) until = now + assign.duration().seconds();
  if (assign.has_until()) until = assign.until().seconds();
  if ((assign.has_duration() || assign.has_until()) && until <= now) {
    return StatusCode::INVALID_ARGUMENT;
  }
  std::string name = Find(assign.host());
  if (name.empty()) {
    if (!IsMac(assign.host())) return StatusCode::NOT_FOUND;
    name = Lower(assign.host());
    hosts_[name] = {.incarnation = ++last_incarnation_, .macs = {name}};
  }
  Host& host = hosts_[name];
  if (assign.next_boot()) {
    if (host.next == assign.distro()) return StatusCode::OK;
    host.next = assign.distro();
    host.token = revision_ + 1;
  } else if (until > 0) {
    host.timed = assign.distro();
    host.until = until;
  } else {
    host.distro = assign.distro();
    host.timed.clear();
    host.until = 0;
  }
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation::Unassign& unassign) {
  const std::string name = Find(unassign.host());
  if (name.empty()) return StatusCode::NOT_FOUND;
  Host& host = hosts_[name];
  host.next.clear();
  host.token = 0;
  if (unassign.next_boot_only()) return StatusCode::OK;
  host.distro.clear();
  host.timed.clear();
  host.until = 0;
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation::CreateHost& create) {
  Host host{.incarnation = ++last_incarnation_, .macs = {}};
  for (const std::string& mac : create.macs()) host.macs.insert(Lower(mac));
  const std::string name = create.name().empty() ? *host.macs.begin() : create.name();
  if (hosts_.count(name) > 0) return StatusCode::ALREADY_EXISTS;
  for (const std::string& mac : host.macs) {
    if (!Find(mac).empty()) return StatusCode::ALREADY_EXISTS;
  }
  hosts_[name] = std::move(host);
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation::UpdateHost& update) {
  const std::string old_name = Find(update.host());
  if (old_name.empty()) return StatusCode::NOT_FOUND;
  Host host = hosts_[old_name];
  for (const std::string& mac : update.remove_macs()) {
    if (host.macs.erase(Lower(mac)) == 0) return StatusCode::INVALID_ARGUMENT;
  }
  for (const std::string& mac : update.add_macs()) {
    const std::string owner = Find(mac);
    if (!owner.empty() && owner != old_name) return StatusCode::ALREADY_EXISTS;
    host.macs.insert(Lower(mac));
  }
  if (host.macs.empty()) return StatusCode::INVALID_ARGUMENT;
  std::string name = old_name;
  if (!update.name().empty()) {
    name = update.name();
  } else if (IsMac(name) && host.macs.count(name) == 0) {
    // Who is named by a MAC is named by one of its own.
    name = *host.macs.begin();
  }
  if (IsMac(name) && host.macs.count(name) == 0) return StatusCode::INVALID_ARGUMENT;
  if (name != old_name && hosts_.count(name) > 0) return StatusCode::ALREADY_EXISTS;
  for (const StatusCode code :
       {SetTexts(update.set_labels(), update.unset_labels(), host.labels),
        SetTexts(update.set_variables(), update.unset_variables(), host.variables)}) {
    if (code != StatusCode::OK) return code;
  }
  if (update.has_note()) host.note = update.note();
  if (update.has_locked()) host.locked = update.locked();
  hosts_.erase(old_name);
  hosts_[name] = std::move(host);
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation::SetGroup& set) {
  if (groups_.count(set.name()) == 0 && !set.has_selector()) return StatusCode::INVALID_ARGUMENT;
  if (!set.distro().empty() && !CanAssign(set.distro(), set.allow_missing())) {
    return StatusCode::NOT_FOUND;
  }
  Group group = groups_[set.name()];
  if (set.has_selector()) group.selector = set.selector();
  if (set.has_priority()) group.priority = set.priority();
  if (set.has_distro()) group.distro = set.distro();
  const StatusCode code = SetTexts(set.set_variables(), set.unset_variables(), group.variables);
  groups_[set.name()] = std::move(group);
  return code;
}

StatusCode Expected::Take(const v1::Mutation::DeleteProfile& remove, int64_t now) {
  if (profiles_.count(remove.name()) == 0) return StatusCode::NOT_FOUND;
  for (const std::string& distro : AllDistros(now)) {
    const size_t slash = distro.rfind('/');
    if (slash != std::string::npos && distro.substr(slash + 1) == remove.name()) {
      return StatusCode::FAILED_PRECONDITION;
    }
  }
  profiles_.erase(remove.name());
  return StatusCode::OK;
}

// Files may come later: somebody declares first and copies then.
StatusCode Expected::Take(const v1::DeclaredDistro& declare) {
  declared_[declare.name()] = {
      .kernel = declare.kernel().file(),
      .initrds = {declare.kernel().initrds().begin(), declare.kernel().initrds().end()},
      .arguments = declare.kernel().arguments(),
      .chain = declare.chain(),
      .architecture = declare.architecture()};
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation::DeleteDeclaredDistro& remove, int64_t now) {
  if (declared_.count(remove.name()) == 0) return StatusCode::NOT_FOUND;
  const std::vector<std::string> all = AllDistros(now);
  if (std::find(all.begin(), all.end(), remove.name()) != all.end()) {
    return StatusCode::FAILED_PRECONDITION;
  }
  declared_.erase(remove.name());
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation::UpdateSettings& update) {
  for (const auto& [set, distro] :
       {std::pair(update.has_default_distro(), update.default_distro()),
        std::pair(update.has_unknown_hosts(), update.unknown_hosts())}) {
    if (set && !distro.empty() && !CanAssign(distro, update.allow_missing())) {
      return StatusCode::NOT_FOUND;
    }
  }
  if (update.has_default_distro()) settings_.default_distro = update.default_distro();
  if (update.has_unknown_hosts()) settings_.unknown_hosts = update.unknown_hosts();
  if (update.has_rootfs_path_prefix()) settings_.rootfs_path_prefix = update.rootfs_path_prefix();
  if (update.has_menu_timeout()) {
    settings_.menu_timeout =
        update.menu_timeout().seconds() == 0 ? 10 : update.menu_timeout().seconds();
  }
  return SetTexts(update.set_variables(), update.unset_variables(), settings_.variables);
}

StatusCode Expected::Take(const v1::Mutation& mutation, int64_t now) {
  switch (mutation.kind_case()) {
    case v1::Mutation::kAssign:
      return Take(mutation.assign(), now);
    case v1::Mutation::kUnassign:
      return Take(mutation.unassign());
    case v1::Mutation::kCreateHost:
      return Take(mutation.create_host());
    case v1::Mutation::kUpdateHost:
      return Take(mutation.update_host());
    case v1::Mutation::kDeleteHost: {
      const std::string name = Find(mutation.delete_host().host());
      return hosts_.erase(name) > 0 ? StatusCode::OK : StatusCode::NOT_FOUND;
    }
    case v1::Mutation::kSetGroup:
      return Take(mutation.set_group());
    case v1::Mutation::kDeleteGroup:
      return groups_.erase(mutation.delete_group().name()) > 0 ? StatusCode::OK
                                                               : StatusCode::NOT_FOUND;
    case v1::Mutation::kSetProfile:
      profiles_[mutation.set_profile().name()].command_line = mutation.set_profile().command_line();
      return StatusCode::OK;
    case v1::Mutation::kDeleteProfile:
      return Take(mutation.delete_profile(), now);
    case v1::Mutation::kDeclareDistro:
      return Take(mutation.declare_distro());
    case v1::Mutation::kDeleteDeclaredDistro:
      return Take(mutation.delete_declared_distro(), now);
    case v1::Mutation::kUpdateSettings:
      return Take(mutation.update_settings());
    default:
      return StatusCode::UNIMPLEMENTED;  // None that RandomRequest makes.
  }
}

}  // namespace autopxe::tests
