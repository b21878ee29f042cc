#include "boot/ipxe_settings.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace autopxe {
namespace {

constexpr IpxeSetting kSettings[] = {
    {"asset", true},
    {"board-serial", true},
    {"buildarch", true},
    {"busid", false},
    {"busloc", false},
    {"bustype", true},
    {"cert", false},
    {"chip", true},
    {"cpumodel", true},
    {"cpuvendor", true},
    {"crosscert", true},
    {"cwduri", true},
    {"cwuri", true},
    {"dhcp-server", false},
    {"dns", false},
    {"dns6", false},
    {"dnssl", true},
    {"domain", true},
    {"errno", false},
    {"filename", true},
    {"gateway", false},
    {"gateway6", false},
    {"hostname", true},
    {"ifname", true},
    {"initiator-iqn", true},
    {"ip", false},
    {"ip6", false},
    {"keep-san", false},
    {"key", true},
    {"keymap", true},
    {"len6", false},
    {"linktype", true},
    {"mac", false},
    {"manufacturer", true},
    {"memsize", false},
    {"mtu", false},
    {"netmask", false},
    {"next-server", false},
    {"no-pxedhcp", false},
    {"password", true},
    {"platform", true},
    {"priority", false},
    {"privkey", false},
    {"product", true},
    {"reverse-password", true},
    {"reverse-username", true},
    {"root-path", true},
    {"san-drive", false},
    {"san-filename", true},
    {"scriptlet", true},
    {"serial", true},
    {"skip-san-boot", false},
    {"ssid", true},
    {"status6", false},
    {"syslog", false},
    {"syslog6", false},
    {"syslogs", true},
    {"trust", false},
    {"unixtime", false},
    {"use-cached", false},
    {"user-class", true},
    {"username", true},
    {"uuid", false},
    {"vendor-class", true},
    {"version", true},
    {"vlan", false},
    {"vram", false},
};

const IpxeSetting* Find(absl::string_view name) {
  const auto* found = std::lower_bound(
      std::begin(kSettings), std::end(kSettings), name,
      [](const IpxeSetting& setting, absl::string_view text) { return setting.name < text; });
  return found != std::end(kSettings) && found->name == name ? found : nullptr;
}

bool IsNumber(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "0x") || absl::ConsumePrefix(&text, "0X")) {
    return std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
  }
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

absl::Span<const IpxeSetting> IpxeSettings() { return kSettings; }

bool IsIpxeSetting(absl::string_view name) {
  if (Find(name) != nullptr) return true;
  // Of nearly every name: it is no number, nor several.
  if (!name.empty() && name.front() != '.' &&
      !absl::ascii_isdigit(static_cast<unsigned char>(name.front()))) {
    return false;
  }
  // iPXE reads each part between dots with strtoul, to which an empty one is 0.
  for (const absl::string_view part : absl::StrSplit(name, '.')) {
    if (!IsNumber(part)) return false;
  }
  return true;
}

std::string FormatIpxeReference(absl::string_view name) {
  const size_t colon = name.find(':');
  if (colon != absl::string_view::npos) {
    absl::string_view stem = name.substr(0, colon);
    if (name.substr(colon + 1) == "string") return absl::StrCat("${", stem, ":uristring}");
    return absl::StrCat("${", name, "}");
  }
  const size_t slash = name.rfind('/');
  const IpxeSetting* setting =
      Find(slash == absl::string_view::npos ? name : name.substr(slash + 1));
  if (setting != nullptr && setting->is_text) return absl::StrCat("${", name, ":uristring}");
  return absl::StrCat("${", name, "}");
}

}  // namespace autopxe
