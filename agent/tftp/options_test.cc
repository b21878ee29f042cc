#include "agent/tftp/options.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

using testing::IsEmpty;

constexpr uint64_t kSize = 173792;

// What is acknowledged, as `name=value name=value`.
std::string Acknowledged(const std::vector<Option>& offered, const OptionLimits& limits = {}) {
  return absl::StrJoin(
      Negotiate(offered, kSize, limits).acknowledged, " ",
      [](std::string* out, const Option& option) { *out += option.name + "=" + option.value; });
}

TEST(OptionsTest, WithoutOptionsTheTransferIsThatOfRfc1350) {
  const NegotiatedOptions options = Negotiate({}, kSize, {});
  EXPECT_EQ(options.block_size, 512);
  EXPECT_EQ(options.window_size, 1);
  EXPECT_FALSE(options.timeout.has_value());
  EXPECT_THAT(options.acknowledged, IsEmpty());
  EXPECT_FALSE(options.all_refused);
}

TEST(OptionsTest, ThatAllAreRefusedIsTold) {
  EXPECT_TRUE(Negotiate({{"blksize", "7"}, {"x", "y"}}, kSize, {}).all_refused);
  EXPECT_FALSE(Negotiate({{"blksize", "8"}, {"x", "y"}}, kSize, {}).all_refused);
}

TEST(OptionsTest, WhatFirmwareAsksForIsGranted) {
  EXPECT_EQ(Acknowledged({{"tsize", "0"}, {"blksize", "1468"}, {"windowsize", "4"}}),
            "tsize=173792 blksize=1468 windowsize=4");
  EXPECT_EQ(Acknowledged({{"blksize", "1432"}, {"tsize", "0"}}), "blksize=1432 tsize=173792");
  const NegotiatedOptions options =
      Negotiate({{"windowsize", "4"}, {"timeout", "3"}, {"blksize", "1468"}}, kSize, {});
  EXPECT_EQ(options.block_size, 1468);
  EXPECT_EQ(options.window_size, 4);
  EXPECT_EQ(options.timeout, std::chrono::seconds(3));
}

// faults.md case 5.
TEST(OptionsTest, ABlockSizeIsNeverOutsideItsRangeOrAboveWhatWasAsked) {
  const struct {
    const char* asked;
    const char* acknowledged;
    uint16_t used;
  } cases[] = {
      {"0", "", 512},
      {"7", "", 512},
      {"8", "blksize=8", 8},
      {"9", "blksize=9", 9},
      {"511", "blksize=511", 511},
      {"512", "blksize=512", 512},
      {"65464", "blksize=65464", 65464},
      {"65465", "", 512},
      {"65536", "", 512},
      {"66048", "", 512},  // 512 in sixteen bits.
      {"99999999999", "", 512},
      {"18446744073709552128", "", 512},  // 512 in sixty-four bits.
      {"99999999999999999999999999", "", 512},
      {"-1", "", 512},
      {"+1024", "", 512},
      {" 1024", "", 512},
      {"1024 ", "", 512},
      {"1024x", "", 512},
      {"0x400", "", 512},
      {"1e3", "", 512},
      {"abc", "", 512},
      {"", "", 512},
      {"01024", "blksize=1024", 1024},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(Acknowledged({{"blksize", test.asked}}), test.acknowledged) << test.asked;
    EXPECT_EQ(Negotiate({{"blksize", test.asked}}, kSize, {}).block_size, test.used) << test.asked;
  }
  const OptionLimits limits{.max_block_size = 1468};
  EXPECT_EQ(Acknowledged({{"blksize", "65464"}}, limits), "blksize=1468");
  EXPECT_EQ(Acknowledged({{"blksize", "1432"}}, limits), "blksize=1432");
}

// faults.md case 5.
TEST(OptionsTest, AnOptionThatIsGivenTwiceIsLeftOut) {
  for (const char* name : {"blksize", "windowsize", "timeout", "tsize"}) {
    EXPECT_EQ(Acknowledged({{name, "8"}, {name, "8"}}), "") << name;
  }
  const NegotiatedOptions options =
      Negotiate({{"blksize", "1024"}, {"BLKSIZE", "9000"}, {"tsize", "0"}}, kSize, {});
  EXPECT_EQ(options.block_size, 512);
  EXPECT_THAT(options.acknowledged, testing::ElementsAre(Option{"tsize", "173792"}));
}

// faults.md case 6.
TEST(OptionsTest, AWindowIsCappedAndNothingInvalidIsEchoed) {
  const struct {
    const char* asked;
    const char* acknowledged;
    uint16_t used;
  } cases[] = {
      {"0", "", 1},
      {"-1", "", 1},
      {"1", "windowsize=1", 1},
      {"4", "windowsize=4", 4},
      {"64", "windowsize=64", 64},
      {"65", "windowsize=64", 64},
      {"65535", "windowsize=64", 64},
      {"65536", "", 1},
      {"65540", "", 1},
      {"four", "", 1},
      {"", "", 1},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(Acknowledged({{"windowsize", test.asked}}), test.acknowledged) << test.asked;
    EXPECT_EQ(Negotiate({{"windowsize", test.asked}}, kSize, {}).window_size, test.used)
        << test.asked;
  }
}

TEST(OptionsTest, AWindowOfLargeBlocksIsCappedByItsMemoryWhereverTheBlockSizeStands) {
  const auto window = [](const char* block_size, const OptionLimits& limits = {}) {
    return Negotiate({{"windowsize", "64"}, {"blksize", block_size}}, kSize, limits).window_size;
  };
  EXPECT_EQ(window("8"), 64);
  EXPECT_EQ(window("1468"), 64);
  EXPECT_EQ(window("8192"), 10);
  EXPECT_EQ(window("65464"), 1);
  EXPECT_EQ(window("512", {.max_window_memory = 1}), 1);
  EXPECT_EQ(Acknowledged({{"windowsize", "64"}, {"blksize", "8192"}}),
            "windowsize=10 blksize=8192");
  EXPECT_EQ(Acknowledged({{"blksize", "8192"}, {"windowsize", "64"}}),
            "blksize=8192 windowsize=10");
}

// faults.md case 7.
TEST(OptionsTest, TheTransferSizeIsTheRealOneNeverTheEcho) {
  EXPECT_EQ(Acknowledged({{"tsize", "0"}}), "tsize=173792");
  EXPECT_EQ(Acknowledged({{"tsize", "999999"}}), "tsize=173792");
  for (const char* asked : {"-1", "abc", "", "99999999999999999999999999"}) {
    EXPECT_EQ(Acknowledged({{"tsize", asked}}), "") << asked;
  }
  // Netascii: not known beforehand.
  EXPECT_THAT(Negotiate({{"tsize", "0"}}, absl::nullopt, {}).acknowledged, IsEmpty());
}

// faults.md case 8.
TEST(OptionsTest, ATimeoutIsHonouredInItsRangeAndElseIgnored) {
  for (const char* asked : {"1", "5", "30"}) {
    EXPECT_EQ(Acknowledged({{"timeout", asked}}), std::string("timeout=") + asked);
  }
  EXPECT_EQ(Negotiate({{"timeout", "1"}}, kSize, {}).timeout, std::chrono::seconds(1));
  for (const char* asked : {"0", "31", "255", "256", "-5", "1.5", "abc", ""}) {
    EXPECT_EQ(Acknowledged({{"timeout", asked}}), "") << asked;
    EXPECT_FALSE(Negotiate({{"timeout", asked}}, kSize, {}).timeout.has_value()) << asked;
  }
  EXPECT_EQ(Acknowledged({{"timeout", "256"}}, {.max_timeout = std::chrono::seconds(1000)}), "");
  EXPECT_EQ(Acknowledged({{"timeout", "255"}}, {.max_timeout = std::chrono::seconds(1000)}),
            "timeout=255");
}

// faults.md case 9.
TEST(OptionsTest, UnknownOptionsAreIgnoredAndNamesAreTheSameInAnyLetterCase) {
  EXPECT_EQ(Acknowledged({{"multicast", ""}, {"rollover", "0"}, {"blksize2", "2048"}}), "");
  EXPECT_EQ(Acknowledged({{"x", "1"}, {"BlkSize", "1024"}, {"TSIZE", "0"}}),
            "BlkSize=1024 TSIZE=173792");
}

TEST(OptionsTest, IpxeIsKnownByExactlyItsOptions) {
  const auto is_ipxe = [](std::vector<Option> options, Mode mode = Mode::kOctet) {
    return IsFromIpxe({"undionly.kpxe", mode, std::move(options)});
  };
  EXPECT_TRUE(is_ipxe({{"blksize", "1432"}, {"tsize", "0"}}));
  EXPECT_FALSE(is_ipxe({{"tsize", "0"}, {"blksize", "1432"}}));
  EXPECT_FALSE(is_ipxe({{"blksize", "1432"}}));
  EXPECT_FALSE(is_ipxe({{"blksize", "1432"}, {"tsize", "0"}, {"windowsize", "4"}}));
  EXPECT_FALSE(is_ipxe({{"blksize", "1468"}, {"tsize", "0"}}));
  EXPECT_FALSE(is_ipxe({{"blksize", "1432"}, {"tsize", "1"}}));
  EXPECT_FALSE(is_ipxe({{"blksize", "1432"}, {"tsize", "0"}}, Mode::kNetascii));
  EXPECT_FALSE(is_ipxe({}));
  // OVMF, both requests.
  EXPECT_FALSE(is_ipxe({{"tsize", "0"}, {"blksize", "1468"}, {"windowsize", "4"}}));
  EXPECT_FALSE(is_ipxe({{"blksize", "1468"}, {"windowsize", "4"}}));
}

}  // namespace
}  // namespace autopxe::agent::tftp
