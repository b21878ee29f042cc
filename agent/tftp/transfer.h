#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "agent/tftp/options.h"
#include "agent/tftp/packet.h"

namespace autopxe::agent::tftp {

// What is sent to an address that may be forged has at most so many times the bytes of what has
// come from it.
inline constexpr size_t kAmplification = 3;

// The server's side of one read, as a state machine: what came and the time go in, what is to be
// sent goes out through Output. Pure: it reads no clock and holds no bytes of the file. Blocks are
// counted from 0 here, without end; on the wire they begin at 1 and wrap to 0.
//
// What it never does:
// - answer an acknowledgement that it has seen before: that doubles every packet to the end, as the
//   sorcerer's apprentice (RFC 1123, 4.2.3.1);
// - believe an acknowledgement of a block that was not sent;
// - send more than Limits::packets_before_first_ack for a request to an address that has not
//   answered yet; nor, where options are acknowledged, more than three times the request's bytes;
//   nor, where all are refused, more than one block.
//
// Its timer is that of RFC 6298: the round trip, smoothed, and four times its variation, from those
// packets only that were sent once (Karn); doubled by each time-out. A client that asks for a
// time-out of its own (RFC 2349) has that instead.
//
// In a window (RFC 7440) an acknowledgement of less than what was sent tells of a gap: the client
// has thrown away what came behind it, and that is sent again. But firmware answers each block that
// it gets out of turn, and each that it gets twice (edk2's Mtftp4Dxe), so what comes while a gap is
// being filled may be the answer to a copy: to send again for each would double every window to the
// end. It only raises a suspicion: if a round trip later there is no progress, which there is when
// nothing is missing, the blocks are sent again without waiting for the time-out. The same holds
// for an acknowledgement that comes twice, as when the first block of a window was lost, as long as
// nothing was sent twice lately. For each block that may be missing this happens once.
class Transfer {
 public:
  // Of a monotonic clock; only differences matter.
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  struct Output {
    // Reads `count` blocks from `first` on, or those up to the last, which is shorter than the
    // block size, and sends each as DATA with its WireNumber(). Returns the length of their
    // payloads together: less than `count` whole blocks only if the last is among them. May be
    // called again for any block that is not acknowledged yet. What it can't send counts as lost.
    // Errors: what is wrong with the content; the transfer fails with it.
    std::function<absl::StatusOr<uint64_t>(uint64_t first, uint64_t count)> send_blocks;

    // Sends a packet that is complete.
    std::function<void(absl::string_view packet)> send_packet;
  };

  struct Limits {
    // Until the peer has answered, its address may be forged.
    int packets_before_first_ack = 3;
    Duration first_ack_within = std::chrono::seconds(30);

    // Between a packet and its repetition: until a round trip was measured (RFC 6298, 2.1); the
    // least beyond the round trip, however steady that is; and the most that it is doubled to. RFC
    // 6298 wants a second at the least, for the sake of acknowledgements that wait for data to go
    // with: TFTP's never do, and a repetition too many is not answered with more of them.
    Duration timeout = std::chrono::seconds(1);
    Duration min_margin = std::chrono::milliseconds(100);
    Duration max_timeout = std::chrono::seconds(8);

    // How long the answer to a gap that is only suspected may be late: less, for its client is
    // known to be there.
    Duration min_gap_margin = std::chrono::milliseconds(10);

    // Without progress.
    int repetitions = 10;
    Duration stalled_for = std::chrono::seconds(60);
  };

  // `request_bytes` is the length of the request. Does nothing before Start().
  Transfer(NegotiatedOptions options, size_t request_bytes, const Limits& limits, Output output);

  // Sends the OACK, or else the first block.
  void Start(TimePoint now);

  void OnAcknowledgement(uint16_t number, TimePoint now);

  // The peer gave up.
  void OnError(const ErrorPacket& error);

  // To be called at deadline(), or later; earlier it does nothing.
  void OnTimeout(TimePoint now);

  // The request came again: its answer was lost. Sends it once more, unless the peer has answered
  // already.
  void OnRepeatedRequest(TimePoint now);

  // Ends it with `status`, which the peer is told.
  // REQUIRES: !status.ok().
  void Fail(const absl::Status& status);

  bool is_open() const { return state_ == State::kOpen; }
  bool is_finished() const { return state_ == State::kFinished; }

  // Why it failed; OK otherwise. DEADLINE_EXCEEDED: the peer does not answer. CANCELLED: the peer
  // sent an ERROR. Else what Output::send_blocks said.
  const absl::Status& status() const { return status_; }

  // The peer gave up as soon as it had its options: OVMF does, to learn a file's size (`tsize`)
  // before it asks again.
  bool was_probe() const { return was_probe_; }

  // When OnTimeout() is due. REQUIRES: is_open().
  TimePoint deadline() const { return std::min(deadline_, gap_deadline_.value_or(deadline_)); }

  // The peer has answered at least once.
  bool is_answered() const { return is_answered_; }

  // No progress for at least one time-out.
  bool is_stalled() const { return repetitions_ > 0; }

  // When there was progress last. REQUIRES: it was started.
  TimePoint progressed() const { return progressed_; }

  // Blocks that the peer has; everything before them can be forgotten.
  uint64_t acknowledged_blocks() const { return acknowledged_; }

  // Payload bytes that the peer has acknowledged.
  uint64_t acknowledged_bytes() const;

  static uint16_t WireNumber(uint64_t index) { return static_cast<uint16_t>(index + 1); }

 private:
  enum class State { kOpen, kFinished, kFailed };

  bool has_oack() const { return !options_.acknowledged.empty(); }
  // The client's own, or what the round trips say; never backed off.
  Duration Timeout() const;
  // The round trip, with what it may vary by or at least `margin`. REQUIRES: one was measured.
  Duration RoundTripWith(Duration margin) const;

  // Whether an address that may be forged can get a packet of so many bytes; it counts as sent
  // then.
  bool MayAnswer(size_t bytes);
  void SendAnswer(TimePoint now);
  // Sends the blocks from next_ on that the window has room for.
  void SendWindow(TimePoint now);
  // Sends a whole window from what is acknowledged on.
  void Restart(TimePoint now);
  // An acknowledgement that was seen before.
  void OnKnownAcknowledgement(TimePoint now);
  // Restarts in a while, unless there is progress.
  void SuspectGap(TimePoint now);
  // Until the next time-out; not longer than a client that is stalled is waited for.
  void WaitForProgress(TimePoint now);
  void Progress(TimePoint now);
  // What is sent from now on could be answered to its copy: RFC 6298, 3.
  void ForgetSample() { sample_ends_at_ = 0; }
  void TakeSample(TimePoint now);
  void End(absl::Status status);

  const NegotiatedOptions options_;
  const Limits limits_;
  const Output output_;

  State state_ = State::kOpen;
  absl::Status status_;
  bool is_answered_ = false;
  bool was_probe_ = false;

  // Blocks, from 0: acknowledged_ <= next_ <= sent_ <= acknowledged_ + options_.window_size.
  uint64_t acknowledged_ = 0;  // How many the peer has.
  uint64_t next_ = 0;          // The next to send: behind sent_ while blocks are sent again.
  uint64_t sent_ = 0;          // How many were ever sent.
  // Until this many are acknowledged, a gap is the one that is known already.
  uint64_t recovered_at_ = 0;
  // Until this many are, an acknowledgement that comes twice may be the answer to a copy of ours.
  uint64_t copies_answered_at_ = 0;
  // When what is missing for all we know is sent again; unset if nothing is, or if it was already.
  absl::optional<TimePoint> gap_deadline_;
  bool suspected_ = false;         // Since the last progress.
  absl::optional<uint64_t> last_;  // The index of the last block, once it was met.
  uint64_t last_bytes_ = 0;        // Its payload.

  // Blocks under way at once: halved by each time-out, whole again with progress.
  uint64_t window_;

  TimePoint started_;
  TimePoint progressed_;
  TimePoint sent_at_;  // The last time that blocks were.
  TimePoint deadline_;
  Duration timeout_;     // Between the last packet and its repetition; backed off.
  int repetitions_ = 0;  // Since the last progress.

  // What may still be sent before the first ACK.
  int answers_left_;
  size_t answer_bytes_left_;
  const size_t request_bytes_;

  // The round trip that is being measured: from sampled_at_ until as many blocks are acknowledged;
  // 0 if none is. An OACK counts as a block of its own, and ends at 1.
  uint64_t sample_ends_at_ = 0;
  TimePoint sampled_at_;
  // RFC 6298's SRTT and RTTVAR; unset before the first measurement.
  absl::optional<Duration> round_trip_;
  Duration variation_ = Duration::zero();
};

}  // namespace autopxe::agent::tftp
