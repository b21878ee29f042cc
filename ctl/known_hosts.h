#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "autopxe/v1/decision.pb.h"
#include "ctl/host_selection.h"
#include "ctl/session.h"

namespace autopxe::ctl {

// What is read of the hosts of a selection: those that are named first, in that order, then those
// of the selector. A selection that selects nothing at all is for every host, but those that it
// takes out.
template <typename Response>
struct Known {
  Response response;                 // Each host once.
  std::vector<std::string> unknown;  // Those named that the server does not know.
};

// Errors: those of ReadNamedHosts and of Client.
absl::StatusOr<Known<v1::ListHostsResponse>> ReadHosts(Session& session,
                                                       const HostSelection& selection);
// The same of what they boot. A MAC that the server does not know is a host that nobody has named.
absl::StatusOr<Known<v1::ListDecisionsResponse>> ReadDecisions(Session& session,
                                                               const HostSelection& selection,
                                                               const std::string& agent);

// What a command that has answered for the others ends with: OK if `unknown` is empty, else
// NOT_FOUND, naming them as a list, and what was meant perhaps.
absl::Status CheckAllKnown(Session& session, const std::vector<std::string>& unknown);

}  // namespace autopxe::ctl
