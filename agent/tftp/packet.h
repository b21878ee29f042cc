#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// TFTP's packets (RFC 1350, RFC 2347) as values. Pure.
namespace autopxe::agent::tftp {

// RFC 2347, "Packet Formats": a request has at most 512 octets.
inline constexpr size_t kMaxRequestBytes = 512;

// RFCs 2347 to 7440 define five options, and firmware sends up to four.
inline constexpr size_t kMaxOptions = 16;

// The opcode and the block number before a DATA packet's payload.
inline constexpr size_t kDataHeaderBytes = 4;

// Longer texts are cut: firmware shows one line.
inline constexpr size_t kMaxErrorTextBytes = 200;

enum class Opcode : uint16_t {
  kReadRequest = 1,
  kWriteRequest = 2,
  kData = 3,
  kAcknowledgement = 4,
  kError = 5,
  kOptionAcknowledgement = 6,
};

// RFC 1350, "Error Codes", and RFC 2347's 8.
enum class ErrorCode : uint16_t {
  kNotDefined = 0,  // The text says what.
  kFileNotFound = 1,
  kAccessViolation = 2,
  kDiskFull = 3,
  kIllegalOperation = 4,
  kUnknownTransferId = 5,
  kFileExists = 6,
  kNoSuchUser = 7,
  kOptionRefused = 8,
};

enum class Mode { kOctet, kNetascii };

struct Option {
  std::string name;  // As it was sent: names are compared without regard to letter case.
  std::string value;

  friend bool operator==(const Option&, const Option&) = default;
};

struct ReadRequest {
  std::string path;  // Not empty; any byte but NUL.
  Mode mode = Mode::kOctet;
  std::vector<Option> options;

  friend bool operator==(const ReadRequest&, const ReadRequest&) = default;
};

// All that an answer to it needs: writes are refused.
struct WriteRequest {
  std::string path;

  friend bool operator==(const WriteRequest&, const WriteRequest&) = default;
};

struct DataBlock {
  uint16_t number = 0;
  std::string payload;

  friend bool operator==(const DataBlock&, const DataBlock&) = default;
};

struct Acknowledgement {
  uint16_t number = 0;

  friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};

struct ErrorPacket {
  uint16_t code = 0;  // A peer may send what ErrorCode does not name.
  std::string text;

  friend bool operator==(const ErrorPacket&, const ErrorPacket&) = default;
};

struct OptionAcknowledgement {
  std::vector<Option> options;

  friend bool operator==(const OptionAcknowledgement&, const OptionAcknowledgement&) = default;
};

using Packet = std::variant<ReadRequest, WriteRequest, DataBlock, Acknowledgement, ErrorPacket,
                            OptionAcknowledgement>;

// Lenient where a peer's intent is clear: NULs that pad a request, bytes behind an ACK, and an
// ERROR without its closing NUL.
// Errors: INVALID_ARGUMENT, naming what is wrong. IsRequest() tells whether the sender can be told.
absl::StatusOr<Packet> ParsePacket(absl::string_view bytes);

// Whether the bytes begin as a read or a write request does: the one kind of broken packet whose
// sender is waiting for an answer.
bool IsRequest(absl::string_view bytes);

// REQUIRES: paths, option names and values, and mode hold no NUL; a request or an OACK fits its
// limits.
std::string BuildReadRequest(const ReadRequest& request);
std::string BuildAcknowledgement(uint16_t number);
std::string BuildOptionAcknowledgement(const std::vector<Option>& options);

// What is not printable ASCII is replaced by `?`: the text is shown on consoles.
std::string BuildError(ErrorCode code, absl::string_view text);

// Writes a DATA packet's first kDataHeaderBytes bytes.
void WriteDataHeader(uint16_t number, char* bytes);

}  // namespace autopxe::agent::tftp
