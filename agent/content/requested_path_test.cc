#include "agent/content/requested_path.h"

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::HasSubstr;

MacAddress Mac() { return MacAddress::FromOctets({0xbc, 0x24, 0x11, 0xb0, 0x1a, 0xde}); }

TEST(RequestedPathTest, EachFormIsUnderstoodWithAndWithoutItsSlash) {
  const std::pair<std::string, RequestedPath> kCases[] = {
      {"autopxe-bc2411b01ade", MenuPath{Mac(), Stage::kStart}},
      {"autopxe-bc2411b01ade.poll", MenuPath{Mac(), Stage::kPoll}},
      {"boot.ipxe", StartScriptPath()},
      {"undionly.kpxe", LoaderPath{"undionly.kpxe"}},
      {"ipxe.efi", LoaderPath{"ipxe.efi"}},
      {"boot", LoaderPath{"boot"}},
      {"boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64",
       BootFilePath{"debian", "bookworm", "boot/vmlinuz-6.1.0-25-amd64"}},
      {"boot/debian/bookworm/vmlinuz", BootFilePath{"debian", "bookworm", "vmlinuz"}},
      {"boot/openeuler/24.09/a/b/c", BootFilePath{"openeuler", "24.09", "a/b/c"}},
      {"next/bc-24-11-b0-1a-de/17/begun", NextBootPath{Mac(), 17, Begun()}},
      {"next/bc-24-11-b0-1a-de/9223372036854775807/boot/debian/bookworm/boot/vmlinuz-6.1",
       NextBootPath{Mac(), 9223372036854775807,
                    BootFilePath{"debian", "bookworm", "boot/vmlinuz-6.1"}}},
      {"files/mt86plus", FilePath{"mt86plus"}},
      {"files/debian-12/linux#1?x", FilePath{"debian-12/linux#1?x"}},
      {"files/files/boot/a/b/c", FilePath{"files/boot/a/b/c"}},
      {"next/bc-24-11-b0-1a-de/17/files/memtest/mt86plus",
       NextBootPath{Mac(), 17, FilePath{"memtest/mt86plus"}}},
      {"next", LoaderPath{"next"}},
      {"files", LoaderPath{"files"}},
  };
  for (const auto& [text, path] : kCases) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ParseRequestedPath(text), IsOkAndHolds(path));
    EXPECT_THAT(ParseRequestedPath("/" + text), IsOkAndHolds(path));
    EXPECT_EQ(FormatRequestedPath(path), text);
  }
  EXPECT_THAT(ParseRequestedPath("autoexec.ipxe"), IsOkAndHolds(RequestedPath(StartScriptPath())));
}

// Faults, case 32.
TEST(RequestedPathTest, EverySpellingOfAMacIsTheSameHost) {
  for (const std::string mac : {"bc2411b01ade", "BC2411B01ADE", "bC2411b01aDe", "bc:24:11:b0:1a:de",
                                "BC:24:11:B0:1A:DE", "bc-24-11-b0-1a-de", "bc24.11b0.1ade"}) {
    EXPECT_THAT(ParseRequestedPath("autopxe-" + mac),
                IsOkAndHolds(RequestedPath(MenuPath{Mac(), Stage::kStart})))
        << mac;
    EXPECT_THAT(ParseRequestedPath("/autopxe-" + mac + ".poll"),
                IsOkAndHolds(RequestedPath(MenuPath{Mac(), Stage::kPoll})))
        << mac;
  }
}

// Faults, case 32: never another host's assignment.
TEST(RequestedPathTest, WhatIsNoMacIsNoHost) {
  for (const std::string mac :
       {"", ".poll", "bc2411b01ad", "bc2411b01ade0", "bc2411b01adg", "000000000000", "ffffffffffff",
        "bc2411b01ade.pol", "bc2411b01ade.poll.poll", " bc2411b01ade"}) {
    EXPECT_THAT(ParseRequestedPath("autopxe-" + mac),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("mac")))
        << mac;
  }
  EXPECT_THAT(ParseRequestedPath("autopxe-bc2411b01ade/x"), StatusIs(absl::StatusCode::kNotFound));
}

// Faults, case 1.
TEST(RequestedPathTest, WhatNoPathCanBeIsRefused) {
  const std::vector<std::string> kCases = {
      "",
      "/",
      "//",
      "//boot.ipxe",
      "boot.ipxe/",
      "../../etc/passwd",
      "/../etc/passwd",
      "..",
      ".",
      "./boot.ipxe",
      "boot/../../../etc/shadow",
      "boot/debian/bookworm/../../../etc/shadow",
      "boot/debian/bookworm/boot/..",
      "boot/debian/./boot/vmlinuz-6.1",
      "boot//debian/bookworm/boot/vmlinuz-6.1",
      "boot/debian/bookworm//etc/shadow",
      "boot/debian/bookworm/",
      "..\\..\\etc\\passwd",
      "boot\\debian",
      "%2e%2e/%2e%2e/etc/passwd",
      "boot/%2e%2e/etc",
      "boot/debian/bookworm/boot/vmlinuz%00",
      std::string("ipxe.efi\0", 9),
      std::string("ipxe\0.efi", 9),
      std::string("\0", 1),
      "ipxe.efi\n",
      "a\rb",
      "\x1b[31mred",
      "a\x7f",
      "caf\xc3\xa9",
      "files/../secret",
      "files/a/../../../etc/shadow",
      "files//etc/shadow",
      "files/",
      "files/%2e%2e/secret",
      "files/a\\b",
      "boot/\xc0\xae\xc0\xae/etc",
      std::string(513, 'a'),
      std::string(100'000, '/'),
  };
  for (const std::string& path : kCases) {
    EXPECT_THAT(ParseRequestedPath(path), StatusIs(absl::StatusCode::kInvalidArgument))
        << testing::PrintToString(path.substr(0, 64));
  }
}

// Faults, case 17: a firmware's probing is answered as what it is, a missing file.
TEST(RequestedPathTest, APathOfAnotherFormIsMissing) {
  for (const std::string path :
       {"grub/x86_64-efi/command.lst", "pxelinux.cfg/default", "pxelinux.cfg/01-52-54-00-12-34-56",
        "etc/shadow", "boot/debian", "boot/debian/bookworm", "boot/de bian/bookworm/vmlinuz",
        "boot/debian/${uuid}/vmlinuz", "Boot/debian/bookworm/vmlinuz", "rootfs/debian/bookworm/x",
        "files/.hidden", "files/a/.git/config", "files/a b", "files/${net0/mac}", "files/a{b}",
        "Files/mt86plus"}) {
    EXPECT_THAT(ParseRequestedPath(path),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr(absl::StrCat("\"", path, "\""))))
        << path;
  }
}

TEST(RequestedPathTest, ANextBootHasOneSpelling) {
  for (const std::string path : {"next/bc:24:11:b0:1a:de/17/begun",
                                 "next/bc2411b01ade/17/begun",
                                 "next/BC-24-11-B0-1A-DE/17/begun",
                                 "next/bc-24-11-b0-1a/17/begun",
                                 "next/ff-ff-ff-ff-ff-ff/17/begun",
                                 "next/bc-24-11-b0-1a-de/0/begun",
                                 "next/bc-24-11-b0-1a-de/-1/begun",
                                 "next/bc-24-11-b0-1a-de/+1/begun",
                                 "next/bc-24-11-b0-1a-de/017/begun",
                                 "next/bc-24-11-b0-1a-de/1 /begun",
                                 "next/bc-24-11-b0-1a-de/0x1/begun",
                                 "next/bc-24-11-b0-1a-de/9223372036854775808/begun",
                                 "next/bc-24-11-b0-1a-de/17",
                                 "next/bc-24-11-b0-1a-de/17/begun/x",
                                 "next/bc-24-11-b0-1a-de/17/Begun",
                                 "next/bc-24-11-b0-1a-de/17/local",
                                 "next/bc-24-11-b0-1a-de/17/undionly.kpxe",
                                 "next/bc-24-11-b0-1a-de/17/files",
                                 "next/bc-24-11-b0-1a-de/17/files/.hidden",
                                 "next/bc-24-11-b0-1a-de/17/autopxe-bc2411b01ade",
                                 "next/bc-24-11-b0-1a-de/17/boot/debian/bookworm",
                                 "next/bc-24-11-b0-1a-de/17/next/bc-24-11-b0-1a-de/17/begun",
                                 "Next/bc-24-11-b0-1a-de/17/begun",
                                 "x/next/bc-24-11-b0-1a-de/17/begun"}) {
    EXPECT_THAT(ParseRequestedPath(path), StatusIs(absl::StatusCode::kNotFound)) << path;
  }
  for (const std::string path :
       {"next/bc-24-11-b0-1a-de/17/", "next//17/begun",
        "next/bc-24-11-b0-1a-de/17/boot/debian/bookworm/../../../etc/shadow"}) {
    EXPECT_THAT(ParseRequestedPath(path), StatusIs(absl::StatusCode::kInvalidArgument)) << path;
  }
}

// Faults, case 1.
TEST(RequestedPathTest, AMessageShowsThePathEscapedAndShort) {
  EXPECT_THAT(ParseRequestedPath("a\x1b[31m/\n\"").status().message(),
              ::testing::AllOf(::testing::Not(HasSubstr("\x1b")), ::testing::Not(HasSubstr("\n"))));
  EXPECT_LT(ParseRequestedPath(std::string(100'000, 'a')).status().message().size(), 256u);
}

TEST(RequestedPathTest, RandomBytesNeverCrashAndNeverLeadUp) {
  std::mt19937 random(1);
  const std::string alphabet = std::string("/..-%\\abot xe0\n\x80\0", 17);
  for (int i = 0; i < 200'000; ++i) {
    static constexpr const char* kStarts[] = {"boot/a/b/", "autopxe-", "",
                                              "next/52-54-00-12-34-56/1/", "files/"};
    std::string text = kStarts[i % 5];
    const size_t size = random() % 24;
    for (size_t n = 0; n < size; ++n) text += alphabet[random() % alphabet.size()];
    const auto path = ParseRequestedPath(text);
    if (!path.ok()) continue;
    const std::string formatted = FormatRequestedPath(*path);
    EXPECT_THAT(ParseRequestedPath(formatted), IsOkAndHolds(*path));
    for (const absl::string_view part : absl::StrSplit(formatted, '/')) {
      ASSERT_TRUE(!part.empty() && part != "." && part != "..") << formatted;
    }
  }
}

}  // namespace
}  // namespace autopxe::agent
