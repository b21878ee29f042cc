#pragma once

#include <string>

#include "absl/status/status.h"

namespace autopxe::server {

// Whether the write-ahead log at `path` is whole up to its last transaction, or not there. SQLite
// reads a log up to the first frame that does not hold and drops the rest without a word, be it a
// thousand transactions that were acknowledged.
//
// A transaction is written only once the one before it has been synced, so after a power failure
// nothing but the last one can be torn: that is no damage. DATA_LOSS if what does not hold (the
// header, or a frame) is followed by a transaction and something more, or if it surely ended a
// transaction itself (or is the header, which is synced first) and is followed by another one.
// Damage of the last transaction is not told from one that was torn; nor is damage of the end of
// the one before it if it takes the frame's salts or size together with its checksum or page.
// Errors besides: UNAVAILABLE if it can't be read.
absl::Status CheckWriteAheadLog(const std::string& path);

}  // namespace autopxe::server
