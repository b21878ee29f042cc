#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "bench/reference.h"

namespace autopxe::bench {

// The client's side of one read by TFTP (RFC 1350 with the options of RFCs 2348, 2349 and 7440), as
// a state machine: packets and the time go in, the packet that is to be sent comes out. Shares no
// code with the server that it measures, and distrusts it: what was not asked for, or differs from
// the reference, fails the read.
//
// Like firmware's it repeats its last packet when nothing comes for a fixed time, and answers what
// comes twice, since its own answer may have been lost. A gap in a window (RFC 7440) is told of
// once for each time that the blocks behind it come by.
class TftpRead {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  struct Options {
    // 0: not asked for.
    uint32_t block_size = 0;
    uint32_t window_size = 0;
    bool ask_size = false;

    Duration timeout = std::chrono::seconds(1);
    int repetitions = 10;  // Of one packet, without progress.
  };

  // `reference` must outlive it.
  TftpRead(absl::string_view path, const Options& options, const Reference* reference);

  // What these three return is to be sent, and holds until the next call. Empty: nothing.
  absl::string_view Start(TimePoint now);
  absl::string_view OnPacket(absl::string_view bytes, TimePoint now);
  // Does nothing before deadline().
  absl::string_view OnTimeout(TimePoint now);

  bool is_open() const { return !ended_.has_value(); }
  // REQUIRES: !is_open(). DEADLINE_EXCEEDED: nothing comes any more. UNAVAILABLE: the server
  // knows nothing of the transfer, as one that was started again. ABORTED: it sent another ERROR.
  // DATA_LOSS: what came is not what should have.
  const absl::Status& status() const { return *ended_; }

  TimePoint deadline() const { return deadline_; }
  uint64_t bytes() const { return bytes_; }
  // How many packets it sent again because nothing came.
  uint64_t resent() const { return resent_; }
  // How many blocks came that it had.
  uint64_t repeated() const { return repeated_; }

 private:
  absl::string_view Send(TimePoint now);
  absl::string_view Acknowledge(TimePoint now);
  absl::string_view Fail(absl::Status status, int error_code);
  absl::string_view OnData(uint16_t number, absl::string_view payload, TimePoint now);
  absl::string_view OnOptions(absl::string_view options, TimePoint now);
  absl::string_view OnOtherBlock(uint64_t index, TimePoint now);

  const Options options_;
  const Reference* const reference_;
  std::string packet_;  // The last one sent.
  absl::optional<absl::Status> ended_;
  TimePoint deadline_;
  int repetitions_ = 0;

  bool is_answered_ = false;
  uint64_t block_size_ = 512;
  uint64_t window_size_ = 1;
  absl::optional<uint64_t> size_;  // As the server says.

  uint64_t blocks_ = 0;  // That came in turn: the next one is blocks_ + 1.
  uint64_t bytes_ = 0;
  uint64_t unacknowledged_ = 0;  // Of these blocks.
  // The last block out of turn since there was progress. One that is not behind it begins another
  // pass.
  absl::optional<uint64_t> other_;

  uint64_t resent_ = 0;
  uint64_t repeated_ = 0;
};

}  // namespace autopxe::bench
