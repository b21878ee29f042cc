#pragma once

#include <string>

#include "autopxe/v1/configuration.pb.h"

namespace autopxe::ctl {

// What a change did, for people: a line for each difference, hosts alike folded into one and a
// bounded number of them however many hosts differ, and the revision. Ends in a newline.
std::string ChangeText(const v1::ApplyResponse& response, bool is_dry_run);

}  // namespace autopxe::ctl
