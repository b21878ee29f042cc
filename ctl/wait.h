#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autopxe/v1/agent.pb.h"
#include "ctl/client.h"

namespace autopxe::ctl {

// What keeps `agents` from all serving `revision`: the first connected one that does not, in words;
// empty if there is none.
std::string WhoLacks(const v1::ListAgentsResponse& agents, const v1::RevisionId& revision);

// Waits until every agent that is connected serves `revision` or a later one. Without any, says so
// through `warn` and waits no longer. Errors: DEADLINE_EXCEEDED: not within `limit`, naming an
// agent; those of Client.
absl::Status WaitUntilServed(Client& client, const v1::RevisionId& revision, absl::Duration limit,
                             const std::function<void(absl::string_view)>& warn);

}  // namespace autopxe::ctl
