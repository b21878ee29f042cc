#pragma once

#include <compare>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/mac_address.h"

namespace autopxe {

// A name that has been checked against the rule of its kind. `Rule` is one of the tags below; each
// has a `static absl::Status Check(absl::string_view)`. A value: ordered by its text, hashable.
template <typename Rule>
class Name {
 public:
  // Errors: INVALID_ARGUMENT, naming the text and the rule.
  static absl::StatusOr<Name> Parse(absl::string_view text) {
    if (absl::Status status = Rule::Check(text); !status.ok()) return status;
    return Name(std::string(text));
  }

  const std::string& text() const { return text_; }

  friend auto operator<=>(const Name&, const Name&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Name& name) {
    return H::combine(std::move(h), name.text_);
  }

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

// 1 to 64 letters, digits, '.', '_', '-'; the first one a letter or a digit.
struct ProfileNameRule {
  static absl::Status Check(absl::string_view text);
};
using ProfileName = Name<ProfileNameRule>;

// As a profile's name, but no iPXE setting (boot/ipxe_settings.h lists them; the server's plan
// refuses those, since a template could never reach such a variable).
struct VariableNameRule {
  static absl::Status Check(absl::string_view text);
};
using VariableName = Name<VariableNameRule>;

// As a profile's name.
struct AgentIdRule {
  static absl::Status Check(absl::string_view text);
};
using AgentId = Name<AgentIdRule>;

// As a profile's name.
struct GroupNameRule {
  static absl::Status Check(absl::string_view text);
};
using GroupName = Name<GroupNameRule>;

// The name of a declared distro: as a profile's name, and in no letter case one of the built-in
// distros.
struct DistroNameRule {
  static absl::Status Check(absl::string_view text);
};
using DistroName = Name<DistroNameRule>;

// Drawn by an agent at its start: tells apart two processes with one id. As a profile's name.
struct AgentInstanceRule {
  static absl::Status Check(absl::string_view text);
};
using AgentInstance = Name<AgentInstanceRule>;

// A host's name: labels of letters, digits and inner dashes joined by dots (RFC 1123, section 2.1),
// at most 253 characters, lower case; or, for a host that is known only by its MAC, the MAC as
// MacAddress::Format writes it. Nothing else that resembles a MAC (MacAddress::Resembles) is a
// name, so a word is either a MAC or a name.
struct HostNameRule {
  static absl::Status Check(absl::string_view text);
};
using HostName = Name<HostNameRule>;

// The name of a host that is known only by this MAC.
HostName NameByMac(const MacAddress& mac);

// How people and programs point at a host.
using HostReference = std::variant<MacAddress, HostName>;

// A MAC in any spelling, or a name in any letter case.
// Errors: INVALID_ARGUMENT, naming the text and what a host may be called. What resembles a MAC
// (MacAddress::Resembles) but isn't one gets the MAC's error.
absl::StatusOr<HostReference> ParseHostReference(absl::string_view text);

// The MAC or the name, as it is shown.
std::string FormatHostReference(const HostReference& reference);

// A value that templates insert: up to 1,024 printable ASCII characters, blanks included, without
// "${", which iPXE would expand again. A value: never invalid.
struct VariableValueRule {
  static absl::Status Check(absl::string_view text);
};
using VariableValue = Name<VariableValueRule>;

// A remark of one line: up to 1,024 printable ASCII characters. May be empty.
struct NoteRule {
  static absl::Status Check(absl::string_view text);
};
using Note = Name<NoteRule>;

// An absolute path on an NFS server: "/", or "/" followed by parts of printable ASCII without
// blanks or "${", no ".." part, no trailing '/'. Up to 512 characters.
struct RootfsPathPrefixRule {
  static absl::Status Check(absl::string_view text);
};
using RootfsPathPrefix = Name<RootfsPathPrefixRule>;

}  // namespace autopxe
