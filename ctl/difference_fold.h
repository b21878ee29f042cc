#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "autopxe/v1/configuration.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace autopxe::ctl {

// How one resource, or several hosts alike, differ from what they were. Texts for people.
struct FoldedDifference {
  std::string subject;  // "host web1", "128 hosts cn[001-128]", "settings".
  std::string field;    // "distro".
  // Nothing for none, "(empty)" for what is there and empty, "(various)" for hosts that differ in
  // it.
  std::string before;
  std::string after;
};

// How many lines a field of hosts may take: more are not read, and 10,000 new hosts have as many
// MACs.
inline constexpr size_t kMaxLinesOfField = 10;

// Hosts of which the same is said are told as one, where the first of them stands. Where a field
// would take more than `max_lines`, hosts are one that have the same after, or else the same
// before, or else have, had or lack a value alike.
std::vector<FoldedDifference> FoldDifferences(
    const google::protobuf::RepeatedPtrField<v1::Difference>& differences,
    size_t max_lines = kMaxLinesOfField);

}  // namespace autopxe::ctl
