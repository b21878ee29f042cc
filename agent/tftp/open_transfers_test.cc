#include "agent/tftp/open_transfers.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/ip_endpoint.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

IpAddress Address(const char* text) { return *IpAddress::Parse(text); }

Client At(const char* endpoint) { return {*IpEndpoint::Parse(endpoint)}; }

// Transfers that are not looked into need not be there.
void Add(OpenTransfers& transfers, const char* client) { transfers.Add(At(client), nullptr); }

// "10.0.0.1:1 of all", or "" if there is room.
std::string FirstFor(const OpenTransfers& transfers, const char* address) {
  const auto crowd = transfers.CrowdFor(Address(address));
  if (!crowd.has_value()) return "";
  return absl::StrCat(crowd->first.endpoint.Format(), crowd->is_answered ? ", answered," : "",
                      " of ", crowd->of_address ? "its address" : "all");
}

// faults.md case 22.
TEST(OpenTransfersTest, TheOldestThatWasNeverAnsweredGivesWay) {
  OpenTransfers transfers({.all = 3, .of_address = 3});
  Add(transfers, "10.0.0.1:1");
  Add(transfers, "10.0.0.2:2");
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "");
  Add(transfers, "10.0.0.3:3");
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "10.0.0.1:1 of all");
  EXPECT_EQ(transfers.CrowdFor(Address("10.0.0.9"))->open, 3u);
  transfers.NoteAnswer(At("10.0.0.1:1"));
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "10.0.0.2:2 of all");
  transfers.Remove(At("10.0.0.2:2"));
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "");
}

TEST(OpenTransfersTest, WhenAllWereAnsweredItIsTheOneThatIsSilentForLongest) {
  OpenTransfers transfers({.all = 3, .of_address = 3});
  for (const char* client : {"10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3"}) {
    Add(transfers, client);
    transfers.NoteAnswer(At(client));
  }
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "10.0.0.1:1, answered, of all");
  transfers.NoteAnswer(At("10.0.0.1:1"));
  transfers.NoteAnswer(At("10.0.0.3:3"));
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "10.0.0.2:2, answered, of all");
  transfers.Remove(At("10.0.0.2:2"));
  Add(transfers, "10.0.0.4:4");
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "10.0.0.4:4 of all");
}

// Forged requests of one address crowd out each other, and neither that host nor others.
TEST(OpenTransfersTest, WhereOneAddressHasTooManyOneOfItsOwnGivesWay) {
  OpenTransfers transfers({.all = 10, .of_address = 2});
  Add(transfers, "10.0.0.1:1");
  Add(transfers, "10.0.0.2:1");
  Add(transfers, "10.0.0.2:2");
  EXPECT_EQ(FirstFor(transfers, "10.0.0.1"), "");
  EXPECT_EQ(FirstFor(transfers, "10.0.0.2"), "10.0.0.2:1 of its address");
  EXPECT_EQ(transfers.CrowdFor(Address("10.0.0.2"))->open, 2u);
  transfers.NoteAnswer(At("10.0.0.2:1"));
  EXPECT_EQ(FirstFor(transfers, "10.0.0.2"), "10.0.0.2:2 of its address");
  transfers.NoteAnswer(At("10.0.0.2:2"));
  EXPECT_EQ(FirstFor(transfers, "10.0.0.2"), "10.0.0.2:1, answered, of its address");
  transfers.Remove(At("10.0.0.2:1"));
  transfers.Remove(At("10.0.0.2:2"));
  EXPECT_EQ(FirstFor(transfers, "10.0.0.2"), "");
}

TEST(OpenTransfersTest, LowerLimitsHoldForThoseThatCome) {
  OpenTransfers transfers({.all = 3, .of_address = 3});
  for (const char* client : {"10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3"}) Add(transfers, client);
  transfers.SetLimits({.all = 2, .of_address = 1});
  EXPECT_EQ(FirstFor(transfers, "10.0.0.3"), "10.0.0.3:3 of its address");
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "10.0.0.1:1 of all");
  transfers.Remove(At("10.0.0.1:1"));
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "10.0.0.2:2 of all");
  transfers.Remove(At("10.0.0.2:2"));
  EXPECT_EQ(FirstFor(transfers, "10.0.0.9"), "");
}

TEST(OpenTransfersTest, ManyComeAndGoInAnyOrder) {
  constexpr int kClients = 1000;
  const auto client = [](int i) {
    return Client{
        {IpAddress::FromV4({10, 0, 0, static_cast<uint8_t>(i % 7)}), static_cast<uint16_t>(1 + i)}};
  };
  OpenTransfers transfers({.all = kClients, .of_address = kClients});
  for (int i = 0; i < kClients; ++i) transfers.Add(client(i), nullptr);
  for (int i = 0; i < kClients; i += 2) transfers.NoteAnswer(client(i));
  for (int i = 0; i < kClients; i += 3) transfers.Remove(client(i));
  for (int i = 0; i < kClients; i += 3) transfers.Add(client(i), nullptr);
  // The odd ones that stayed were never answered, then come those that are new, then the others.
  std::vector<int> order;
  for (int i = 0; i < kClients; ++i) {
    if (i % 3 != 0 && i % 2 != 0) order.push_back(i);
  }
  for (int i = 0; i < kClients; i += 3) order.push_back(i);
  for (int i = 0; i < kClients; ++i) {
    if (i % 3 != 0 && i % 2 == 0) order.push_back(i);
  }
  for (size_t gone = 0; gone < order.size(); ++gone) {
    const auto crowd = transfers.CrowdFor(Address("10.0.1.1"));
    ASSERT_TRUE(crowd.has_value());
    ASSERT_EQ(crowd->first, client(order[gone])) << gone;
    transfers.Remove(crowd->first);
    transfers.Add(Client{{Address("10.0.2.2"), static_cast<uint16_t>(1 + gone)}}, nullptr);
    // Behind all others, even behind those that were answered.
    transfers.NoteAnswer(Client{{Address("10.0.2.2"), static_cast<uint16_t>(1 + gone)}});
  }
}

}  // namespace
}  // namespace autopxe::agent::tftp
