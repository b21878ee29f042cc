#include "tests/model/random_request.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace autopxe::tests {
namespace {

const std::vector<std::string> kNames = {"alpha", "beta", "gamma"};
const std::vector<std::string> kProfiles = {"nfsrw", "plain", "colour"};
const std::vector<std::string> kGroups = {"first", "second", "third"};
const std::vector<std::string> kSelectors = {
    "rack=r1", "rack!=r1", "rack in (r1,r2),gpu", "rack notin (r2,r3)", "!gpu", "gpu=a100"};
const std::vector<std::string> kKeys = {"rack", "gpu"};
const std::vector<std::string> kLabels = {"r1", "r2", "a100"};
const std::vector<std::string> kVariables = {"nfs-server", "colour"};
const std::vector<std::string> kValues = {"172.25.2.11", "red", "blue"};
const std::vector<std::string> kTemplates = {
    "root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} ip=dhcp rw", "colour=${colour} of=${host}",
    "quiet", "colour=${colour:-none} at=${nfs-server:-nowhere}"};
// Of those, what may be set without force: which variables reach nobody is server/plan's.
const std::vector<std::string> kPlainTemplates = {kTemplates[2], kTemplates[3]};
const std::vector<std::string> kKernels = {"debian/bookworm/latest", "debian/bookworm/latest",
                                           "debian/trixie/latest", "debian/forky/latest"};
const std::vector<std::string> kDeclared = {"memtest", "installer"};
// One is in no agent's folder of files.
const std::vector<std::string> kFiles = {"memtest/mt86+.bin", "memtest/mt86+.bin",
                                         "http://mirror.example/linux", "d-i/linux"};
// Those of kTemplates that need no scanned kernel.
const std::vector<std::string> kArguments = {kTemplates[1], kTemplates[2], kTemplates[3]};
const std::vector<std::string> kBuiltIns = {"local", "menu", "wait"};

std::string SomeDistro(Random& random) {
  if (random.OneIn(4)) return random.Of(kBuiltIns);
  if (random.OneIn(4)) return random.Of(kDeclared);
  return random.Of(kKernels) + "/" + random.Of(kProfiles);
}

std::string SomeMac(Random& random) {
  const std::string& mac = random.Of(SomeMacs());
  return random.OneIn(3) ? absl::AsciiStrToUpper(mac) : mac;
}

// Mostly one that there is, so that what is done to hosts adds up.
std::string SomeHost(Random& random, const Expected& expected) {
  std::vector<std::string> known;
  for (const auto& [name, host] : expected.hosts()) {
    known.push_back(name);
    known.insert(known.end(), host.macs.begin(), host.macs.end());
  }
  if (!known.empty() && !random.OneIn(4)) return random.Of(known);
  return random.OneIn(3) ? random.Of(kNames) : SomeMac(random);
}

// Sets one or takes one away.
template <typename Update>
void FillVariable(Random& random, Update& update) {
  if (random.OneIn(3)) {
    update.add_unset_variables(random.Of(kVariables));
  } else {
    (*update.mutable_set_variables())[random.Of(kVariables)] = random.Of(kValues);
  }
}

void FillAssign(Random& random, const Expected& expected, int64_t now,
                v1::Mutation::Assign& assign) {
  assign.set_host(SomeHost(random, expected));
  assign.set_distro(SomeDistro(random));
  assign.set_allow_missing(random.OneIn(2));
  // One in eight ends where it begins.
  const int64_t seconds = kTimeStep * random.Below(8);
  switch (random.Below(6)) {
    case 0:
    case 1:
      assign.set_next_boot(true);
      break;
    case 2:
      assign.mutable_duration()->set_seconds(seconds);
      break;
    case 3:
      assign.mutable_until()->set_seconds(now + seconds);
      break;
    default:
      break;
  }
}

void FillHost(Random& random, v1::Mutation::UpdateHost& update) {
  switch (random.Below(9)) {
    case 0:
      update.set_name(random.OneIn(4) ? random.Of(SomeMacs()) : random.Of(kNames));
      break;
    case 1:
      update.add_add_macs(SomeMac(random));
      break;
    case 2:
      update.add_remove_macs(SomeMac(random));
      if (random.OneIn(2)) update.add_add_macs(SomeMac(random));
      break;
    case 3:
    case 4:
      if (random.OneIn(3)) {
        update.add_unset_labels(random.Of(kKeys));
      } else {
        (*update.mutable_set_labels())[random.Of(kKeys)] = random.Of(kLabels);
      }
      break;
    case 5:
      FillVariable(random, update);
      break;
    default:
      update.set_locked(!random.OneIn(3));
      if (random.OneIn(3)) update.set_note(random.OneIn(3) ? "" : "its fan is loud");
  }
}

void FillGroup(Random& random, v1::Mutation::SetGroup& set) {
  set.set_name(random.Of(kGroups));
  if (!random.OneIn(4)) set.set_selector(random.Of(kSelectors));
  if (random.OneIn(2)) set.set_priority(random.Below(3) - 1);
  if (!random.OneIn(3)) set.set_distro(random.OneIn(5) ? "" : SomeDistro(random));
  set.set_allow_missing(!random.OneIn(3));
  if (random.OneIn(2)) FillVariable(random, set);
}

void FillSettings(Random& random, v1::Mutation::UpdateSettings& update) {
  update.set_allow_missing(random.OneIn(2));
  switch (random.Below(6)) {
    case 0:
      update.set_default_distro(random.OneIn(4) ? "" : SomeDistro(random));
      break;
    case 1:
      update.set_unknown_hosts(random.OneIn(4) ? "" : SomeDistro(random));
      break;
    case 2:
    case 3:
      FillVariable(random, update);
      break;
    case 4:
      update.mutable_menu_timeout()->set_seconds(random.Below(4));
      break;
    default:
      update.set_rootfs_path_prefix(random.OneIn(2) ? "" : "/srv/rootfs");
  }
}

void FillDeclared(Random& random, bool force, v1::DeclaredDistro& declare) {
  declare.set_name(random.Of(kDeclared));
  if (random.OneIn(4)) declare.set_architecture("x86_64");
  if (random.OneIn(3)) {
    declare.set_chain(random.Of(kFiles));
    return;
  }
  declare.mutable_kernel()->set_file(random.Of(kFiles));
  for (int i = random.Below(3); i > 0; --i) {
    declare.mutable_kernel()->add_initrds(random.Of(kFiles));
  }
  declare.mutable_kernel()->set_arguments(random.Of(force ? kArguments : kPlainTemplates));
}

void FillMutation(Random& random, const Expected& expected, int64_t now, bool force,
                  v1::Mutation& mutation) {
  const int kind = random.Below(36);
  if (kind < 8) {
    FillAssign(random, expected, now, *mutation.mutable_assign());
  } else if (kind < 10) {
    mutation.mutable_unassign()->set_host(SomeHost(random, expected));
    mutation.mutable_unassign()->set_next_boot_only(random.OneIn(2));
  } else if (kind < 14) {
    if (!random.OneIn(4)) mutation.mutable_create_host()->set_name(random.Of(kNames));
    // Neighbours, so that none is named twice.
    const int first = random.Below(static_cast<int>(SomeMacs().size()) - 1);
    const int last = first + random.Below(2);
    for (int i = first; i <= last; ++i)
      mutation.mutable_create_host()->add_macs(SomeMacs()[static_cast<size_t>(i)]);
  } else if (kind < 15) {
    mutation.mutable_delete_host()->set_host(SomeHost(random, expected));
  } else if (kind < 21) {
    mutation.mutable_update_host()->set_host(SomeHost(random, expected));
    FillHost(random, *mutation.mutable_update_host());
    if (random.OneIn(2)) FillHost(random, *mutation.mutable_update_host());
  } else if (kind < 25) {
    FillGroup(random, *mutation.mutable_set_group());
  } else if (kind < 26) {
    mutation.mutable_delete_group()->set_name(random.Of(kGroups));
  } else if (kind < 28) {
    mutation.mutable_set_profile()->set_name(random.Of(kProfiles));
    mutation.mutable_set_profile()->set_command_line(
        random.Of(force ? kTemplates : kPlainTemplates));
  } else if (kind < 29) {
    mutation.mutable_delete_profile()->set_name(random.Of(kProfiles));
  } else if (kind < 32) {
    FillDeclared(random, force, *mutation.mutable_declare_distro());
  } else if (kind < 33) {
    mutation.mutable_delete_declared_distro()->set_name(random.Of(kDeclared));
  } else {
    FillSettings(random, *mutation.mutable_update_settings());
  }
}

void FillEtag(Random& random, const Expected& expected, v1::ExpectedEtag& etag) {
  int64_t right = expected.settings().etag;
  if (random.OneIn(4)) {
    etag.set_settings(true);
  } else if (random.OneIn(3)) {
    etag.set_group(random.Of(kGroups));
    const auto found = expected.groups().find(etag.group());
    right = found == expected.groups().end() ? 0 : found->second.etag;
  } else if (random.OneIn(3)) {
    etag.set_declared_distro(random.Of(kDeclared));
    const auto found = expected.declared().find(etag.declared_distro());
    right = found == expected.declared().end() ? 0 : found->second.etag;
  } else if (random.OneIn(2)) {
    etag.set_profile(random.Of(kProfiles));
    const auto found = expected.profiles().find(etag.profile());
    right = found == expected.profiles().end() ? 0 : found->second.etag;
  } else {
    etag.set_host(SomeHost(random, expected));
    const std::string name = expected.Find(etag.host());
    right = name.empty() ? 0 : expected.hosts().at(name).etag;
  }
  etag.set_etag(random.OneIn(3) ? right + 1 : right);
}

// Whether a template needs a variable, so that taking one away may need force.
bool NeedsVariables(const Expected& expected) {
  const auto needs = [](const std::string& text) {
    return absl::StrContains(text, "${nfs-server}") || absl::StrContains(text, "${colour}");
  };
  return std::any_of(expected.profiles().begin(), expected.profiles().end(),
                     [&](const auto& entry) { return needs(entry.second.command_line); }) ||
         std::any_of(expected.declared().begin(), expected.declared().end(),
                     [&](const auto& entry) { return needs(entry.second.arguments); });
}

bool MayTakeVariableAway(const Expected& expected, const v1::Mutation& mutation) {
  const auto sets_any = [&](const std::string& group) {
    const auto found = expected.groups().find(group);
    return found != expected.groups().end() && !found->second.variables.empty();
  };
  return mutation.update_settings().unset_variables_size() > 0 ||
         mutation.update_host().unset_variables_size() > 0 ||
         mutation.set_group().unset_variables_size() > 0 ||
         (mutation.set_group().has_selector() && sets_any(mutation.set_group().name())) ||
         (mutation.has_delete_group() && sets_any(mutation.delete_group().name()));
}

}  // namespace

const std::vector<std::string>& SomeMacs() {
  static const auto* const macs =
      new std::vector<std::string>{"52:54:00:00:00:0a", "52:54:00:00:00:0b", "52:54:00:00:00:0c",
                                   "52:54:00:00:00:0d", "52:54:00:00:00:0e"};
  return *macs;
}

v1::ApplyRequest RandomRequest(Random& random, const Expected& expected, int64_t now) {
  v1::ApplyRequest request;
  request.mutable_options()->set_validate_only(random.OneIn(8));
  // Locked hosts are changed then, and templates may use variables that nobody sets.
  const bool force = random.OneIn(2);
  request.mutable_options()->set_force(force);
  const int mutations = 1 + random.Below(3);
  for (int i = 0; i < mutations; ++i)
    FillMutation(random, expected, now, force, *request.add_mutations());
  // From whom is server/plan's, too.
  if (NeedsVariables(expected) &&
      std::any_of(request.mutations().begin(), request.mutations().end(),
                  [&](const auto& one) { return MayTakeVariableAway(expected, one); })) {
    request.mutable_options()->set_force(true);
  }
  if (random.OneIn(5)) {
    FillEtag(random, expected, *request.mutable_options()->add_expected_etags());
  }
  return request;
}

}  // namespace autopxe::tests
