#pragma once

#include <string>

#include "absl/status/status.h"
#include "ctl/client.h"

namespace autopxe::ctl {

// Whether `agent` has ever reported, and was not deleted since.
// Errors: NOT_FOUND, saying what to do next; those of Client.
absl::Status CheckAgentKnown(Client& client, const std::string& agent);

}  // namespace autopxe::ctl
