#include "common/wire/host_wire.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "common/wire/field.h"
#include "common/wire/labels_wire.h"
#include "common/wire/time_wire.h"
#include "common/wire/variables_wire.h"

namespace autopxe {

namespace {

template <typename Map>
void SetTexts(const Map& values, TextMap& texts) {
  for (const auto& [name, value] : values) texts[name.text()] = value.text();
}

}  // namespace

v1::Host ToProto(const Host& host) {
  v1::Host result;
  ToProto(host, result);
  return result;
}

void ToProto(const Host& host, v1::Host& result) {
  result.set_id(static_cast<int64_t>(host.id));
  result.set_name(host.name.text());
  for (const MacAddress& mac : host.macs) result.add_macs(mac.Format());
  if (host.distro.has_value()) result.set_distro(host.distro->Format());
  if (host.next.has_value()) {
    result.mutable_next_boot()->set_distro(host.next->distro.Format());
    result.mutable_next_boot()->set_token(host.next->token);
  }
  if (host.timed.has_value()) {
    result.mutable_timed()->set_distro(host.timed->distro.Format());
    *result.mutable_timed()->mutable_until() = ToProto(host.timed->until);
  }
  SetTexts(host.labels, *result.mutable_labels());
  SetTexts(host.variables, *result.mutable_variables());
  result.set_note(host.note.text());
  result.set_locked(host.locked);
  result.set_etag(host.etag);
}

absl::StatusOr<Host> FromProto(const v1::Host& host) {
  LastDistro last;
  return FromProto(host, last);
}

absl::StatusOr<Host> FromProto(const v1::Host& host, LastDistro& last) {
  RETURN_IF_ERROR(CheckAtLeast("id", host.id(), 1));
  ASSIGN_OR_RETURN(HostName name, ParseField<HostName>("name", host.name()));
  if (host.macs().empty() || static_cast<size_t>(host.macs_size()) > kMaxMacsPerHost) {
    return BadField("macs", absl::StrCat(host.macs_size(), " MACs"),
                    absl::StrCat("expected 1 to ", kMaxMacsPerHost));
  }
  std::vector<MacAddress> macs;
  macs.reserve(static_cast<size_t>(host.macs_size()));
  for (int i = 0; i < host.macs_size(); ++i) {
    ASSIGN_OR_RETURN(const MacAddress mac, ParseElement<MacAddress>("macs", i, host.macs(i)));
    if (!macs.empty() && mac <= macs.back()) {
      return BadField(Element("macs", i), host.macs(i), "not above the MAC before it");
    }
    macs.push_back(mac);
  }
  if (host.distro() != last.text) {
    ASSIGN_OR_RETURN(last.distro, ParseOptionalField<Distro>("distro", host.distro()));
    last.text = host.distro();
  }
  RETURN_IF_ERROR(CheckAtLeast("etag", host.etag(), 0));
  Host result{.id = HostId{host.id()},
              .name = std::move(name),
              .macs = std::move(macs),
              .distro = last.distro,
              .locked = host.locked(),
              .etag = host.etag()};
  if (host.has_next_boot()) {
    ASSIGN_OR_RETURN(Distro next,
                     ParseField<Distro>("next_boot.distro", host.next_boot().distro()));
    RETURN_IF_ERROR(CheckAtLeast("next_boot.token", host.next_boot().token(), 1));
    result.next = NextBoot{.distro = std::move(next), .token = host.next_boot().token()};
  }
  if (host.has_timed()) {
    ASSIGN_OR_RETURN(Distro timed, ParseField<Distro>("timed.distro", host.timed().distro()));
    ASSIGN_OR_RETURN(const absl::Time until, FromProto(host.timed().until(), "timed.until"));
    result.timed = TimedAssignment{.distro = std::move(timed), .until = until};
  }
  ASSIGN_OR_RETURN(result.labels, LabelsFromProto(host.labels(), "labels"));
  RETURN_IF_ERROR(CheckAtMost("labels", result.labels.size(), kMaxLabelsPerHost));
  ASSIGN_OR_RETURN(result.variables, FromProto(host.variables(), "variables"));
  RETURN_IF_ERROR(CheckAtMost("variables", result.variables.size(), kMaxVariablesPerHost));
  ASSIGN_OR_RETURN(result.note, ParseField<Note>("note", host.note()));
  return result;
}

}  // namespace autopxe
