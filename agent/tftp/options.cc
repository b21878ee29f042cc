#include "agent/tftp/options.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace autopxe::agent::tftp {
namespace {

constexpr uint64_t kMaxWindowSize = 65535;
constexpr uint64_t kMaxTimeoutSeconds = 255;

// Of a datagram's buffer in the kernel, beside the payload.
constexpr uint32_t kDatagramOverhead = 400;

// Digits only: no sign, no blank.
absl::optional<uint64_t> ParseNumber(absl::string_view text) {
  if (text.empty()) return absl::nullopt;
  uint64_t number = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return absl::nullopt;
    const uint64_t digit = c - '0';
    if (number > (std::numeric_limits<uint64_t>::max() - digit) / 10) return absl::nullopt;
    number = number * 10 + digit;
  }
  return number;
}

absl::optional<uint64_t> ParseNumberIn(absl::string_view text, uint64_t low, uint64_t high) {
  const auto number = ParseNumber(text);
  if (!number.has_value() || *number < low || *number > high) return absl::nullopt;
  return number;
}

// The one option of that name; null if there is none, or several.
const Option* FindOnce(const std::vector<Option>& options, absl::string_view name) {
  const auto is_it = [name](const Option& option) {
    return absl::EqualsIgnoreCase(option.name, name);
  };
  const auto found = std::find_if(options.begin(), options.end(), is_it);
  if (found == options.end()) return nullptr;
  return std::any_of(found + 1, options.end(), is_it) ? nullptr : &*found;
}

uint16_t LargestWindow(uint16_t block_size, const OptionLimits& limits) {
  const uint32_t memory = std::bit_ceil(uint32_t{block_size} + kDatagramOverhead);
  return static_cast<uint16_t>(std::clamp<uint32_t>(limits.max_window_memory / memory, 1,
                                                    std::max<uint32_t>(1, limits.max_window_size)));
}

}  // namespace

NegotiatedOptions Negotiate(const std::vector<Option>& offered, absl::optional<uint64_t> size,
                            const OptionLimits& limits) {
  const Option* const block_size = FindOnce(offered, "blksize");
  const Option* const window_size = FindOnce(offered, "windowsize");
  const Option* const timeout = FindOnce(offered, "timeout");
  const Option* const transfer_size = FindOnce(offered, "tsize");

  NegotiatedOptions result;
  // First: how large a window may be depends on it, wherever in the request it stands.
  absl::optional<uint64_t> asked_block_size;
  if (block_size != nullptr) {
    asked_block_size = ParseNumberIn(block_size->value, kMinBlockSize, kMaxBlockSize);
  }
  if (asked_block_size.has_value()) {
    result.block_size =
        static_cast<uint16_t>(std::min<uint64_t>(*asked_block_size, limits.max_block_size));
  }

  for (const Option& option : offered) {
    absl::optional<uint64_t> answer;
    if (&option == block_size && asked_block_size.has_value()) {
      answer = result.block_size;
    } else if (&option == window_size) {
      const auto asked = ParseNumberIn(option.value, 1, kMaxWindowSize);
      if (asked.has_value()) {
        result.window_size = static_cast<uint16_t>(
            std::min<uint64_t>(*asked, LargestWindow(result.block_size, limits)));
        answer = result.window_size;
      }
    } else if (&option == timeout) {
      // RFC 2349: it is accepted as it is or not at all.
      answer = ParseNumberIn(
          option.value, 1,
          std::min<uint64_t>(kMaxTimeoutSeconds, std::max<int64_t>(0, limits.max_timeout.count())));
      if (answer.has_value()) result.timeout = std::chrono::seconds(*answer);
    } else if (&option == transfer_size && ParseNumber(option.value).has_value()) {
      answer = size;
    }
    if (answer.has_value()) result.acknowledged.push_back({option.name, absl::StrCat(*answer)});
  }
  result.all_refused = !offered.empty() && result.acknowledged.empty();
  return result;
}

bool IsFromIpxe(const ReadRequest& request) {
  return request.mode == Mode::kOctet &&
         request.options == std::vector<Option>{{"blksize", "1432"}, {"tsize", "0"}};
}

}  // namespace autopxe::agent::tftp
