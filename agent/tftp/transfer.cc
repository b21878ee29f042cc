#include "agent/tftp/transfer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace autopxe::agent::tftp {
namespace {

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

Transfer::Transfer(NegotiatedOptions options, const Limits& limits, Output output)
    : options_(std::move(options)),
      limits_(limits),
      output_(std::move(output)),
      window_(options_.window_size),
      timeout_(FirstTimeout()) {}

Transfer::Duration Transfer::FirstTimeout() const {
  return options_.timeout.has_value() ? Duration(*options_.timeout) : limits_.timeout;
}

void Transfer::Start(TimePoint now) {
  started_ = progressed_ = now;
  deadline_ = std::min(now + timeout_, started_ + limits_.first_ack_within);
  SendAnswer();
}

void Transfer::SendAnswer() {
  ++answers_;
  if (has_oack()) {
    output_.send_packet(BuildOptionAcknowledgement(options_.acknowledged));
  } else {
    // Without options the window is one block.
    next_ = 0;
    SendWindow();
  }
}

void Transfer::SendWindow() {
  while (next_ < acknowledged_ + window_ && !(last_.has_value() && next_ > *last_)) {
    const absl::StatusOr<size_t> bytes = output_.send_block(next_);
    if (!bytes.ok()) return Fail(bytes.status());
    if (*bytes < options_.block_size) {
      last_ = next_;
      last_bytes_ = *bytes;
    }
    ++next_;
    sent_ = std::max(sent_, next_);
  }
}

void Transfer::OnAcknowledgement(uint16_t number, TimePoint now) {
  if (!is_open()) return;
  if (has_oack() && !is_answered_) {
    if (number != 0) return;  // Only the OACK was sent.
    Progress(now);
    return SendWindow();
  }
  // How far it is ahead of what is acknowledged, modulo 2^16: what was seen before is 0 or far
  // beyond the window.
  const auto ahead = static_cast<uint16_t>(number - static_cast<uint16_t>(acknowledged_));
  if (ahead == 0 || ahead > sent_ - acknowledged_) return;
  acknowledged_ += ahead;
  Progress(now);
  if (last_.has_value() && acknowledged_ > *last_) {
    state_ = State::kFinished;
    return;
  }
  if (acknowledged_ >= recovered_at_ && acknowledged_ < sent_) {
    // A gap that is not known yet: the client has thrown away what came behind it.
    next_ = acknowledged_;
    SendWindow();
    recovered_at_ = sent_;
  } else {
    next_ = std::max(next_, acknowledged_);
    SendWindow();
  }
}

void Transfer::OnError(const ErrorPacket& error) {
  if (!is_open()) return;
  was_probe_ = has_oack() && !is_answered_;
  End(absl::CancelledError(absl::StrCat("the peer sent error ", error.code, " \"",
                                        absl::CHexEscape(error.text.substr(0, kMaxErrorTextBytes)),
                                        "\"")));
}

void Transfer::OnTimeout(TimePoint now) {
  if (!is_open() || now < deadline_) return;
  if (!is_answered_) {
    if (answers_ >= limits_.packets_before_first_ack ||
        now - started_ >= limits_.first_ack_within) {
      return End(absl::DeadlineExceededError("the peer never answered"));
    }
    ++repetitions_;
    timeout_ *= 2;
    deadline_ = std::min(now + timeout_, started_ + limits_.first_ack_within);
    return SendAnswer();
  }
  if (repetitions_ >= limits_.repetitions || now - progressed_ >= limits_.stalled_for) {
    return End(absl::DeadlineExceededError("the peer stopped answering"));
  }
  ++repetitions_;
  timeout_ = std::min(2 * timeout_, std::max(limits_.max_timeout, FirstTimeout()));
  deadline_ = std::min(now + timeout_, progressed_ + limits_.stalled_for);
  window_ = std::max<uint64_t>(1, window_ / 2);
  recovered_at_ = sent_;
  next_ = acknowledged_;
  SendWindow();
}

void Transfer::OnRepeatedRequest() {
  if (is_open() && !is_answered_) SendAnswer();
}

void Transfer::Fail(const absl::Status& status) {
  if (!is_open()) return;
  output_.send_packet(BuildError(ErrorCode::kNotDefined, TextFor(status)));
  End(status);
}

void Transfer::Progress(TimePoint now) {
  is_answered_ = true;
  progressed_ = now;
  repetitions_ = 0;
  timeout_ = FirstTimeout();
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
