#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe {

// The names that a hostlist's parts come to, as written, and once more those behind its '!'.
inline constexpr size_t kMaxHostlistNames = 100000;
// Octets of one name: as long as a host's name can be (RFC 1035, section 2.3.4).
inline constexpr size_t kMaxHostlistName = 253;
// Octets of the text: room for as many names as there may be, each as long as it may be.
inline constexpr size_t kMaxHostlistText = kMaxHostlistNames * (kMaxHostlistName + 3);

// The names of several hosts, as clusters write them (ClusterShell, SLURM): "cn[001-128,200]",
// "rack[1-4]-n[01-16].example.org,login1", "cn[1-10]!cn[3-4]". A value: never holds a name twice.
// What a host may be called is not judged here but by HostReference.
//
//   hostlist = part { ( "," | "!" ) part }       left to right: "," adds names, "!" takes them out
//   part     = { character | "[" range { "," range } "]" }      at least one
//   range    = number [ "-" number [ "/" step ] ]
//
// Every combination of a part's brackets is a name, the last bracket turning fastest. A number is
// of 18 digits at most. Numbers keep their leading zeros: "[01-100]" is 01 to 99 and then 100;
// where both ends have as many digits, so have all between them. A character is printable ASCII,
// no blank, and none of ClusterShell's other signs ("@&^*?").
class Hostlist {
 public:
  // The names, in the order in which they are first mentioned. A MAC stands for itself: brackets
  // count in decimal, so none may write a MAC (MacAddress::Resembles).
  // Errors: INVALID_ARGUMENT, naming the text, what is wrong with it and where, and what is
  // expected; also for more than kMaxHostlistNames, before any name is written out, and for text
  // that leaves no name.
  static absl::StatusOr<Hostlist> Parse(absl::string_view text);

  // These, each once. Names that Parse could not have given are kept; but then Parse does not read
  // what Format writes.
  static Hostlist Of(std::vector<std::string> names);

  const std::vector<std::string>& names() const { return names_; }

  // The shortest usual form, for people: names that differ in digits only are folded into brackets,
  // numbers last to first, so that racks that hold the same stand together
  // ("rack[1-2]-n[01-16],rack3-n[01-08]"). Depends on the set of names alone. In natural order
  // (digits by their number, and a shorter number before a padded one); MACs last, never folded.
  // Parse gives the same set again, as does ClusterShell. "" when there are no names.
  std::string Format() const;

  // The same for a sentence: what would be longer than about `length` is cut behind a comma and
  // ends in "...", and Parse does not read it then.
  std::string FormatShort(size_t length) const;

 private:
  explicit Hostlist(std::vector<std::string> names) : names_(std::move(names)) {}

  std::vector<std::string> names_;
};

}  // namespace autopxe
