#include "agent/catalog/kernel_version.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace autopxe::agent {
namespace {

constexpr absl::string_view kArchitectures[] = {
    "386",    "486",         "586",     "686",     "amd64",       "arm64",    "aarch64",
    "armel",  "armhf",       "armmp",   "armv7",   "armv7l",      "armv7hl",  "i386",
    "i486",   "i586",        "i686",    "loong64", "loongarch64", "mips64el", "mipsel",
    "noarch", "powerpc64le", "ppc64el", "ppc64le", "riscv64",     "s390x",    "x86_64",
};

// Architectures under longer names, and what distributions call their plain kernel.
constexpr absl::string_view kPlain[] = {"686-pae", "armmp-lpae", "default", "generic", "pve"};

template <size_t size>
bool IsOneOf(absl::string_view word, const absl::string_view (&words)[size]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

bool BeginsWithDigit(absl::string_view word) {
  return !word.empty() && absl::ascii_isdigit(static_cast<unsigned char>(word[0]));
}

// "rt7", "rt": the real-time patch set, as RPM's releases have it.
bool IsRealTime(absl::string_view part) {
  return absl::ConsumePrefix(&part, "rt") && std::all_of(part.begin(), part.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c));
         });
}

// The flavour that RPM hides in the release: "45.0.0.54.oe2409.x86_64" has none,
// "362.el9.x86_64+debug" has "debug".
std::string FlavourInRelease(absl::string_view release) {
  const std::vector<absl::string_view> parts = absl::StrSplit(release, '.');
  for (size_t i = 0; i < parts.size(); ++i) {
    if (IsRealTime(parts[i])) return "rt";
    const std::vector<absl::string_view> builds = absl::StrSplit(parts[i], absl::MaxSplits('+', 1));
    if (i == 0 || !IsOneOf(builds[0], kArchitectures)) continue;
    std::vector<absl::string_view> behind(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                          parts.end());
    if (builds.size() > 1) behind.insert(behind.begin(), builds[1]);
    return absl::StrJoin(behind, ".");
  }
  return "";
}

}  // namespace

absl::optional<BootFileName> ParseBootFileName(absl::string_view name) {
  BootFileName::Kind kind;
  if (absl::ConsumePrefix(&name, "vmlinuz-")) {
    kind = BootFileName::Kind::kKernel;
  } else if (absl::ConsumePrefix(&name, "initrd.img-")) {
    kind = BootFileName::Kind::kDebianInitrd;
  } else if (absl::ConsumePrefix(&name, "initramfs-") && absl::ConsumeSuffix(&name, ".img") &&
             !absl::EndsWith(name, "kdump")) {
    kind = BootFileName::Kind::kRpmInitrd;
  } else {
    return absl::nullopt;
  }
  if (name.empty()) return absl::nullopt;
  return BootFileName{kind, std::string(name)};
}

bool IsRescueKernel(absl::string_view version) { return absl::StartsWith(version, "0-rescue"); }

std::string KernelFlavour(absl::string_view version) {
  if (!BeginsWithDigit(version)) return std::string(version);
  const std::vector<absl::string_view> words = absl::StrSplit(version, '-');
  size_t next = 1;
  if (next < words.size() && BeginsWithDigit(words[next]) &&
      !IsOneOf(words[next], kArchitectures)) {
    if (std::string flavour = FlavourInRelease(words[next]); !flavour.empty()) return flavour;
    ++next;
  }
  const std::string rest =
      absl::StrJoin(words.begin() + static_cast<std::ptrdiff_t>(next), words.end(), "-");
  if (IsOneOf(rest, kArchitectures) || IsOneOf(rest, kPlain)) return "";
  return rest;
}

}  // namespace autopxe::agent
