#include "common/model/distro.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

constexpr size_t kMaxPart = 128;
constexpr absl::string_view kExpected =
    "expected name/release/kernel/profile, a declared distro's name, or local, menu, wait or "
    "ignore";

constexpr struct {
  absl::string_view text;
  Distro::Kind kind;
} kBuiltIn[] = {
    {"local", Distro::Kind::kLocal},
    {"menu", Distro::Kind::kMenu},
    {"wait", Distro::Kind::kWait},
    {"ignore", Distro::Kind::kIgnore},
};

absl::Status Malformed(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("distro ", Quote(text), ": ", what, "; ", kExpected));
}

}  // namespace

bool Distro::IsPart(absl::string_view part) {
  if (part.empty() || part.size() > kMaxPart) return false;
  if (!absl::ascii_isalnum(static_cast<unsigned char>(part[0]))) return false;
  for (const char c : part) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        absl::string_view("._-+~").find(c) == absl::string_view::npos) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<Distro> Distro::Parse(absl::string_view text) {
  for (const auto& built_in : kBuiltIn) {
    if (text == built_in.text) return Distro(built_in.kind);
  }
  if (text.find('/') == absl::string_view::npos) {
    const absl::StatusOr<DistroName> name = DistroName::Parse(text);
    if (name.ok()) return Declared(*name);
    const absl::string_view why = absl::StripPrefix(name.status().message(), "distro name ");
    return absl::InvalidArgumentError(absl::StrCat("distro ", why, "; ", kExpected));
  }
  // Five at the most: a long text of slashes costs no more than a short one.
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('/', 4));
  if (parts.size() > 4) return Malformed(text, "more than 4 parts");
  if (parts.size() < 4) return Malformed(text, absl::StrCat(parts.size(), " parts"));
  constexpr absl::string_view kNames[] = {"name", "release", "kernel", "profile"};
  for (size_t i = 0; i < 4; ++i) {
    if (!IsPart(parts[i])) {
      return Malformed(
          text, absl::StrCat("the ", kNames[i], " ", Quote(parts[i]),
                             " is not 1 to 128 letters, digits, '.', '_', '-', '+', '~' that begin "
                             "with a letter or a digit"));
    }
  }
  return Distro(Kind::kKernel, {.name = std::string(parts[0]),
                                .release = std::string(parts[1]),
                                .kernel = std::string(parts[2]),
                                .profile = std::string(parts[3])});
}

Distro::Distro(Kind kind, Parts parts)
    : kind_(kind), parts_(std::make_shared<const Parts>(std::move(parts))) {}

Distro Distro::Declared(const DistroName& name) {
  return Distro(Kind::kDeclared, {.name = name.text()});
}

std::strong_ordering operator<=>(const Distro& a, const Distro& b) {
  if (a.kind_ != b.kind_) return a.kind_ <=> b.kind_;
  if (a.parts_ == b.parts_) return std::strong_ordering::equal;
  return *a.parts_ <=> *b.parts_;
}

std::string Distro::Format() const {
  if (kind_ == Kind::kDeclared) return name();
  for (const auto& built_in : kBuiltIn) {
    if (kind_ == built_in.kind) return std::string(built_in.text);
  }
  return absl::StrCat(name(), "/", release(), "/", kernel(), "/", profile());
}

}  // namespace autopxe
