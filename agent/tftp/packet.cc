#include "agent/tftp/packet.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/status/status_macros.h"

namespace autopxe::agent::tftp {
namespace {

constexpr size_t kNumberBytes = 2;

uint16_t ReadNumber(absl::string_view bytes) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[0]) << 8 |
                               static_cast<uint8_t>(bytes[1]));
}

void WriteNumber(uint16_t number, char* bytes) {
  bytes[0] = static_cast<char>(number >> 8);
  bytes[1] = static_cast<char>(number & 0xff);
}

std::string Numbers(uint16_t first, uint16_t second) {
  std::string bytes(2 * kNumberBytes, '\0');
  WriteNumber(first, bytes.data());
  WriteNumber(second, bytes.data() + kNumberBytes);
  return bytes;
}

std::string OnlyOpcode(Opcode opcode) {
  std::string bytes(kNumberBytes, '\0');
  WriteNumber(static_cast<uint16_t>(opcode), bytes.data());
  return bytes;
}

void AppendText(std::string& bytes, absl::string_view text) {
  bytes.append(text.data(), text.size());
  bytes.push_back('\0');
}

// Takes the text before the next NUL off `rest`; nothing if there is no NUL.
absl::optional<absl::string_view> TakeText(absl::string_view& rest) {
  const size_t end = rest.find('\0');
  if (end == absl::string_view::npos) return absl::nullopt;
  const absl::string_view text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("malformed packet: ", what));
}

absl::StatusOr<Mode> ParseMode(absl::string_view text) {
  if (absl::EqualsIgnoreCase(text, "octet")) return Mode::kOctet;
  if (absl::EqualsIgnoreCase(text, "netascii")) return Mode::kNetascii;
  return absl::InvalidArgumentError(absl::StrCat("mode \"", absl::CHexEscape(text.substr(0, 16)),
                                                 "\": expected octet or netascii"));
}

absl::StatusOr<std::vector<Option>> ParseOptions(absl::string_view rest) {
  std::vector<Option> options;
  while (!rest.empty()) {
    if (rest[0] == '\0') {
      // Padding, or an option without a name.
      if (rest.find_first_not_of('\0') == absl::string_view::npos) break;
      return Malformed("an option has no name");
    }
    const auto name = TakeText(rest);
    if (!name.has_value()) return Malformed("an option's name does not end");
    const auto value = TakeText(rest);
    if (!value.has_value()) return Malformed("an option has no value");
    if (options.size() == kMaxOptions) {
      return Malformed(absl::StrCat("more than ", kMaxOptions, " options"));
    }
    options.push_back({std::string(*name), std::string(*value)});
  }
  return options;
}

// Of a read or a write request alike.
absl::StatusOr<ReadRequest> ParseRequest(absl::string_view rest) {
  const auto path = TakeText(rest);
  if (!path.has_value()) return Malformed("the file name does not end");
  if (path->empty()) return Malformed("the file name is empty");
  const auto mode_text = TakeText(rest);
  if (!mode_text.has_value()) return Malformed("there is no mode");
  ASSIGN_OR_RETURN(const Mode mode, ParseMode(*mode_text));
  ASSIGN_OR_RETURN(std::vector<Option> options, ParseOptions(rest));
  return ReadRequest{std::string(*path), mode, std::move(options)};
}

}  // namespace

absl::StatusOr<Packet> ParsePacket(absl::string_view bytes) {
  if (bytes.size() < kNumberBytes) return Malformed("no opcode");
  const uint16_t opcode = ReadNumber(bytes);
  absl::string_view rest = bytes.substr(kNumberBytes);
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::kReadRequest:
    case Opcode::kWriteRequest: {
      if (bytes.size() > kMaxRequestBytes) {
        return Malformed(absl::StrCat("a request of more than ", kMaxRequestBytes, " bytes"));
      }
      ASSIGN_OR_RETURN(ReadRequest request, ParseRequest(rest));
      if (static_cast<Opcode>(opcode) == Opcode::kWriteRequest) {
        return Packet(WriteRequest{std::move(request.path)});
      }
      return Packet(std::move(request));
    }
    case Opcode::kData:
      if (rest.size() < kNumberBytes) return Malformed("DATA without a number");
      return Packet(DataBlock{ReadNumber(rest), std::string(rest.substr(kNumberBytes))});
    case Opcode::kAcknowledgement:
      if (rest.size() < kNumberBytes) return Malformed("ACK without a number");
      return Packet(Acknowledgement{ReadNumber(rest)});
    case Opcode::kError: {
      if (rest.size() < kNumberBytes) return Malformed("ERROR without a code");
      const absl::string_view text = rest.substr(kNumberBytes);
      return Packet(ErrorPacket{ReadNumber(rest), std::string(text.substr(0, text.find('\0')))});
    }
    case Opcode::kOptionAcknowledgement: {
      ASSIGN_OR_RETURN(std::vector<Option> options, ParseOptions(rest));
      return Packet(OptionAcknowledgement{std::move(options)});
    }
  }
  return Malformed(absl::StrCat("opcode ", opcode));
}

bool IsRequest(absl::string_view bytes) {
  if (bytes.size() < kNumberBytes) return false;
  const auto opcode = static_cast<Opcode>(ReadNumber(bytes));
  return opcode == Opcode::kReadRequest || opcode == Opcode::kWriteRequest;
}

std::string BuildReadRequest(const ReadRequest& request) {
  std::string bytes = OnlyOpcode(Opcode::kReadRequest);
  AppendText(bytes, request.path);
  AppendText(bytes, request.mode == Mode::kOctet ? "octet" : "netascii");
  for (const Option& option : request.options) {
    AppendText(bytes, option.name);
    AppendText(bytes, option.value);
  }
  return bytes;
}

std::string BuildAcknowledgement(uint16_t number) {
  return Numbers(static_cast<uint16_t>(Opcode::kAcknowledgement), number);
}

std::string BuildOptionAcknowledgement(const std::vector<Option>& options) {
  std::string bytes = OnlyOpcode(Opcode::kOptionAcknowledgement);
  for (const Option& option : options) {
    AppendText(bytes, option.name);
    AppendText(bytes, option.value);
  }
  return bytes;
}

std::string BuildError(ErrorCode code, absl::string_view text) {
  std::string bytes = Numbers(static_cast<uint16_t>(Opcode::kError), static_cast<uint16_t>(code));
  std::string shown(text.substr(0, kMaxErrorTextBytes));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return !absl::ascii_isprint(c); }, '?');
  AppendText(bytes, shown);
  return bytes;
}

void WriteDataHeader(uint16_t number, char* bytes) {
  WriteNumber(static_cast<uint16_t>(Opcode::kData), bytes);
  WriteNumber(number, bytes + kNumberBytes);
}

}  // namespace autopxe::agent::tftp
