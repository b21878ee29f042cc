#include "agent/net/interface_mtu.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/net/unique_fd.h"

namespace autopxe::agent {
namespace {

// An interface's MTU changes when somebody changes it.
constexpr auto kAskedAgainAfter = std::chrono::seconds(5);

// Containers' interfaces come and go, each with a new number.
constexpr size_t kMaxKnown = 1024;

// Without options; a UDP header has 8 bytes.
constexpr size_t kV4Headers = 20 + 8;
constexpr size_t kV6Headers = 40 + 8;

}  // namespace

absl::StatusOr<size_t> InterfaceMtu(int index) {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  request.ifr_ifindex = index;
  if (!fd.is_open() || ioctl(fd.get(), SIOCGIFNAME, &request) != 0 ||
      ioctl(fd.get(), SIOCGIFMTU, &request) != 0 || request.ifr_mtu < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("can't tell the MTU of interface ", index));
  }
  return static_cast<size_t>(request.ifr_mtu);
}

size_t UdpPayloadIn(size_t mtu, bool is_v4) {
  const size_t headers = is_v4 ? kV4Headers : kV6Headers;
  return mtu > headers ? mtu - headers : 0;
}

absl::optional<size_t> InterfaceMtus::Find(int index, TimePoint now) {
  const auto known = known_.find(index);
  if (known != known_.end() && now - known->second.asked_at < kAskedAgainAfter) {
    return known->second.mtu;
  }
  const absl::StatusOr<size_t> mtu = InterfaceMtu(index);
  const absl::optional<size_t> found = mtu.ok() ? absl::make_optional(*mtu) : absl::nullopt;
  if (known_.size() >= kMaxKnown) known_.clear();
  known_[index] = {found, now};
  return found;
}

}  // namespace autopxe::agent
