#pragma once

#include <string>
#include <vector>

#include "autopxe/v1/configuration.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace autopxe::ctl {

// How one resource, or several hosts alike, differ from what they were.
struct FoldedDifference {
  std::string subject;  // "host web1", "128 hosts cn[001-128]", "settings".
  std::string field;    // "distro".
  std::string before;
  std::string after;
};

// Hosts of which the same is said are told as one, where the first of them stands.
std::vector<FoldedDifference> FoldDifferences(
    const google::protobuf::RepeatedPtrField<v1::Difference>& differences);

}  // namespace autopxe::ctl
