#include "common/wire/host_wire.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "common/wire/field.h"

namespace autopxe {

v1::Host ToProto(const Host& host) {
  v1::Host result;
  result.set_id(static_cast<int64_t>(host.id));
  result.set_name(host.name.text());
  for (const MacAddress& mac : host.macs) result.add_macs(mac.Format());
  if (host.distro.has_value()) result.set_distro(host.distro->Format());
  result.set_etag(host.etag);
  return result;
}

absl::StatusOr<Host> FromProto(const v1::Host& host) {
  RETURN_IF_ERROR(CheckAtLeast("id", host.id(), 1));
  ASSIGN_OR_RETURN(HostName name, ParseField<HostName>("name", host.name()));
  if (host.macs().empty() || static_cast<size_t>(host.macs_size()) > kMaxMacsPerHost) {
    return BadField("macs", absl::StrCat(host.macs_size(), " MACs"),
                    absl::StrCat("expected 1 to ", kMaxMacsPerHost));
  }
  std::vector<MacAddress> macs;
  for (int i = 0; i < host.macs_size(); ++i) {
    ASSIGN_OR_RETURN(const MacAddress mac,
                     ParseField<MacAddress>(Element("macs", i), host.macs(i)));
    if (!macs.empty() && mac <= macs.back()) {
      return BadField(Element("macs", i), host.macs(i), "not above the MAC before it");
    }
    macs.push_back(mac);
  }
  ASSIGN_OR_RETURN(absl::optional<Distro> distro,
                   ParseOptionalField<Distro>("distro", host.distro()));
  RETURN_IF_ERROR(CheckAtLeast("etag", host.etag(), 0));
  return Host{HostId{host.id()}, std::move(name), std::move(macs), std::move(distro), host.etag()};
}

}  // namespace autopxe
