#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/tftp/packet.h"
#include "agent/tftp/test_transfer.h"
#include "agent/tftp/transfer.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

// Whole transfers over networks that lose, double, delay and reorder, on a clock of their own.
namespace autopxe::agent::tftp {
namespace {

using std::chrono::milliseconds;

using TimePoint = Transfer::TimePoint;

// What becomes of a packet between the two.
struct Network {
  double loss = 0;
  double duplicates = 0;
  uint64_t duplicate_only = 0;  // The number of one packet, counted from 1, that comes twice.
  milliseconds delay_from = milliseconds(1);
  milliseconds delay_to = milliseconds(1);
  double held_back = 0;  // Comes 2 to 20 ms late, so that others overtake it.
};

// How a client takes a window.
enum class Client {
  kOvmf,    // Answers each block that it does not expect with the last one that it did (edk2's
            // Mtftp4Dxe).
  kUBoot,   // The same, but once for each block that it lacks.
  kSilent,  // Answers a block out of turn only when its own time is up.
};

// One read over a network of a given kind, on a clock of its own.
class Simulation {
 public:
  Simulation(NegotiatedOptions options, size_t size, Network network, Client client, uint32_t seed)
      : options_(options),
        content_(Pattern(size)),
        network_(network),
        client_(client),
        random_(seed),
        transfer_(options, kRequestBytes, {},
                  {.send_blocks = [this](uint64_t first,
                                         uint64_t count) { return SendBlocks(first, count); },
                   .send_packet =
                       [this](absl::string_view packet) {
                         Deliver(true, std::string(packet.data(), packet.size()));
                       }}) {}

  void Run() {
    transfer_.Start(now_);
    client_deadline_ = now_ + kClientTimeout;
    // Until both are done; the client lingers for its last acknowledgement (RFC 1350, 6).
    while (transfer_.is_open() && now_ < kBegin + std::chrono::hours(24)) {
      const TimePoint timer = std::min(transfer_.deadline(), client_deadline_);
      if (!packets_.empty() && packets_.begin()->first.first <= timer) {
        auto packet = packets_.extract(packets_.begin());
        now_ = packet.key().first;
        if (packet.mapped().first) {
          ReceiveAsClient(packet.mapped().second);
        } else {
          const auto parsed = ParsePacket(packet.mapped().second);
          transfer_.OnAcknowledgement(std::get<Acknowledgement>(*parsed).number, now_);
        }
        continue;
      }
      now_ = timer;
      if (now_ == client_deadline_) {
        client_deadline_ = now_ + kClientTimeout;
        if (answered_) SendAcknowledgement();
      } else {
        transfer_.OnTimeout(now_);
      }
    }
  }

  const Transfer& transfer() const { return transfer_; }
  bool IsIdentical() const { return complete_ && received_ == content_; }
  size_t blocks_sent() const { return blocks_sent_; }
  size_t blocks() const { return content_.size() / options_.block_size + 1; }
  TimePoint now() const { return now_; }

 private:
  // Firmware waits longer than this; then the server's timer is always first, and the client's is
  // not tested.
  static constexpr auto kClientTimeout = milliseconds(3300);
  static constexpr size_t kRequestBytes = 40;

  absl::StatusOr<uint64_t> SendBlocks(uint64_t first, uint64_t count) {
    uint64_t bytes = 0;
    for (uint64_t index = first; index < first + count; ++index) {
      const size_t length = SendBlock(index);
      bytes += length;
      if (length < options_.block_size) break;
    }
    return bytes;
  }

  size_t SendBlock(uint64_t index) {
    ++blocks_sent_;
    std::string packet(kDataHeaderBytes, '\0');
    WriteDataHeader(Transfer::WireNumber(index), packet.data());
    const std::string payload = content_.substr(index * options_.block_size, options_.block_size);
    Deliver(true, packet + payload);
    return payload.size();
  }

  void Deliver(bool to_client, const std::string& packet) {
    std::uniform_real_distribution<double> chance;
    std::uniform_int_distribution<int64_t> delay(network_.delay_from.count(),
                                                 network_.delay_to.count());
    const bool twice =
        ++packets_sent_ == network_.duplicate_only || chance(random_) < network_.duplicates;
    for (int copies = twice ? 2 : 1; copies > 0; --copies) {
      if (chance(random_) < network_.loss) continue;
      milliseconds late = milliseconds(delay(random_));
      if (network_.held_back > 0 && chance(random_) < network_.held_back) {
        late += milliseconds(std::uniform_int_distribution<int64_t>(2, 20)(random_));
      }
      packets_.emplace(std::pair(now_ + late, ++last_packet_), std::pair(to_client, packet));
    }
  }

  void ReceiveAsClient(const std::string& bytes) {
    const auto packet = ParsePacket(bytes);
    ASSERT_THAT(packet, IsOk());
    if (std::holds_alternative<OptionAcknowledgement>(*packet)) {
      if (expected_ == 0) SendAcknowledgement();
      answered_ = true;
      return;
    }
    ASSERT_TRUE(std::holds_alternative<DataBlock>(*packet));
    const auto& block = std::get<DataBlock>(*packet);
    answered_ = true;
    if (complete_ || block.number != static_cast<uint16_t>(expected_ + 1)) {
      if (client_ == Client::kOvmf || complete_ ||
          (client_ == Client::kUBoot && answered_at_ != expected_)) {
        answered_at_ = expected_;
        SendAcknowledgement();
      }
      return;
    }
    received_ += block.payload;
    ++expected_;
    client_deadline_ = now_ + kClientTimeout;
    complete_ = block.payload.size() < options_.block_size;
    if (complete_ || expected_ - acknowledged_ >= options_.window_size) SendAcknowledgement();
  }

  void SendAcknowledgement() {
    acknowledged_ = expected_;
    Deliver(false, BuildAcknowledgement(static_cast<uint16_t>(expected_)));
  }

  const NegotiatedOptions options_;
  const std::string content_;
  const Network network_;
  const Client client_;
  std::mt19937 random_;
  TimePoint now_ = kBegin;
  Transfer transfer_;
  size_t blocks_sent_ = 0;

  // When each arrives -> whether it is for the client, and its bytes.
  std::map<std::pair<TimePoint, uint64_t>, std::pair<bool, std::string>> packets_;
  uint64_t packets_sent_ = 0;
  uint64_t last_packet_ = 0;

  std::string received_;
  uint64_t expected_ = 0;                 // Blocks that the client has.
  uint64_t acknowledged_ = 0;             // Of these, when it last answered.
  absl::optional<uint64_t> answered_at_;  // What kUBoot had when it answered out of turn.
  bool answered_ = false;
  bool complete_ = false;
  TimePoint client_deadline_;
};

// faults.md cases 10 and 14.
TEST(TransferNetworkTest, WhateverTheNetworkDoesTheBytesAreIdentical) {
  const std::pair<const char*, Network> networks[] = {
      {"nothing", {}},
      {"1 % lost", {.loss = 0.01}},
      {"5 % lost", {.loss = 0.05}},
      {"20 % lost", {.loss = 0.2}},
      {"every packet twice", {.duplicates = 1}},
      {"reordered", {.delay_from = milliseconds(1), .delay_to = milliseconds(5)}},
      {"1 to 200 ms", {.delay_from = milliseconds(1), .delay_to = milliseconds(200)}},
      {"all of it",
       {.loss = 0.05,
        .duplicates = 0.1,
        .delay_from = milliseconds(1),
        .delay_to = milliseconds(200)}},
  };
  for (const auto& [name, network] : networks) {
    for (const uint16_t window : {0, 1, 4, 64}) {
      for (const Client client : {Client::kOvmf, Client::kSilent}) {
        for (uint32_t seed = 1; seed <= 8; ++seed) {
          const size_t size = seed == 1 ? 512 * 64 : 100'000 + seed * 77;
          Simulation simulation(window == 0 ? Plain() : Windowed(window), size, network, client,
                                seed);
          simulation.Run();
          const std::string what =
              absl::StrCat(name, ", window ", window, ", client ",
                           client == Client::kOvmf ? "ovmf" : "silent", ", seed ", seed);
          ASSERT_TRUE(simulation.IsIdentical()) << what;
          ASSERT_THAT(simulation.transfer().status(), IsOk()) << what;
          EXPECT_EQ(simulation.transfer().acknowledged_bytes(), size) << what;
          if (network.loss == 0 && network.delay_from == network.delay_to &&
              (window <= 1 || client == Client::kSilent)) {
            // Copies that the network made are never answered with copies of ours.
            EXPECT_EQ(simulation.blocks_sent(), simulation.blocks()) << what;
          } else if (network.loss == 0 && window <= 1) {
            // The timer learns how the round trips vary; until then it may be early.
            EXPECT_LE(simulation.blocks_sent(), simulation.blocks() * 11 / 10 + 2) << what;
          } else if (network.loss == 0 && network.delay_from == network.delay_to) {
            // OVMF answers a copy as it answers a gap: even if every block comes twice, at most a
            // window for a window.
            EXPECT_LE(simulation.blocks_sent(), 2 * simulation.blocks()) << what;
          }
        }
      }
    }
  }
}

// faults.md case 10: whichever packet comes twice, be it DATA, ACK or OACK, the rest of the
// transfer is not doubled.
TEST(TransferNetworkTest, OnePacketThatComesTwiceCostsAtMostAWindow) {
  for (const uint16_t window : {1, 4, 16}) {
    for (const Client client : {Client::kOvmf, Client::kSilent}) {
      for (uint64_t packet = 1; packet <= 60; ++packet) {
        Simulation simulation(Windowed(window), 512 * 200, {.duplicate_only = packet}, client, 1);
        simulation.Run();
        ASSERT_TRUE(simulation.IsIdentical());
        EXPECT_LE(simulation.blocks_sent(), simulation.blocks() + (window > 1 ? window : 0))
            << "packet " << packet << ", window " << window;
      }
    }
  }
}

// faults.md case 13.
TEST(TransferNetworkTest, BlockNumbersWrapToZero) {
  const size_t size = 8 * 140'000 + 3;
  for (const uint16_t window : {1, 64}) {
    NegotiatedOptions options = Windowed(window, 8);
    Simulation simulation(options, size, {}, Client::kOvmf, 1);
    simulation.Run();
    EXPECT_TRUE(simulation.IsIdentical()) << window;
    EXPECT_TRUE(simulation.transfer().is_finished()) << window;
    EXPECT_EQ(simulation.transfer().acknowledged_bytes(), size);
  }
  EXPECT_EQ(Transfer::WireNumber(0), 1);
  EXPECT_EQ(Transfer::WireNumber(65534), 65535);
  EXPECT_EQ(Transfer::WireNumber(65535), 0);
  EXPECT_EQ(Transfer::WireNumber(65536), 1);
}

// Bounds what loss costs in a window: each lost block at most one window more.
TEST(TransferNetworkTest, LossCostsAtMostAWindowForEachPacketLost) {
  Simulation simulation(Windowed(16), 512 * 20'000, {.loss = 0.01}, Client::kOvmf, 3);
  simulation.Run();
  EXPECT_TRUE(simulation.IsIdentical());
  EXPECT_LT(simulation.blocks_sent(), simulation.blocks() * 13 / 10);
}

// faults.md case 24, and how long a loss holds a client up: nearly all of it is waiting for the
// timer.
TEST(TransferNetworkTest, AHundredClientsAtOnePercentLossAllEndSoon) {
  for (const auto& [window, most] :
       {std::pair(1, milliseconds(4000)), std::pair(16, milliseconds(150))}) {
    std::vector<TimePoint> ends;
    for (uint32_t seed = 1; seed <= 100; ++seed) {
      Simulation simulation(Windowed(static_cast<uint16_t>(window), 1432), 512 * 1024,
                            {.loss = 0.01}, Client::kOvmf, seed);
      simulation.Run();
      ASSERT_TRUE(simulation.IsIdentical()) << "window " << window << ", seed " << seed;
      ends.push_back(simulation.now());
    }
    std::sort(ends.begin(), ends.end());
    EXPECT_LT(ends[ends.size() / 2] - kBegin, most) << window;
  }
}

// faults.md case 14: what comes out of turn makes a client throw away what it gets and ask for it
// again, and while that is sent it happens anew. None of it may wait for a time-out, much less for
// one that is doubled again and again.
TEST(TransferNetworkTest, WhatIsOvertakenHoldsAWindowUpForLittleMoreThanItIsLate) {
  struct Case {
    const char* name;
    Network network;
    milliseconds median;
    milliseconds worst;
  };
  const Case cases[] = {
      {"5 % late", {.held_back = 0.05}, milliseconds(600), milliseconds(2500)},
      {"5 % late, 5 % twice",
       {.duplicates = 0.05, .held_back = 0.05},
       milliseconds(600),
       milliseconds(2500)},
      // What is lost twice is waited for, by a client, too.
      {"2 % lost, 2 % late, 2 % twice",
       {.loss = 0.02, .duplicates = 0.02, .held_back = 0.02},
       milliseconds(1000),
       milliseconds(12'000)},
  };
  for (const auto& [name, network, median, worst] : cases) {
    for (const uint16_t window : {4, 16, 64}) {
      std::vector<TimePoint::duration> times;
      for (const Client client : {Client::kOvmf, Client::kUBoot}) {
        for (uint32_t seed = 1; seed <= 10; ++seed) {
          const std::string what =
              absl::StrCat(name, ", window ", window, ", client ",
                           client == Client::kOvmf ? "ovmf" : "u-boot", ", seed ", seed);
          Simulation simulation(Windowed(window, 1432), 512 * 1024, network, client, seed);
          simulation.Run();
          ASSERT_TRUE(simulation.IsIdentical()) << what;
          ASSERT_THAT(simulation.transfer().status(), IsOk()) << what;
          // A window for each of the ten in a hundred that come out of turn, at the most.
          EXPECT_LE(simulation.blocks_sent(), simulation.blocks() * (10 + window) / 10) << what;
          times.push_back(simulation.now() - kBegin);
        }
      }
      std::sort(times.begin(), times.end());
      EXPECT_LE(times[times.size() / 2], median) << name << ", window " << window;
      EXPECT_LE(times.back(), worst) << name << ", window " << window;
    }
  }
}

}  // namespace
}  // namespace autopxe::agent::tftp
