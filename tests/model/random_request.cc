#include "tests/model/random_request.h"

#include "absl/strings/ascii.h"

namespace autopxe::tests {
namespace {

const std::vector<std::string> kNames = {"alpha", "beta", "gamma"};
const std::vector<std::string> kProfiles = {"nfsrw", "plain", "colour"};
const std::vector<std::string> kTemplates = {
    "root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} ip=dhcp rw", "quiet",
    "colour=${colour} of=${host}"};
const std::vector<std::string> kKernels = {"debian/bookworm/latest", "debian/bookworm/latest",
                                           "debian/trixie/latest", "debian/forky/latest"};
const std::vector<std::string> kBuiltIns = {"local", "menu", "wait"};

std::string SomeDistro(Random& random) {
  if (random.OneIn(4)) return random.Of(kBuiltIns);
  return random.Of(kKernels) + "/" + random.Of(kProfiles);
}

std::string SomeMac(Random& random) {
  const std::string& mac = random.Of(SomeMacs());
  return random.OneIn(3) ? absl::AsciiStrToUpper(mac) : mac;
}

std::string SomeHost(Random& random) {
  return random.OneIn(3) ? random.Of(kNames) : SomeMac(random);
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
      (*update.mutable_set_variables())[random.OneIn(2) ? "nfs-server" : "colour"] =
          random.OneIn(2) ? "172.25.2.11" : "red";
      break;
    case 3:
      update.add_unset_variables(random.OneIn(2) ? "nfs-server" : "colour");
      break;
    case 4:
      update.mutable_menu_timeout()->set_seconds(random.Below(4));
      break;
    default:
      update.set_rootfs_path_prefix(random.OneIn(2) ? "" : "/srv/rootfs");
  }
}

void FillMutation(Random& random, v1::Mutation& mutation) {
  const int kind = random.Below(16);
  if (kind < 6) {
    mutation.mutable_assign()->set_host(SomeHost(random));
    mutation.mutable_assign()->set_distro(SomeDistro(random));
    mutation.mutable_assign()->set_allow_missing(random.OneIn(2));
  } else if (kind < 7) {
    mutation.mutable_unassign()->set_host(SomeHost(random));
  } else if (kind < 9) {
    if (!random.OneIn(4)) mutation.mutable_create_host()->set_name(random.Of(kNames));
    // Neighbours, so that none is named twice.
    const int first = random.Below(static_cast<int>(SomeMacs().size()) - 1);
    const int last = first + random.Below(2);
    for (int i = first; i <= last; ++i)
      mutation.mutable_create_host()->add_macs(SomeMacs()[static_cast<size_t>(i)]);
  } else if (kind < 10) {
    mutation.mutable_delete_host()->set_host(SomeHost(random));
  } else if (kind < 12) {
    mutation.mutable_set_profile()->set_name(random.Of(kProfiles));
    mutation.mutable_set_profile()->set_command_line(random.Of(kTemplates));
  } else if (kind < 13) {
    mutation.mutable_delete_profile()->set_name(random.Of(kProfiles));
  } else {
    FillSettings(random, *mutation.mutable_update_settings());
  }
}

void FillEtag(Random& random, const Expected& expected, v1::ExpectedEtag& etag) {
  int64_t right = expected.settings().etag;
  if (random.OneIn(3)) {
    etag.set_settings(true);
  } else if (random.OneIn(2)) {
    etag.set_profile(random.Of(kProfiles));
    const auto found = expected.profiles().find(etag.profile());
    right = found == expected.profiles().end() ? 0 : found->second.etag;
  } else {
    etag.set_host(SomeHost(random));
    const std::string name = expected.Find(etag.host());
    right = name.empty() ? 0 : expected.hosts().at(name).etag;
  }
  etag.set_etag(random.OneIn(3) ? right + 1 : right);
}

}  // namespace

const std::vector<std::string>& SomeMacs() {
  static const auto* const macs =
      new std::vector<std::string>{"52:54:00:00:00:0a", "52:54:00:00:00:0b", "52:54:00:00:00:0c",
                                   "52:54:00:00:00:0d", "52:54:00:00:00:0e"};
  return *macs;
}

v1::ApplyRequest RandomRequest(Random& random, const Expected& expected) {
  v1::ApplyRequest request;
  const int mutations = 1 + random.Below(3);
  for (int i = 0; i < mutations; ++i) FillMutation(random, *request.add_mutations());
  request.mutable_options()->set_validate_only(random.OneIn(8));
  // Templates may use variables that nobody sets.
  request.mutable_options()->set_force(true);
  if (random.OneIn(5)) {
    FillEtag(random, expected, *request.mutable_options()->add_expected_etags());
  }
  return request;
}

}  // namespace autopxe::tests
