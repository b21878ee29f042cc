#include "agent/net/interface_mtu.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace autopxe::agent {
namespace {

// An interface's MTU changes when somebody changes it.
constexpr auto kAskedAgainAfter = std::chrono::seconds(5);

// Containers' interfaces come and go, each with a new number.
constexpr size_t kMaxKnown = 1024;

// Without options; a UDP header has 8 bytes.
constexpr size_t kV4Headers = 20 + 8;
constexpr size_t kV6Headers = 40 + 8;

constexpr size_t kUsualV4Mtu = 1500;
constexpr size_t kLeastV6Mtu = 1280;

}  // namespace

size_t UsualMtu(bool is_v4) { return is_v4 ? kUsualV4Mtu : kLeastV6Mtu; }

size_t UdpPayloadIn(size_t mtu, bool is_v4) {
  const size_t headers = is_v4 ? kV4Headers : kV6Headers;
  return mtu > headers ? mtu - headers : 0;
}

InterfaceMtus::InterfaceMtus() {
  // A kernel may have only one of them.
  for (const int family : {AF_INET, AF_INET6}) {
    if (!fd_.is_open()) fd_ = UniqueFd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }
}

absl::StatusOr<size_t> InterfaceMtus::Ask(int index) {
  ifreq request = {};
  request.ifr_ifindex = index;
  if (!fd_.is_open() || ioctl(fd_.get(), SIOCGIFNAME, &request) != 0 ||
      ioctl(fd_.get(), SIOCGIFMTU, &request) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("can't tell the MTU of interface ", index));
  }
  if (request.ifr_mtu < 0) {
    return absl::InternalError(
        absl::StrCat("interface ", index, " has an MTU of ", request.ifr_mtu));
  }
  return static_cast<size_t>(request.ifr_mtu);
}

absl::optional<size_t> InterfaceMtus::Find(int index, TimePoint now) {
  const auto known = known_.find(index);
  if (known != known_.end() && now - known->second.asked_at < kAskedAgainAfter) {
    return known->second.mtu;
  }
  const absl::StatusOr<size_t> mtu = Ask(index);
  const absl::optional<size_t> found = mtu.ok() ? absl::make_optional(*mtu) : absl::nullopt;
  if (known_.size() >= kMaxKnown) known_.clear();
  known_[index] = {found, now};
  return found;
}

}  // namespace autopxe::agent
