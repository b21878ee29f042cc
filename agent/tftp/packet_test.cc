#include "agent/tftp/packet.h"

#include <random>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

using testing::HasSubstr;

std::string Bytes(absl::string_view hex) { return absl::HexStringToBytes(hex); }

// A literal with its NULs; the one that the compiler adds is not part of it.
template <size_t size>
std::string Literal(const char (&text)[size]) {
  return std::string(text, size - 1);
}

template <typename Kind>
void ExpectParses(const std::string& bytes, const Kind& expected) {
  const auto packet = ParsePacket(bytes);
  ASSERT_THAT(packet, IsOk()) << absl::CHexEscape(bytes);
  ASSERT_TRUE(std::holds_alternative<Kind>(*packet)) << absl::CHexEscape(bytes);
  EXPECT_EQ(std::get<Kind>(*packet), expected) << absl::CHexEscape(bytes);
}

TEST(PacketTest, WhatFirmwareSendsIsUnderstood) {
  // iPXE 1.0.0+git-20190125 in a network card's ROM, BIOS.
  ExpectParses(
      Bytes("00016175746f7078652d353235343030303030303030006f6374657400626c6b"
            "73697a650031343332007473697a65003000"),
      ReadRequest{"autopxe-525400000000", Mode::kOctet, {{"blksize", "1432"}, {"tsize", "0"}}});
  // OVMF (Debian 12): the probe for the size, how it is broken off, and the request itself.
  ExpectParses(
      Bytes("0001736e706f6e6c792e656669006f63746574007473697a65003000626c6b73"
            "697a6500313436380077696e646f7773697a65003400"),
      ReadRequest{
          "snponly.efi", Mode::kOctet, {{"tsize", "0"}, {"blksize", "1468"}, {"windowsize", "4"}}});
  ExpectParses(Bytes("00050008557365722061626f7274656420746865207472616e7366657200"),
               ErrorPacket{8, "User aborted the transfer"});
  ExpectParses(
      Bytes("0001736e706f6e6c792e656669006f6374657400626c6b73697a650031343638"
            "0077696e646f7773697a65003400"),
      ReadRequest{"snponly.efi", Mode::kOctet, {{"blksize", "1468"}, {"windowsize", "4"}}});
  // iPXE 1.0.0+git-20190125 on UEFI.
  ExpectParses(
      Bytes("00016175746f7078652d353235343030303030303031006f6374657400626c6b"
            "73697a650031343332007473697a65003000"),
      ReadRequest{"autopxe-525400000001", Mode::kOctet, {{"blksize", "1432"}, {"tsize", "0"}}});
  ExpectParses(Bytes("00040000"), Acknowledgement{0});
  ExpectParses(Bytes("00040244"), Acknowledgement{0x244});
}

TEST(PacketTest, EveryKindIsParsed) {
  ExpectParses(Literal("\0\1a\0octet\0"), ReadRequest{"a", Mode::kOctet, {}});
  ExpectParses(Literal("\0\1a\0NetASCII\0"), ReadRequest{"a", Mode::kNetascii, {}});
  ExpectParses(Literal("\0\1a\0OCTET\0x\0\0"), ReadRequest{"a", Mode::kOctet, {{"x", ""}}});
  ExpectParses(Literal("\0\2upload\0octet\0tsize\0009\0"), WriteRequest{"upload"});
  ExpectParses(Literal("\0\3\xff\xfe"), DataBlock{0xfffe, ""});
  ExpectParses(Literal("\0\3\0\1a\0b"), DataBlock{1, Literal("a\0b")});
  ExpectParses(Literal("\0\4\xff\xff"), Acknowledgement{0xffff});
  ExpectParses(Literal("\0\5\0\1gone\0"), ErrorPacket{1, "gone"});
  ExpectParses(Literal("\0\6"), OptionAcknowledgement{});
  ExpectParses(Literal("\0\6tsize\00012\0"), OptionAcknowledgement{{{"tsize", "12"}}});
}

TEST(PacketTest, WhatIsMeantIsUnderstoodWhereItIsClear) {
  ExpectParses(Literal("\0\1a\0octet\0\0\0\0"), ReadRequest{"a", Mode::kOctet, {}});
  ExpectParses(Literal("\0\4\0\1\0\0"), Acknowledgement{1});
  ExpectParses(Literal("\0\5\0\1gone"), ErrorPacket{1, "gone"});
  ExpectParses(Literal("\0\5\xff\xff"), ErrorPacket{0xffff, ""});
  // Escape and format characters are the log's business, not the codec's.
  ExpectParses(Literal("\0\1\x1b[2J%n\n\0octet\0"), ReadRequest{"\x1b[2J%n\n", Mode::kOctet, {}});
}

// faults.md case 4.
TEST(PacketTest, WhatIsBrokenIsRefusedInWords) {
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {"", "no opcode"},
      {Literal("\0"), "no opcode"},
      {Literal("\0\1"), "file name does not end"},
      {Literal("\0\1a"), "file name does not end"},
      {Literal("\0\1a\0"), "no mode"},
      {Literal("\0\1a\0octet"), "no mode"},
      {Literal("\0\1\0octet\0"), "file name is empty"},
      {Literal("\0\1a\0\0"), "mode \"\": expected octet or netascii"},
      {Literal("\0\1a\0octet\0blksize\0"), "no value"},
      {Literal("\0\1a\0octet\0blksize"), "name does not end"},
      {Literal("\0\1a\0octet\0blksize\000512"), "no value"},
      {Literal("\0\1a\0octet\0\0x\0"), "no name"},
      {Literal("\0\2a"), "file name does not end"},
      {Literal("\0\3\0"), "DATA without a number"},
      {Literal("\0\4\0"), "ACK without a number"},
      {Literal("\0\5"), "ERROR without a code"},
      {Literal("\0\6tsize"), "name does not end"},
      {Literal("\0\0\0\1"), "opcode 0"},
      {Literal("\0\11\0\1"), "opcode 9"},
      {Literal("\0\377\0\1"), "opcode 255"},
      {Literal("\1\1a\0octet\0"), "opcode 257"},
      {Literal("\0\1") + std::string(4000, 'a') + Literal("\0octet\0"), "more than 512 bytes"},
      {Literal("\0\1") + std::string(504, 'a') + Literal("\0octet\0"), "more than 512 bytes"},
  };
  for (const auto& test : cases) {
    EXPECT_THAT(ParsePacket(test.bytes),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(test.message)))
        << absl::CHexEscape(test.bytes);
  }
}

// faults.md case 18.
TEST(PacketTest, AModeThatIsNotOctetOrNetasciiIsRefusedByItsName) {
  EXPECT_THAT(
      ParsePacket(Literal("\0\1a\0mail\0")),
      StatusIs(absl::StatusCode::kInvalidArgument, "mode \"mail\": expected octet or netascii"));
  EXPECT_THAT(ParsePacket(Literal("\0\1a\0\x1b[2J\0")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"\\x1b[2J\"")));
  EXPECT_THAT(ParsePacket(Literal("\0\1a\0octets\0")),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PacketTest, ARequestOfExactlyTheLargestSizeIsTaken) {
  const std::string path(503, 'a');
  const std::string bytes = BuildReadRequest({path, Mode::kOctet, {}});
  ASSERT_EQ(bytes.size(), kMaxRequestBytes);
  ExpectParses(bytes, ReadRequest{path, Mode::kOctet, {}});
}

// faults.md case 4.
TEST(PacketTest, OptionsAreCounted) {
  ReadRequest request{"a", Mode::kOctet, {}};
  for (size_t i = 0; i < kMaxOptions; ++i) request.options.push_back({"x", "1"});
  ExpectParses(BuildReadRequest(request), request);
  while (request.options.size() < 100) {
    request.options.push_back({"x", "1"});
    EXPECT_THAT(ParsePacket(BuildReadRequest(request)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 16 options")));
  }
}

TEST(PacketTest, OnlyARequestIsOne) {
  EXPECT_TRUE(IsRequest(Literal("\0\1")));
  EXPECT_TRUE(IsRequest(Literal("\0\2garbage")));
  for (const std::string& bytes : {std::string(), Literal("\0"), Literal("\0\3\0\1"),
                                   Literal("\0\4\0\1"), Literal("\1\1"), Literal("\0\0")}) {
    EXPECT_FALSE(IsRequest(bytes)) << absl::CHexEscape(bytes);
  }
}

// faults.md case 4.
TEST(PacketTest, EveryKindIsParsedOrRefusedAtEveryLength) {
  struct Case {
    std::string bytes;
    // The lengths, besides the whole, at which it is still a packet.
    std::vector<size_t> valid;
  };
  const Case cases[] = {
      // After the mode, after each option, and none between.
      {Literal("\0\1a\0octet\0tsize\0000\0blksize\0001468\0"), {10, 18}},
      {Literal("\0\2a\0netascii\0tsize\0000\0"), {13}},
      {Literal("\0\3\0\1abc"), {4, 5, 6}},
      {Literal("\0\4\0\1"), {}},
      {Literal("\0\5\0\1gone\0"), {4, 5, 6, 7, 8}},
      {Literal("\0\6tsize\0000\0blksize\0001468\0"), {2, 10}},
  };
  for (const Case& test : cases) {
    EXPECT_THAT(ParsePacket(test.bytes), IsOk());
    for (size_t size = 0; size < test.bytes.size(); ++size) {
      const bool valid = std::find(test.valid.begin(), test.valid.end(), size) != test.valid.end();
      EXPECT_EQ(ParsePacket(absl::string_view(test.bytes).substr(0, size)).ok(), valid)
          << absl::CHexEscape(test.bytes) << " cut to " << size;
    }
  }
}

// faults.md case 4. A packet that is understood is understood as the same when it is built again.
TEST(PacketTest, AMillionRandomPacketsAreParsedOrRefused) {
  std::mt19937 random(20240607);
  const std::string seeds[] = {
      Literal("\0\1a\0octet\0tsize\0000\0blksize\0001468\0"),
      Literal("\0\2a\0netascii\0"),
      Literal("\0\3\0\1abc"),
      Literal("\0\5\0\1gone\0"),
      Literal("\0\6tsize\0000\0"),
  };
  const auto below = [&random](size_t limit) { return random() % limit; };
  size_t parsed = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    std::string bytes;
    if (i % 2 == 0) {
      bytes = seeds[below(std::size(seeds))];
      for (size_t changes = below(4) + 1; changes > 0; --changes) {
        const size_t at = below(bytes.size());
        if (below(4) == 0) {
          bytes.erase(at, 1);
          if (bytes.empty()) bytes.push_back('\0');
        } else {
          bytes[at] = static_cast<char>(below(3) == 0 ? 0 : random());
        }
      }
    } else {
      bytes.resize(below(40));
      for (char& c : bytes) c = static_cast<char>(random());
      if (bytes.size() > 1) {
        bytes[0] = 0;
        bytes[1] = static_cast<char>(below(8));
      }
    }
    const auto packet = ParsePacket(bytes);
    if (!packet.ok()) continue;
    ++parsed;
    if (const auto* request = std::get_if<ReadRequest>(&*packet)) {
      const auto again = ParsePacket(BuildReadRequest(*request));
      ASSERT_TRUE(again.ok() && std::get<ReadRequest>(*again) == *request)
          << absl::CHexEscape(bytes);
    }
  }
  EXPECT_GT(parsed, 100'000u) << "the test reaches behind the first check";
}

TEST(PacketTest, WhatIsBuiltIsWhatTheRfcSays) {
  EXPECT_EQ(BuildReadRequest({"a/b", Mode::kNetascii, {{"tsize", "0"}}}),
            Literal("\0\1a/b\0netascii\0tsize\0000\0"));
  EXPECT_EQ(BuildAcknowledgement(0x1234), Literal("\0\4\x12\x34"));
  EXPECT_EQ(BuildOptionAcknowledgement({{"blksize", "1432"}, {"tsize", "780"}}),
            // dnsmasq's answer to iPXE.
            Bytes("0006626c6b73697a650031343332007473697a650037383000"));
  EXPECT_EQ(BuildError(ErrorCode::kFileNotFound, "no such file"),
            Literal("\0\5\0\1no such file\0"));
  std::string header(4, 'x');
  WriteDataHeader(0xfffe, header.data());
  EXPECT_EQ(header, Literal("\0\3\xff\xfe"));
}

TEST(PacketTest, AnErrorsTextIsFitForAConsole) {
  EXPECT_EQ(BuildError(ErrorCode::kNotDefined, Literal("\x1b[2J\n\0\xc3\xa9")),
            Literal("\0\5\0\0?[2J????\0"));
  EXPECT_EQ(BuildError(ErrorCode::kNotDefined, std::string(5000, 'a')).size(),
            4 + kMaxErrorTextBytes + 1);
}

}  // namespace
}  // namespace autopxe::agent::tftp
