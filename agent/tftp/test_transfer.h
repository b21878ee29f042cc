#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "agent/tftp/options.h"
#include "agent/tftp/packet.h"
#include "agent/tftp/transfer.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {

// For tests: when their clocks begin.
inline constexpr Transfer::TimePoint kBegin = Transfer::TimePoint(std::chrono::hours(1000));

inline std::string Pattern(size_t size) {
  std::string content(size, '\0');
  std::mt19937 random(static_cast<uint32_t>(size));
  for (char& c : content) c = static_cast<char>(random());
  return content;
}

inline NegotiatedOptions Plain() { return {}; }

inline NegotiatedOptions Windowed(uint16_t window, uint16_t block_size = 512) {
  return {.block_size = block_size,
          .window_size = window,
          .timeout = absl::nullopt,
          .acknowledged = {{"windowsize", absl::StrCat(window)}}};
}

// A transfer whose packets are written down in words: "OACK", "1" for the first block, "ERROR ...".
class Recorder {
 public:
  Recorder(NegotiatedOptions options, size_t size, size_t request_bytes = 40)
      : content_(Pattern(size)),
        block_size_(options.block_size),
        transfer(std::move(options), request_bytes, {},
                 {.send_blocks = [this](uint64_t first,
                                        uint64_t count) { return SendBlocks(first, count); },
                  .send_packet = [this](absl::string_view packet) { SendPacket(packet); }}) {}

  // What was sent since the last call.
  std::vector<std::string> Sent() { return std::exchange(sent_, {}); }

  void Ack(uint16_t number) { transfer.OnAcknowledgement(number, now); }

  // Lets the time-out come.
  void TimeOut() {
    now = transfer.deadline();
    transfer.OnTimeout(now);
  }

  size_t blocks_sent() const { return blocks_sent_; }
  size_t packet_bytes() const { return packet_bytes_; }

 private:
  absl::StatusOr<uint64_t> SendBlocks(uint64_t first, uint64_t count) {
    if (!content_status.ok() && first + count > broken_from) return content_status;
    uint64_t bytes = 0;
    for (uint64_t index = first; index < first + count; ++index) {
      sent_.push_back(absl::StrCat(index + 1));
      ++blocks_sent_;
      const uint64_t offset = index * block_size_;
      EXPECT_LE(offset, content_.size()) << "there is no block " << index;
      const size_t length = std::min<size_t>(block_size_, content_.size() - offset);
      bytes += length;
      if (length < block_size_) break;
    }
    return bytes;
  }

  void SendPacket(absl::string_view bytes) {
    packet_bytes_ += bytes.size();
    const auto packet = ParsePacket(bytes);
    ASSERT_THAT(packet, IsOk());
    if (const auto* error = std::get_if<ErrorPacket>(&*packet)) {
      sent_.push_back(absl::StrCat("ERROR ", error->code, " ", error->text));
    } else if (std::holds_alternative<OptionAcknowledgement>(*packet)) {
      sent_.push_back("OACK");
    } else {
      ADD_FAILURE() << "neither OACK nor ERROR";
    }
  }

  const std::string content_;
  const size_t block_size_;
  std::vector<std::string> sent_;
  size_t blocks_sent_ = 0;
  size_t packet_bytes_ = 0;  // Of those that are no blocks.

 public:
  Transfer::TimePoint now = kBegin;
  absl::Status content_status;
  uint64_t broken_from = 0;
  Transfer transfer;
};

}  // namespace autopxe::agent::tftp
