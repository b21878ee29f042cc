#pragma once

#include <string>
#include <vector>

namespace autopxe {

// What is wrong with a part of a request: Reason in autopxe/v1/error.proto, value by value.
enum class Reason {
  kMalformed = 1,         // The value does not parse.
  kHostUnknown = 2,       // No such host.
  kProfileUnknown = 3,    // No such profile.
  kDistroNotOffered = 4,  // No agent offers this distro.
  kHostExists = 5,        // Another host has this name or MAC.
  kProfileInUse = 6,      // A host, a group or a setting uses it.
  kEtagMismatch = 7,      // The etag is not the current one.
  kRequestIdReused = 8,   // The request id was used before for another request.
  kBatchInvalid = 9,      // The batch is empty, too large, or contradicts itself.
  kGroupUnknown = 10,     // No such group.
  kHostLocked = 11,       // What a locked host boots would change.
  kVariableUnset = 12,    // A template uses a variable that no host which could boot it would get.
  kDistroUnknown = 13,    // No such declared distro.
  kDistroInUse = 14,      // A host, a group or a setting uses the declared distro.
};

// One thing that is wrong with a request.
struct Problem {
  Reason reason = Reason::kMalformed;
  int mutation = -1;                     // Position in the batch; -1: not one mutation's fault.
  std::string field;                     // Such as "distro".
  std::string value;                     // As it came.
  std::vector<std::string> suggestions;  // What was probably meant, best first.
  std::string message;                   // A sentence for people.

  friend bool operator==(const Problem&, const Problem&) = default;
};

}  // namespace autopxe
