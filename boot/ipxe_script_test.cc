#include "boot/ipxe_script.h"

#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/ipxe_interpreter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

// What iPXE has in ${x:string} after a script that sets it to `text`.
std::string Stored(absl::string_view text) {
  IpxeScript script;
  script.Add("#!ipxe");
  script.Set("x", text);
  IpxeInterpreter ipxe;
  const auto result = ipxe.Run(script.text());
  EXPECT_TRUE(result.ok()) << result.status();
  return ipxe.Show("x:string");
}

// faults.md 31.
TEST(IpxeScriptTest, TextOfAnyKindArrivesAsItIsAndDoesNothing) {
  for (const char* text : {"",
                           "plain",
                           "two  blanks",
                           " leading",
                           "trailing ",
                           "\"quotes\" 'single'",
                           "a || echo b",
                           "a && reboot",
                           "# comment",
                           "; reboot",
                           "--key x",
                           "-n",
                           "100%",
                           "%20",
                           "%0A",
                           "\\",
                           "a\\",
                           "$",
                           "$$ {",
                           "}",
                           "a$b{c}",
                           "root=/dev/nfs nfsroot=10.0.0.1:/x,v3 ip=dhcp"}) {
    EXPECT_EQ(Stored(text), text);
  }
}

TEST(IpxeScriptTest, WhatCanNotBeWrittenIsReplaced) {
  const struct {
    const char* text;
    const char* stored;
  } kCases[] = {
      {"a\nreboot", "a?reboot"}, {"\x1b[31mred", "?[31mred"}, {"\xc3\xa4", "??"}, {"a\tb", "a?b"},
      {"${uuid}", "?{uuid}"},    {"$${x}", "$?{x}"},          {"\x7f", "?"},      {"a${b", "a?{b"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Stored(c.text), c.stored);
}

TEST(IpxeScriptTest, ReadableTextStaysReadable) {
  IpxeScript script;
  script.Set("x", "root=/dev/nfs nfsroot=10.0.0.1:/x,v3");
  script.Set("y", "");
  script.SetVariable(VariableName::Parse("nfs-server").value(), "172.25.2.11");
  script.SetNumbered("_default", 12, "a b");
  EXPECT_EQ(script.text(),
            "set x:uristring root=/dev/nfs%20nfsroot=10.0.0.1:/x,v3\n"
            "set y:uristring\n"
            "set nfs-server:uristring 172.25.2.11\n"
            "set _default12:uristring a%20b\n");
}

TEST(IpxeScriptTest, ReferencesBetweenTextsStayReferencesAndTextNeverBecomesOne) {
  IpxeText text;
  text.Append("a b=").AppendText("nfs-server").Append("%").AppendReference("hostname");
  text.AppendReference("net0/mac").Append("$").Append("{x}");
  EXPECT_EQ(text.encoded(),
            "a%20b=${nfs-server:uristring}%25${hostname:uristring}${net0/mac}%24%3Fx%7D");
}

TEST(IpxeScriptTest, RandomTextIsStoredAsItIsOrReplacedCharacterByCharacter) {
  std::mt19937 random(31);
  const absl::string_view favourites = "${}%|&#;\\\"' -\n\t\r";
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (size_t length = random() % 24; length > 0; --length) {
      text += random() % 2 == 0 ? favourites[random() % favourites.size()]
                                : static_cast<char>(1 + random() % 255);
    }
    const std::string stored = Stored(text);
    ASSERT_EQ(stored.size(), text.size());
    bool writable = !absl::StrContains(text, "${");
    for (size_t i = 0; i < text.size(); ++i) {
      writable = writable && text[i] >= ' ' && text[i] <= '~';
      EXPECT_TRUE(stored[i] == text[i] || stored[i] == '?');
    }
    if (writable) {
      EXPECT_EQ(stored, text);
    }
  }
}

TEST(IpxeScriptTest, WordsAreWrittenWithoutBlanksOrAnythingThatIpxeWouldTake) {
  const Distro distro = Distro::Parse("debian/bookworm/6.1+x~1/overlayfs").value();
  EXPECT_EQ(IpxeWord::Of(distro).text(), "debian/bookworm/6.1+x~1/overlayfs");
  EXPECT_EQ(IpxeWord::KernelOf(distro).text(), "debian/bookworm/6.1+x~1");
  EXPECT_EQ(IpxeWord::WithoutName(distro).text(), "bookworm/6.1+x~1/overlayfs");
  EXPECT_EQ(IpxeWord::Of(-7).text(), "-7");
  EXPECT_EQ(IpxeWord::UriPath("boot/a b/${x}#?%+~_.-").text(),
            "boot/a%20b/%24%7Bx%7D%23%3F%25%2B~_.-");
  EXPECT_EQ(IpxeWord::UriPath("\xc3\xa4\n").text(), "%C3%A4%0A");
}

TEST(IpxeScriptTest, UrisNameThePortOnlyWhereItIsNotTheirOwn) {
  const IpAddress v4 = IpAddress::Parse("10.77.1.1").value();
  const IpAddress v6 = IpAddress::Parse("fd00::1").value();
  EXPECT_EQ(IpxeWord::HttpUri(v4, 8080).text(), "http://10.77.1.1:8080/");
  EXPECT_EQ(IpxeWord::HttpUri(v4, 80).text(), "http://10.77.1.1/");
  EXPECT_EQ(IpxeWord::HttpUri(v6, 8080).text(), "http://[fd00::1]:8080/");
  EXPECT_EQ(IpxeWord::TftpUri(v6, 69).text(), "tftp://[fd00::1]/");
  EXPECT_EQ(IpxeWord::TftpUri(v4, 1069).text(), "tftp://10.77.1.1:1069/");
}

TEST(IpxeScriptTest, LinesTakeTheirWordsInOrder) {
  IpxeScript script;
  script.Add("item --key %s %s x%%20", {IpxeWord::Key('1'), IpxeWord::Of(int64_t{2})});
  script.Add("boot");
  IpxeScript other;
  other.Add("exit");
  script.Append(other);
  EXPECT_EQ(script.text(), "item --key 1 2 x%%20\nboot\nexit\n");
}

}  // namespace
}  // namespace autopxe
