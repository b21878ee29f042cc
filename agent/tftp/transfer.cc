#include "agent/tftp/transfer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace autopxe::agent::tftp {
namespace {

// RFC 6298, 2.2 and 2.3.
constexpr int kVariationShare = 4;
constexpr int kRoundTripShare = 8;
constexpr int kVariations = 4;

// What the peer is told; never the system's own text, which could name a path.
absl::string_view TextFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kDataLoss:
      return "the file was changed while it was sent; ask again";
    case absl::StatusCode::kResourceExhausted:
      return "too many transfers at once; ask again";
    case absl::StatusCode::kCancelled:
      return "the server shuts down; ask again later";
    default:
      return "the file can't be read";
  }
}

}  // namespace

Transfer::Transfer(NegotiatedOptions options, size_t request_bytes, const Limits& limits,
                   Output output)
    : options_(std::move(options)),
      limits_(limits),
      output_(std::move(output)),
      window_(options_.window_size),
      timeout_(options_.timeout.has_value() ? Duration(*options_.timeout) : limits.timeout),
      // Who offers options takes an answer of any length for one: it is not sent again unless it
      // is asked for again, which such a client does.
      answers_left_(options_.all_refused ? 1 : limits.packets_before_first_ack),
      answer_bytes_left_(kAmplification * request_bytes),
      request_bytes_(request_bytes) {}

Transfer::Duration Transfer::Timeout() const {
  if (options_.timeout.has_value()) return *options_.timeout;
  if (!round_trip_.has_value()) return limits_.timeout;
  return RoundTripWith(limits_.min_margin);
}

Transfer::Duration Transfer::RoundTripWith(Duration margin) const {
  return std::min(*round_trip_ + std::max(kVariations * variation_, margin), limits_.max_timeout);
}

void Transfer::Start(TimePoint now) {
  started_ = progressed_ = now;
  deadline_ = std::min(now + timeout_, started_ + limits_.first_ack_within);
  SendAnswer(now);
  if (has_oack() && is_open()) {
    sample_ends_at_ = 1;
    sampled_at_ = now;
  }
}

bool Transfer::MayAnswer(size_t bytes) {
  if (answers_left_ == 0) return false;
  // Who gets DATA at once has had none of his options acknowledged, and its first block has the
  // length that RFC 1350 gives it.
  if (has_oack()) {
    if (bytes > answer_bytes_left_) return false;
    answer_bytes_left_ -= bytes;
  }
  --answers_left_;
  return true;
}

void Transfer::SendAnswer(TimePoint now) {
  if (has_oack()) {
    const std::string packet = BuildOptionAcknowledgement(options_.acknowledged);
    if (MayAnswer(packet.size())) output_.send_packet(packet);
  } else if (MayAnswer(kDataHeaderBytes + options_.block_size)) {
    // Without options the window is one block.
    next_ = 0;
    SendWindow(now);
  }
}

void Transfer::SendWindow(TimePoint now) {
  const uint64_t end =
      std::min(acknowledged_ + window_, last_.has_value() ? *last_ + 1 : acknowledged_ + window_);
  if (next_ >= end) return;
  const absl::StatusOr<uint64_t> bytes = output_.send_blocks(next_, end - next_);
  if (!bytes.ok()) return Fail(bytes.status());
  sent_at_ = now;
  if (*bytes < (end - next_) * options_.block_size) {
    last_ = next_ + *bytes / options_.block_size;
    last_bytes_ = *bytes % options_.block_size;
    next_ = *last_ + 1;
  } else {
    next_ = end;
  }
  if (next_ <= sent_) return;
  if (sample_ends_at_ == 0) {
    sample_ends_at_ = sent_ + 1;
    sampled_at_ = now;
  }
  sent_ = next_;
}

void Transfer::TakeSample(TimePoint now) {
  // Packets that were read at once are told the time at which they were, which may be before what
  // one of them had sent.
  const Duration sample = std::max(Duration::zero(), now - sampled_at_);
  if (round_trip_.has_value()) {
    const Duration error = sample > *round_trip_ ? sample - *round_trip_ : *round_trip_ - sample;
    variation_ += (error - variation_) / kVariationShare;
    *round_trip_ += (sample - *round_trip_) / kRoundTripShare;
  } else {
    round_trip_ = sample;
    variation_ = sample / 2;
  }
  ForgetSample();
  timeout_ = Timeout();
}

void Transfer::OnAcknowledgement(uint16_t number, TimePoint now) {
  if (!is_open()) return;
  if (has_oack() && !is_answered_) {
    if (number != 0) return;  // Only the OACK was sent.
    if (sample_ends_at_ != 0) TakeSample(now);
    Progress(now);
    return SendWindow(now);
  }
  // How far it is ahead of what is acknowledged, modulo 2^16: what was seen before is 0 or far
  // beyond the window.
  const auto ahead = static_cast<uint16_t>(number - static_cast<uint16_t>(acknowledged_));
  if (ahead > sent_ - acknowledged_) return;
  if (ahead == 0) return OnKnownAcknowledgement(now);
  acknowledged_ += ahead;
  if (sample_ends_at_ != 0 && acknowledged_ >= sample_ends_at_) TakeSample(now);
  Progress(now);
  if (last_.has_value() && acknowledged_ > *last_) {
    state_ = State::kFinished;
    return;
  }
  if (acknowledged_ >= recovered_at_ && acknowledged_ < sent_) return Restart(now);
  const bool may_lack_more = acknowledged_ < sent_;
  next_ = std::max(next_, acknowledged_);
  SendWindow(now);
  if (may_lack_more) SuspectGap(now);
}

void Transfer::Restart(TimePoint now) {
  // Whole, even after time-outs: the client is there, and acknowledges when it has a whole window.
  window_ = options_.window_size;
  ForgetSample();
  next_ = acknowledged_;
  SendWindow(now);  // What is new among it was sent once, and is measured.
  recovered_at_ = sent_;
  copies_answered_at_ = sent_ + options_.window_size;
}

void Transfer::OnKnownAcknowledgement(TimePoint now) {
  if (!is_answered_) return;
  if (repetitions_ > 0 && now - sent_at_ >= Timeout()) {
    // While our own wait is long by now, the client has waited as well and asks for what it lacks.
    WaitForProgress(now);
    return Restart(now);
  }
  // The first block that is missing is lost, or its copy is, unless it is a copy that is answered.
  // Of single blocks only those are acknowledged twice.
  const bool is_filling_gap = acknowledged_ < recovered_at_;
  if (options_.window_size > 1 && (is_filling_gap || acknowledged_ >= copies_answered_at_)) {
    SuspectGap(now);
  }
}

void Transfer::WaitForProgress(TimePoint now) {
  deadline_ = std::min(now + timeout_, progressed_ + limits_.stalled_for);
}

void Transfer::SuspectGap(TimePoint now) {
  if (!is_open() || suspected_ || !round_trip_.has_value()) return;
  suspected_ = true;
  gap_deadline_ = now + RoundTripWith(limits_.min_gap_margin);
}

void Transfer::OnError(const ErrorPacket& error) {
  if (!is_open()) return;
  was_probe_ = has_oack() && !is_answered_;
  End(absl::CancelledError(absl::StrCat("the peer sent error ", error.code, " \"",
                                        absl::CHexEscape(error.text.substr(0, kMaxErrorTextBytes)),
                                        "\"")));
}

void Transfer::OnTimeout(TimePoint now) {
  if (!is_open() || now < deadline()) return;
  if (gap_deadline_.has_value() && now >= *gap_deadline_) {
    gap_deadline_.reset();
    WaitForProgress(now);
    return Restart(now);
  }
  if (!is_answered_) {
    // One wait more than packets: the answer to the last may still be under way.
    if (repetitions_ >= limits_.packets_before_first_ack - 1 ||
        now - started_ >= limits_.first_ack_within) {
      return End(absl::DeadlineExceededError("the peer never answered"));
    }
    ++repetitions_;
    ForgetSample();
    timeout_ *= 2;
    deadline_ = std::min(now + timeout_, started_ + limits_.first_ack_within);
    return SendAnswer(now);
  }
  if (repetitions_ >= limits_.repetitions || now - progressed_ >= limits_.stalled_for) {
    return End(absl::DeadlineExceededError("the peer stopped answering"));
  }
  ++repetitions_;
  timeout_ = std::min(2 * timeout_, std::max(limits_.max_timeout, Timeout()));
  gap_deadline_.reset();
  WaitForProgress(now);
  window_ = std::max<uint64_t>(1, window_ / 2);
  recovered_at_ = sent_;
  copies_answered_at_ = sent_ + options_.window_size;
  ForgetSample();
  next_ = acknowledged_;
  SendWindow(now);
  ForgetSample();
}

void Transfer::OnRepeatedRequest(TimePoint now) {
  if (!is_open() || is_answered_) return;
  // A request like the first, which one more answer is for.
  ++answers_left_;
  answer_bytes_left_ += kAmplification * request_bytes_;
  ForgetSample();
  SendAnswer(now);
  // Measured from a packet that was sent twice it would be too long.
  ForgetSample();
}

void Transfer::Fail(const absl::Status& status) {
  if (!is_open()) return;
  const std::string packet = BuildError(ErrorCode::kNotDefined, TextFor(status));
  if (is_answered_ || MayAnswer(packet.size())) output_.send_packet(packet);
  End(status);
}

void Transfer::Progress(TimePoint now) {
  is_answered_ = true;
  progressed_ = now;
  // As far as it was backed off, until something is answered that was sent only once (RFC 6298,
  // 5.7); but never for what the client has asked for itself.
  if (options_.timeout.has_value()) timeout_ = *options_.timeout;
  repetitions_ = 0;
  suspected_ = false;
  gap_deadline_.reset();
  deadline_ = now + timeout_;
  // Whole at once: the client acknowledges when it has a whole window, so a smaller one would wait
  // for the client's own time-out each time.
  window_ = options_.window_size;
}

void Transfer::End(absl::Status status) {
  state_ = State::kFailed;
  status_ = std::move(status);
}

uint64_t Transfer::acknowledged_bytes() const {
  if (last_.has_value() && acknowledged_ > *last_)
    return *last_ * options_.block_size + last_bytes_;
  return acknowledged_ * options_.block_size;
}

}  // namespace autopxe::agent::tftp
