#include "agent/tftp/test_client.h"

#include <poll.h>

#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

constexpr int kPatienceMs = 30'000;

UdpSocket OpenSocket(absl::string_view address) {
  auto socket = UdpSocket::Open({*IpAddress::Parse(address), 0});
  EXPECT_TRUE(socket.ok()) << socket.status();
  return *std::move(socket);
}

}  // namespace

TestClient::TestClient(absl::string_view address)
    : socket_(OpenSocket(address)), batch_(1, 65536) {}

void TestClient::Send(const IpEndpoint& to, absl::string_view bytes) {
  const auto sent = socket_.Send({OutgoingDatagram{.bytes = bytes, .to = to}});
  EXPECT_TRUE(sent.ok() && *sent == 1) << sent.status();
}

absl::StatusOr<TestClient::Answer> TestClient::Receive() {
  pollfd readable = {socket_.fd(), POLLIN, 0};
  if (poll(&readable, 1, kPatienceMs) != 1) return absl::DeadlineExceededError("nothing came");
  RETURN_IF_ERROR(socket_.Receive(batch_));
  const Datagram& datagram = batch_.datagrams().at(0);
  ASSIGN_OR_RETURN(Packet packet, ParsePacket(datagram.bytes));
  return Answer{std::move(packet), datagram.from};
}

absl::StatusOr<std::string> TestClient::Fetch(const IpEndpoint& server,
                                              const ReadRequest& request) {
  Ask(server, request);
  std::string received;
  size_t block_size = 512;
  uint64_t window = 1;
  uint64_t blocks = 0;
  for (;;) {
    ASSIGN_OR_RETURN(const Answer answer, Receive());
    if (const auto* error = std::get_if<ErrorPacket>(&answer.packet)) {
      return absl::AbortedError(absl::StrCat(error->code, " ", error->text));
    }
    if (const auto* granted = std::get_if<OptionAcknowledgement>(&answer.packet)) {
      for (const Option& option : granted->options) {
        if (absl::EqualsIgnoreCase(option.name, "blksize")) {
          EXPECT_TRUE(absl::SimpleAtoi(option.value, &block_size));
        } else if (absl::EqualsIgnoreCase(option.name, "windowsize")) {
          EXPECT_TRUE(absl::SimpleAtoi(option.value, &window));
        }
      }
      Acknowledge(answer.from, 0);
      continue;
    }
    const auto* block = std::get_if<DataBlock>(&answer.packet);
    if (block == nullptr || block->number != static_cast<uint16_t>(blocks + 1)) {
      return absl::DataLossError(absl::StrCat("expected block ", blocks + 1));
    }
    received += block->payload;
    ++blocks;
    const bool last = block->payload.size() < block_size;
    if (last || blocks % window == 0) Acknowledge(answer.from, block->number);
    if (last) return received;
  }
}

}  // namespace autopxe::agent::tftp
