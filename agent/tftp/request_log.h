#pragma once

#include "absl/strings/string_view.h"
#include "agent/tftp/open_transfer.h"
#include "common/model/ip_endpoint.h"

// The log's line for a request that is done:
// event=request protocol=tftp host= client= path= result= bytes= duration_ms= [error=]
namespace autopxe::agent::tftp {

// A request that was not answered with a file. `error` may be empty: there is nothing to add to
// `result`.
void LogRefused(const IpEndpoint& client, absl::string_view path, absl::string_view result,
                absl::string_view error);

// A transfer that has ended by itself: its result is that of the content, such as "menu", or else
// "probe" (OVMF has learnt the size, and will ask again), "aborted" (by the client), "timeout",
// "changed" (the file) or "failed". The last three are warnings, but for the time-out of one that
// was never answered.
void LogEnded(const OpenTransfer& transfer);

// One that was ended from outside.
void LogEnded(const OpenTransfer& transfer, absl::string_view result);

}  // namespace autopxe::agent::tftp
