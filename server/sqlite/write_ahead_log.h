#pragma once

#include <string>

#include "absl/status/status.h"

namespace autopxe::server {

// Whether the write-ahead log at `path` is whole up to its last transaction, or not there. SQLite
// reads a log up to the first frame that does not hold and drops the rest without a word, be it a
// thousand transactions that were acknowledged.
//
// A transaction is written only once the one before it has been synced, so after a power failure
// nothing but the last one can be torn: that is no damage. DATA_LOSS if a frame that does not hold
// is followed by a transaction and something more. Errors besides: UNAVAILABLE if it can't be read.
absl::Status CheckWriteAheadLog(const std::string& path);

}  // namespace autopxe::server
