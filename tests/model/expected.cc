#include "tests/model/expected.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace autopxe::tests {
namespace {

using grpc::StatusCode;

const char* const kBuiltIn[] = {"local", "menu", "wait", "ignore"};

bool IsBuiltIn(const std::string& distro) {
  return std::find(std::begin(kBuiltIn), std::end(kBuiltIn), distro) != std::end(kBuiltIn);
}

// "debian/bookworm/latest/nfsrw" is "debian/bookworm/latest" and "nfsrw".
std::pair<std::string, std::string> SplitProfile(const std::string& distro) {
  const size_t slash = distro.rfind('/');
  return {distro.substr(0, slash), distro.substr(slash + 1)};
}

// MACs in requests are written in any letter case, and kept in one.
std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool IsMac(const std::string& text) { return text.find(':') != std::string::npos; }

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

bool Expected::CanAssign(const std::string& distro, bool allow_missing) const {
  if (allow_missing || IsBuiltIn(distro)) return true;
  const auto [kernel, profile] = SplitProfile(distro);
  return IsOffered(kernel) && profiles_.count(profile) > 0;
}

bool Expected::IsUsed(const std::string& profile) const {
  const auto uses = [&](const std::string& distro) {
    return !distro.empty() && !IsBuiltIn(distro) && SplitProfile(distro).second == profile;
  };
  return uses(settings_.default_distro) || uses(settings_.unknown_hosts) ||
         std::any_of(hosts_.begin(), hosts_.end(),
                     [&](const auto& entry) { return uses(entry.second.distro); });
}

StatusCode Expected::CheckEtags(const v1::RequestOptions& options) const {
  for (const v1::ExpectedEtag& expected : options.expected_etags()) {
    int64_t etag = settings_.etag;
    if (expected.has_host()) {
      const std::string name = Find(expected.host());
      etag = name.empty() ? 0 : hosts_.at(name).etag;
    } else if (expected.has_profile()) {
      const auto found = profiles_.find(expected.profile());
      etag = found == profiles_.end() ? 0 : found->second.etag;
    }
    if (etag != expected.etag()) return StatusCode::ABORTED;
  }
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation::Assign& assign) {
  if (!CanAssign(assign.distro(), assign.allow_missing())) return StatusCode::NOT_FOUND;
  std::string name = Find(assign.host());
  if (name.empty()) {
    if (!IsMac(assign.host())) return StatusCode::NOT_FOUND;
    name = Lower(assign.host());
    hosts_[name] = {.incarnation = ++last_incarnation_, .macs = {name}, .distro = "", .etag = 0};
  }
  hosts_[name].distro = assign.distro();
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation::CreateHost& create) {
  Host host{.incarnation = ++last_incarnation_, .macs = {}, .distro = "", .etag = 0};
  for (const std::string& mac : create.macs()) host.macs.insert(Lower(mac));
  const std::string name = create.name().empty() ? *host.macs.begin() : create.name();
  if (hosts_.count(name) > 0) return StatusCode::ALREADY_EXISTS;
  for (const std::string& mac : host.macs) {
    if (!Find(mac).empty()) return StatusCode::ALREADY_EXISTS;
  }
  hosts_[name] = std::move(host);
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation::DeleteProfile& remove) {
  if (profiles_.count(remove.name()) == 0) return StatusCode::NOT_FOUND;
  if (IsUsed(remove.name())) return StatusCode::FAILED_PRECONDITION;
  profiles_.erase(remove.name());
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
  for (const auto& [name, value] : update.set_variables()) settings_.variables[name] = value;
  for (const std::string& name : update.unset_variables()) settings_.variables.erase(name);
  return StatusCode::OK;
}

StatusCode Expected::Take(const v1::Mutation& mutation) {
  if (mutation.has_assign()) return Take(mutation.assign());
  if (mutation.has_create_host()) return Take(mutation.create_host());
  if (mutation.has_delete_profile()) return Take(mutation.delete_profile());
  if (mutation.has_update_settings()) return Take(mutation.update_settings());
  if (mutation.has_set_profile()) {
    profiles_[mutation.set_profile().name()].command_line = mutation.set_profile().command_line();
    return StatusCode::OK;
  }
  const std::string name =
      Find(mutation.has_unassign() ? mutation.unassign().host() : mutation.delete_host().host());
  if (name.empty()) return StatusCode::NOT_FOUND;
  if (mutation.has_unassign()) {
    hosts_[name].distro.clear();
  } else {
    hosts_.erase(name);
  }
  return StatusCode::OK;
}

bool Expected::StampChanges(const Expected& before, int64_t revision) {
  bool changed = false;
  const auto stamp = [&](int64_t& etag, bool same, int64_t old) {
    etag = same ? old : revision;
    changed = changed || !same;
  };
  for (auto& [name, host] : hosts_) {
    const auto old = before.hosts_.find(name);
    const bool same = old != before.hosts_.end() && old->second.incarnation == host.incarnation &&
                      old->second.macs == host.macs && old->second.distro == host.distro;
    stamp(host.etag, same, same ? old->second.etag : 0);
  }
  for (const auto& [name, host] : before.hosts_) changed = changed || hosts_.count(name) == 0;
  for (auto& [name, profile] : profiles_) {
    const auto old = before.profiles_.find(name);
    const bool same =
        old != before.profiles_.end() && old->second.command_line == profile.command_line;
    stamp(profile.etag, same, same ? old->second.etag : 0);
  }
  for (const auto& [name, profile] : before.profiles_) {
    changed = changed || profiles_.count(name) == 0;
  }
  const Settings& old = before.settings_;
  const bool same = settings_.default_distro == old.default_distro &&
                    settings_.unknown_hosts == old.unknown_hosts &&
                    settings_.variables == old.variables &&
                    settings_.menu_timeout == old.menu_timeout &&
                    settings_.rootfs_path_prefix == old.rootfs_path_prefix;
  stamp(settings_.etag, same, old.etag);
  return changed;
}

Expected::Verdict Expected::Apply(const v1::ApplyRequest& request) {
  const v1::RequestOptions& options = request.options();
  Verdict verdict{.code = StatusCode::OK,
                  .replayed = false,
                  .changed = false,
                  .revision = revision_,
                  .tag = tag_};
  const auto used = used_.find(options.request_id());
  if (!options.validate_only() && used != used_.end()) {
    if (used->second.request != request.SerializeAsString()) {
      verdict.code = StatusCode::INVALID_ARGUMENT;
      return verdict;
    }
    verdict.replayed = true;
    verdict.revision = used->second.revision;
    verdict.tag = used->second.tag;
    return verdict;
  }
  verdict.code = CheckEtags(options);
  if (verdict.code != StatusCode::OK) return verdict;
  Expected next = *this;
  for (const v1::Mutation& mutation : request.mutations()) {
    const StatusCode code = next.Take(mutation);
    // The first one refused says why.
    if (verdict.code == StatusCode::OK) verdict.code = code;
  }
  if (verdict.code != StatusCode::OK) return verdict;
  if (!next.StampChanges(*this, revision_ + 1) || options.validate_only()) return verdict;
  *this = std::move(next);
  verdict.changed = true;
  verdict.revision = ++revision_;
  tag_ = 0;
  if (!options.request_id().empty()) {
    used_[options.request_id()] = {request.SerializeAsString(), revision_, 0};
  }
  return verdict;
}

void Expected::Learn(uint64_t tag) {
  tag_ = tag;
  for (auto& [id, used] : used_) {
    if (used.revision == revision_) used.tag = tag;
  }
}

Expected::Boot Expected::Decide(const std::string& mac, const std::string& rootfs_folder) const {
  Boot boot;
  const std::string name = Find(mac);
  if (!name.empty()) boot.distro = hosts_.at(name).distro;
  if (name.empty()) boot.distro = settings_.unknown_hosts;
  if (boot.distro.empty()) boot.distro = settings_.default_distro;
  if (boot.distro.empty()) boot.distro = "menu";
  if (IsBuiltIn(boot.distro)) return boot;
  const auto [kernel, profile] = SplitProfile(boot.distro);
  const auto found = profiles_.find(profile);
  if (!IsOffered(kernel) || found == profiles_.end()) return boot;
  const std::vector<std::string> parts = absl::StrSplit(kernel, '/');
  const std::string& prefix =
      settings_.rootfs_path_prefix.empty() ? rootfs_folder : settings_.rootfs_path_prefix;
  boot.rootfs_path = absl::StrCat(prefix, "/", parts[0], "/", parts[1]);
  std::string line = absl::StrReplaceAll(
      found->second.command_line,
      {{"${rootfs-path}", boot.rootfs_path}, {"${host}", name.empty() ? mac : name}});
  for (const auto& [variable, value] : settings_.variables) {
    line = absl::StrReplaceAll(line, {{absl::StrCat("${", variable, "}"), value}});
  }
  boot.boots = line.find("${") == std::string::npos;
  if (boot.boots) boot.command_line = line;
  return boot;
}

}  // namespace autopxe::tests
