#include "bench/tftp_read.h"

#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace autopxe::bench {
namespace {

constexpr uint16_t kReadRequest = 1;
constexpr uint16_t kData = 3;
constexpr uint16_t kAcknowledgement = 4;
constexpr uint16_t kError = 5;
constexpr uint16_t kOptionAcknowledgement = 6;

constexpr int kIllegalOperation = 4;
constexpr int kUnknownTransfer = 5;
constexpr int kOptionRefused = 8;

void AppendNumber(uint16_t number, std::string& packet) {
  packet.push_back(static_cast<char>(number >> 8));
  packet.push_back(static_cast<char>(number & 0xff));
}

uint16_t NumberAt(absl::string_view bytes, size_t offset) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[offset]) << 8 |
                               static_cast<uint8_t>(bytes[offset + 1]));
}

void AppendText(absl::string_view text, std::string& packet) {
  absl::StrAppend(&packet, text);
  packet.push_back('\0');
}

// The text up to its NUL, which is taken from `bytes`; unset if there is none.
absl::optional<absl::string_view> TakeText(absl::string_view& bytes) {
  const size_t end = bytes.find('\0');
  if (end == absl::string_view::npos) return absl::nullopt;
  const absl::string_view text = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return text;
}

}  // namespace

TftpRead::TftpRead(absl::string_view path, const Options& options, const Reference* reference)
    : options_(options), reference_(reference) {
  AppendNumber(kReadRequest, packet_);
  AppendText(path, packet_);
  AppendText("octet", packet_);
  if (options.block_size != 0) {
    AppendText("blksize", packet_);
    AppendText(absl::StrCat(options.block_size), packet_);
  }
  if (options.window_size != 0) {
    AppendText("windowsize", packet_);
    AppendText(absl::StrCat(options.window_size), packet_);
  }
  if (options.ask_size) {
    AppendText("tsize", packet_);
    AppendText("0", packet_);
  }
}

absl::string_view TftpRead::Start(TimePoint now) { return Send(now); }

absl::string_view TftpRead::OnTimeout(TimePoint now) {
  if (!is_open() || now < deadline_) return "";
  if (repetitions_ == options_.repetitions) {
    ended_ = absl::DeadlineExceededError(
        absl::StrCat("no answer after ", bytes_, " bytes and ", repetitions_, " repetitions"));
    return "";
  }
  ++repetitions_;
  ++resent_;
  return Send(now);
}

absl::string_view TftpRead::OnPacket(absl::string_view bytes, TimePoint now) {
  if (!is_open()) return "";
  if (bytes.size() < 4) {
    return Fail(absl::DataLossError(absl::StrCat("a packet of ", bytes.size(), " bytes")),
                kIllegalOperation);
  }
  const uint16_t opcode = NumberAt(bytes, 0);
  switch (opcode) {
    case kData:
      return OnData(NumberAt(bytes, 2), bytes.substr(4), now);
    case kOptionAcknowledgement:
      return OnOptions(bytes.substr(2), now);
    case kError: {
      absl::string_view rest = bytes.substr(4);
      const uint16_t code = NumberAt(bytes, 2);
      const std::string says = absl::StrCat("ERROR ", code, " ", TakeText(rest).value_or(""));
      ended_ = code == kUnknownTransfer ? absl::UnavailableError(says) : absl::AbortedError(says);
      return "";
    }
    default:
      return Fail(absl::DataLossError(absl::StrCat("a packet of opcode ", opcode)),
                  kIllegalOperation);
  }
}

absl::string_view TftpRead::OnOptions(absl::string_view options, TimePoint now) {
  if (is_answered_) {
    // Again: the acknowledgement of it was lost. Late, if a block has come since.
    ++repeated_;
    return blocks_ == 0 ? Acknowledge(now) : "";
  }
  while (!options.empty()) {
    const auto name = TakeText(options);
    const auto text = TakeText(options);
    uint64_t value = 0;
    if (!name.has_value() || !text.has_value() || !absl::SimpleAtoi(*text, &value)) {
      return Fail(absl::DataLossError("an option without a number"), kOptionRefused);
    }
    bool is_granted = false;
    if (absl::EqualsIgnoreCase(*name, "blksize")) {
      is_granted = 8 <= value && value <= options_.block_size;
      block_size_ = value;
    } else if (absl::EqualsIgnoreCase(*name, "windowsize")) {
      is_granted = 1 <= value && value <= options_.window_size;
      window_size_ = value;
    } else if (absl::EqualsIgnoreCase(*name, "tsize")) {
      is_granted = options_.ask_size && reference_->IsWhole(value);
      size_ = value;
    }
    if (!is_granted) {
      return Fail(
          absl::DataLossError(absl::StrCat("granted what was not asked for: ", *name, " ", *text)),
          kOptionRefused);
    }
  }
  is_answered_ = true;
  repetitions_ = 0;
  return Acknowledge(now);
}

absl::string_view TftpRead::OnData(uint16_t number, absl::string_view payload, TimePoint now) {
  // Without an OACK before it: the server knows no options.
  is_answered_ = true;
  const auto distance = static_cast<int16_t>(number - static_cast<uint16_t>(blocks_ + 1));
  if (distance != 0) {
    // Below 1 is block 0, which nobody sends, or one from far ahead.
    const int64_t index = static_cast<int64_t>(blocks_) + 1 + distance;
    return OnOtherBlock(index < 0 ? 0 : static_cast<uint64_t>(index), now);
  }
  if (payload.size() > block_size_ || !reference_->Matches(bytes_, payload)) {
    return Fail(absl::DataLossError(absl::StrCat("block ", blocks_ + 1, " of ", payload.size(),
                                                 " bytes differs from the reference")),
                kIllegalOperation);
  }
  ++blocks_;
  ++unacknowledged_;
  bytes_ += payload.size();
  repetitions_ = 0;
  other_ = absl::nullopt;
  deadline_ = now + options_.timeout;
  if (payload.size() < block_size_) {
    if (!reference_->IsWhole(bytes_) || size_.value_or(bytes_) != bytes_) {
      return Fail(absl::DataLossError(absl::StrCat("ended after ", bytes_, " bytes")),
                  kIllegalOperation);
    }
    const absl::string_view last = Acknowledge(now);
    ended_ = absl::OkStatus();
    return last;
  }
  return unacknowledged_ >= window_size_ ? Acknowledge(now) : "";
}

absl::string_view TftpRead::OnOtherBlock(uint64_t index, TimePoint now) {
  if (index <= blocks_) ++repeated_;
  const bool is_known = other_.has_value() && index > *other_;
  other_ = index;
  return is_known ? "" : Acknowledge(now);
}

absl::string_view TftpRead::Acknowledge(TimePoint now) {
  packet_.clear();
  AppendNumber(kAcknowledgement, packet_);
  AppendNumber(static_cast<uint16_t>(blocks_), packet_);
  unacknowledged_ = 0;
  return Send(now);
}

absl::string_view TftpRead::Send(TimePoint now) {
  deadline_ = now + options_.timeout;
  return packet_;
}

absl::string_view TftpRead::Fail(absl::Status status, int error_code) {
  packet_.clear();
  AppendNumber(kError, packet_);
  AppendNumber(static_cast<uint16_t>(error_code), packet_);
  AppendText(status.message(), packet_);
  ended_ = std::move(status);
  return packet_;
}

}  // namespace autopxe::bench
