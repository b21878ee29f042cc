#include "common/model/hostlist.h"

#include <algorithm>
#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/status/status_matchers.h"
#include "common/status/test_rounds.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Joined(const Hostlist& hostlist) { return absl::StrJoin(hostlist.names(), " "); }

TEST(HostlistTest, WritesOutTheNamesInTheOrderOfFirstMention) {
  const struct {
    const char* text;
    const char* names;
  } kCases[] = {
      {"cn1", "cn1"},
      {"login,cn2,cn1,cn2", "login cn2 cn1"},
      {"cn[1-3]", "cn1 cn2 cn3"},
      {"cn[3,1,2-3]", "cn3 cn1 cn2"},
      {"cn[001-003,200]", "cn001 cn002 cn003 cn200"},
      {"cn[8-11]", "cn8 cn9 cn10 cn11"},
      {"cn[08-11]", "cn08 cn09 cn10 cn11"},
      {"cn[098-101]", "cn098 cn099 cn100 cn101"},
      // The shorter end says the width, as in SLURM and in ClusterShell before 1.9.
      {"cn[08-10,98-101]", "cn08 cn09 cn10 cn98 cn99 cn100 cn101"},
      {"cn[09-10,099-100]", "cn09 cn10 cn099 cn100"},
      {"cn[1,01,001]", "cn1 cn01 cn001"},
      {"cn[0-0]", "cn0"},
      {"cn[00-01]", "cn00 cn01"},
      {"cn[05]", "cn05"},
      {"cn[0-10/2]", "cn0 cn2 cn4 cn6 cn8 cn10"},
      {"cn[01-10/4]", "cn01 cn05 cn09"},
      {"cn[1-5/10]", "cn1"},
      {"cn[1-4/03]", "cn1 cn4"},
      {"cn[0-999999999999999999/999999999999999999]", "cn0 cn999999999999999999"},
      {"cn[1-3].example.org", "cn1.example.org cn2.example.org cn3.example.org"},
      {"rack[1-2]-n[01-02]", "rack1-n01 rack1-n02 rack2-n01 rack2-n02"},
      {"r[1-2]c[1]n[1-2]x", "r1c1n1x r1c1n2x r2c1n1x r2c1n2x"},
      {"[1-2]", "1 2"},
      {"[1-2][3-4]", "13 14 23 24"},
      {"n0[1-2]", "n01 n02"},
      {"n1[9-10]", "n19 n110"},
      {"n[9-10]5", "n95 n105"},
      {"cn[1-10]!cn[3-4]", "cn1 cn2 cn5 cn6 cn7 cn8 cn9 cn10"},
      // From left to right.
      {"cn[1-4]!cn[2-3],cn3", "cn1 cn4 cn3"},
      {"a,b!a!b,c", "c"},
      {"a!b", "a"},
      {"a,b!b,a", "a"},
      {"cn[1-4]!cn[01-04]", "cn1 cn2 cn3 cn4"},
      // Names with dashes and digits are no ranges.
      {"cn1-5,a-1-2", "cn1-5 a-1-2"},
      {"10-77-10-20", "10-77-10-20"},
      {"n123456789012345678901234567890", "n123456789012345678901234567890"},
      // What no host is called is none of a hostlist's business.
      {"-a_B/c.", "-a_B/c."},
      // MACs, in every spelling.
      {"52:54:00:12:34:56", "52:54:00:12:34:56"},
      {"52-54-00-12-34-56,525400123457,5254.0012.3458",
       "52-54-00-12-34-56 525400123457 5254.0012.3458"},
      {"52:54:00:12:34:56,cn[1-2]!52:54:00:12:34:56", "cn1 cn2"},
      {"52:54:00", "52:54:00"},
  };
  for (const auto& [text, names] : kCases) {
    const absl::StatusOr<Hostlist> hostlist = Hostlist::Parse(text);
    ASSERT_THAT(hostlist, IsOk()) << text;
    EXPECT_EQ(Joined(*hostlist), names) << text;
  }
}

TEST(HostlistTest, RefusesWhatIsMalformedAndSaysWhatWhereAndWhatIsExpected) {
  const struct {
    std::string text;
    const char* why;
  } kCases[] = {
      {"", "is empty; expected names such as cn[001-128,200], joined by ','"},
      {"cn[1-3", "the '[' at character 3 is never closed; expected a ']' after its numbers"},
      {"a,cn[1-3,b", "the '[' at character 5 is never closed; expected a ']' after its numbers"},
      {"cn[", "the '[' at character 3 is never closed; expected a ']' after its numbers"},
      {"cn]", "the ']' at character 3 closes nothing; expected a '[' before it"},
      {"cn[1]]", "the ']' at character 6 closes nothing; expected a '[' before it"},
      {"cn[1[2]]",
       "the '[' at character 5 stands within the one at character 3; expected a ']' first, since "
       "brackets do not nest"},
      {"a[1,b[2]",
       "the '[' at character 6 stands within the one at character 2; expected a ']' first, since "
       "brackets do not nest"},
      {"cn[]",
       "the range \"\" at character 4 is empty; expected a number such as 7 or a range 1-16"},
      {"cn[1,]",
       "the range \"\" at character 6 is empty; expected a number such as 7 or a range 1-16"},
      {"cn[,1]",
       "the range \"\" at character 4 is empty; expected a number such as 7 or a range 1-16"},
      {"cn[1,,2]",
       "the range \"\" at character 6 is empty; expected a number such as 7 or a range 1-16"},
      {"cn[5-1]",
       "the range \"5-1\" at character 4 runs backwards; expected the lower number first"},
      {"cn[1,10-09]",
       "the range \"10-09\" at character 6 runs backwards; expected the lower number first"},
      {"cn[a-b]",
       "the range \"a-b\" at character 4 is none; expected a number such as 7, or 001-128, or "
       "0-10/2"},
      {"cn[1-2/0]", "the range \"1-2/0\" at character 4 has the step 0; expected one of 1 or more"},
      {"cn[3/2]", "the range \"3/2\" at character 4 has a step; expected one after a range only"},
      {"cn[1-1000000000000000000]",
       "the range \"1-1000000000000000000\" at character 4 is too large; expected numbers of 18 "
       "digits at most"},
      {"cn[1-010]",
       "the range \"1-010\" at character 4 has ends padded differently; expected both of one "
       "width, such as 001-010"},
      {"a,,b",
       "the ',' at character 3 has nothing before it; expected a name such as cn1 or cn[1-4]"},
      {",a",
       "the ',' at character 1 has nothing before it; expected a name such as cn1 or cn[1-4]"},
      {"a,", "the ',' at character 2 has nothing after it; expected a name such as cn1 or cn[1-4]"},
      {"a!", "the '!' at character 2 has nothing after it; expected a name such as cn1 or cn[1-4]"},
      {"a!,b",
       "the ',' at character 3 has nothing before it; expected a name such as cn1 or cn[1-4]"},
      {"!a",
       "the '!' at character 1 has nothing before it that names could be taken out of; expected "
       "cn[1-10]!cn3"},
      {"a,!b",
       "the '!' at character 3 has nothing before it that names could be taken out of; expected "
       "cn[1-10]!cn3"},
      {"a!a", "names no host, since its '!' take out all; expected at least one to be left"},
      {"a, b", "a blank at character 3; expected names joined by ',' alone"},
      {"a@b", "a '@' at character 2; expected names, brackets, ',' and '!' only"},
      {"52:54:00:12:34:[56-58]",
       "the brackets of the part at character 1 write the MAC \"52:54:00:12:34:56\" in decimal, "
       "but its digits are hexadecimal; expected each MAC in full"},
  };
  for (const auto& [text, why] : kCases) {
    EXPECT_THAT(Hostlist::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         absl::StrCat("hostlist \"", absl::StrFormat("%s", text), "\": ", why)))
        << text;
  }
}

TEST(HostlistTest, RefusesEveryOtherFormOfRange) {
  for (const char* range : {"-",  "1-", "-1",   "1--2",    "1-2-3",  "+1",   "1-+2", "0x1",
                            "1.", "1/", "1-2/", "1-2/2/2", "1-2/-1", "/",    "/2",   "1/2-3",
                            "a",  "1a", "1-b",  "1:2",     "1!2",    "-1-2", "1-/2"}) {
    const std::string text = absl::StrCat("cn[", range, "]");
    EXPECT_THAT(Hostlist::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         StartsWith(absl::StrCat("hostlist \"", text, "\": the range \"", range,
                                                 "\" at character 4 "))))
        << text;
  }
  for (const char* range : {"001-01", "01-001", "1-01", "001-5", "9-010", "0-00", "00-9"}) {
    EXPECT_THAT(
        Hostlist::Parse(absl::StrCat("cn[", range, "]")),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has ends padded differently")))
        << range;
  }
}

TEST(HostlistTest, RefusesBlanksControlCharactersAndOtherSigns) {
  for (const std::string& text :
       {std::string(" "), std::string(" a"), std::string("a "), std::string("a b"),
        std::string("a\tb"), std::string("a\n"), std::string("a\r\nb"), std::string("a[1 -2]"),
        std::string("a[1, 2]")}) {
    EXPECT_THAT(Hostlist::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(": a blank at character ")))
        << text;
  }
  for (const std::string& text :
       {std::string("a\0b", 3), std::string("\x1b[2J"), std::string("a\x7f"),
        std::string("b\xc3\xbcro"), std::string("a[1\x01]"), std::string("\xff")}) {
    const absl::StatusOr<Hostlist> hostlist = Hostlist::Parse(text);
    ASSERT_THAT(hostlist,
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(": the octet 0x"), HasSubstr("expected printable"))))
        << text;
    // The message may be shown on a terminal and in a log.
    for (const char c : hostlist.status().message()) ASSERT_TRUE(c >= 0x20 && c < 0x7f);
  }
  for (const char* text : {"@rack1", "a[1-5]&a[2-3]", "a^b", "cn*", "cn?", "*"}) {
    EXPECT_THAT(Hostlist::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("expected names, brackets, ',' and '!'")))
        << text;
  }
}

TEST(HostlistTest, BracketsNeverWriteAMac) {
  for (const char* text :
       {"52:54:00:12:34:[08-12]", "52:54:00:12:34:5[6]", "cn1,52-54-00-12-34-[56-58]",
        "5254001234[56-58]", "5254.0012.[1000-1001]", "cn[1-2]!52:54:00:12:34:[1-2]",
        "525400[99999-100000]"}) {
    EXPECT_THAT(Hostlist::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("; expected each MAC in full")))
        << text;
  }
}

TEST(HostlistTest, TakesAsManyNamesAsAreAllowed) {
  for (const char* text :
       {"cn[1-100000]", "cn[000000-099999]", "r[1-100]n[1-1000]", "[1-10]x[1-10]y[1-1000]z[1]",
        "cn[1-50000],login[1-50000]", "cn[0-999990/10]", "cn[1-100000]!cn[0]"}) {
    const absl::StatusOr<Hostlist> hostlist = Hostlist::Parse(text);
    ASSERT_THAT(hostlist, IsOk()) << text;
    EXPECT_EQ(hostlist->names().size(), kMaxHostlistNames) << text;
  }
  // The names to take out count for themselves.
  EXPECT_EQ(Hostlist::Parse("cn[1-100000]!cn[2-100000]")->names().size(), 1u);
}

TEST(HostlistTest, RefusesMoreNamesBeforeItWritesAnyOut) {
  std::string many = "a[1]";
  for (size_t i = 0; i < kMaxHostlistNames; ++i) many += ",a[1]";
  std::string squared = "cn[1-100000]";
  for (int i = 0; i < 100000; ++i) squared += "!cn[1-100000]";
  std::string in_bracket = "cn[1";
  for (size_t i = 0; i < kMaxHostlistNames; ++i) in_bracket += ",1";
  in_bracket += "]";
  for (const std::string& text :
       {std::string("cn[0-100000]"), std::string("a[0-999999999][0-99999999]"),
        std::string("cn[0-999999999999999999]"), std::string("r[1-1000]n[1-101]"),
        std::string("[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"
                    "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"),
        std::string("cn[1-60000],cn[1-60000]"), std::string("a!b[1-100001]"),
        std::string("a!b[1-60000]!b[1-60000]"), std::string("cn[0-999999999/2]"), many, squared,
        in_bracket}) {
    EXPECT_THAT(Hostlist::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(StartsWith("hostlist \""), HasSubstr(" at character "),
                               EndsWith(" brings it to more than 100000 names; expected that many "
                                        "at most"))))
        << text.substr(0, 100);
  }
  EXPECT_THAT(Hostlist::Parse("a[0-999999999][0-99999999]"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "hostlist \"a[0-999999999][0-99999999]\": the range at character 3 brings "
                       "it to more than 100000 names; expected that many at most"));
}

TEST(HostlistTest, RefusesNamesAndTextsThatAreTooLong) {
  const std::string longest(kMaxHostlistName, 'a');
  EXPECT_THAT(Hostlist::Parse(longest), IsOk());
  EXPECT_THAT(Hostlist::Parse(longest.substr(1) + "[1-9]"), IsOk());
  std::string brackets;
  for (size_t i = 0; i <= kMaxHostlistName; ++i) brackets += "[1]";
  for (const std::string& text :
       {longest + "a", longest + "[1-2]", longest.substr(1) + "[1-10]",
        longest.substr(1) + "[01-02]", "[1-2]" + longest, longest.substr(1) + "[1-10/9]", brackets,
        std::string(1 << 20, 'a'), std::string(1 << 20, '1') + "[1-100000]"}) {
    EXPECT_THAT(Hostlist::Parse("cn1," + text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(": the name at character 5 is too long; expected 253 ")))
        << text.substr(0, 100);
  }
  for (const char c : {'a', '[', ','}) {
    const absl::StatusOr<Hostlist> hostlist = Hostlist::Parse(std::string(kMaxHostlistText + 1, c));
    ASSERT_THAT(hostlist,
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("expected 25600000 characters at most, got 25600001")));
    EXPECT_LT(hostlist.status().message().size(), 300u);
    EXPECT_THAT(Hostlist::Parse(std::string(kMaxHostlistText, c)),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(HostlistTest, OfKeepsEachNameOnce) {
  EXPECT_THAT(Hostlist::Of({"b", "a", "b", "a1", "a"}).names(), ElementsAre("b", "a", "a1"));
  EXPECT_THAT(Hostlist::Of({}).names(), ElementsAre());
  EXPECT_EQ(Hostlist::Of({}).Format(), "");
}

TEST(HostlistTest, FormatIsCanonical) {
  const struct {
    const char* text;
    const char* folded;
  } kCases[] = {
      {"cn[3,1,2]", "cn[1-3]"},
      {"cn[0-10/2]", "cn[0,2,4,6,8,10]"},
      {"cn[1-10]!cn[3-4]", "cn[1-2,5-10]"},
      {"rack[1-2]-n[01-02]", "rack[1-2]-n[01-02]"},
      {"cn[01-100]", "cn[01-99,100]"},
      {"[1-2][3-4]", "[13-14,23-24]"},
      {"cn[1-2]5", "cn[15,25]"},
      {"52:54:00:12:34:56,cn2,52:54:00:12:34:57,cn1",
       "cn[1-2],52:54:00:12:34:56,52:54:00:12:34:57"},
  };
  for (const auto& [text, folded] : kCases) {
    const absl::StatusOr<Hostlist> hostlist = Hostlist::Parse(text);
    ASSERT_THAT(hostlist, IsOk()) << text;
    EXPECT_EQ(hostlist->Format(), folded) << text;
  }
}

// That Parse reads the same set from what Format writes, in its order.
void ExpectRoundTrip(const Hostlist& hostlist) {
  const std::string folded = hostlist.Format();
  const absl::StatusOr<Hostlist> again = Hostlist::Parse(folded);
  ASSERT_THAT(again, IsOk()) << folded;
  EXPECT_EQ(std::set<std::string>(again->names().begin(), again->names().end()),
            std::set<std::string>(hostlist.names().begin(), hostlist.names().end()))
      << folded;
  EXPECT_EQ(again->names().size(), hostlist.names().size()) << folded;
  EXPECT_EQ(again->Format(), folded);
}

TEST(HostlistTest, ParseGivesTheSetThatWasFormattedForRandomNames) {
  // Few characters, so that names are often alike but for their digits.
  constexpr absl::string_view kCharacters = "0011289ab.-:";
  for (int seed = 0; seed < TestRounds(400); ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const size_t longest = 1 + random() % 8;
    std::vector<std::string> names;
    for (size_t count = 1 + random() % 200; names.size() < count;) {
      std::string name;
      for (size_t length = 1 + random() % longest; name.size() < length;) {
        name += kCharacters[random() % kCharacters.size()];
      }
      names.push_back(std::move(name));
    }
    const Hostlist hostlist = Hostlist::Of(names);
    ExpectRoundTrip(hostlist);
    // Whatever the order.
    std::shuffle(names.begin(), names.end(), random);
    EXPECT_EQ(Hostlist::Of(names).Format(), hostlist.Format());
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(HostlistTest, ParseGivesTheSetThatWasFormattedForRandomRacks) {
  for (int seed = 0; seed < TestRounds(200); ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const auto number = [&](unsigned most) {
      return absl::StrFormat("%0*d", 1 + random() % 3, random() % most);
    };
    std::vector<std::string> names;
    for (size_t count = 1 + random() % 300; names.size() < count;) {
      names.push_back(absl::StrCat("r", number(3), "c", number(3), "n", number(12),
                                   random() % 4 == 0 ? ".example.org" : ""));
    }
    ExpectRoundTrip(Hostlist::Of(std::move(names)));
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(HostlistTest, ALongListIsCutBehindACommaForASentence) {
  const Hostlist hosts = Hostlist::Of({"alpha", "beta", "gamma7", "delta"});
  EXPECT_EQ(hosts.FormatShort(200), hosts.Format());
  EXPECT_EQ(hosts.FormatShort(14), "alpha,beta,...");
  EXPECT_EQ(Hostlist::Of({"cn01", "cn03", "cn05"}).FormatShort(8), "cn[01,03,...");
  EXPECT_EQ(Hostlist::Of({"averylongname"}).FormatShort(5), "avery...");
}

TEST(HostlistTest, ParseRefusesOrReadsEveryRandomText) {
  constexpr absl::string_view kCharacters = "a0129[]-,!/:";
  std::mt19937 random(7);
  const int texts = TestRounds(60000);
  int read = 0;
  for (int i = 0; i < texts; ++i) {
    std::string text;
    for (size_t length = 1 + random() % 14; text.size() < length;) {
      text += kCharacters[random() % kCharacters.size()];
    }
    const absl::StatusOr<Hostlist> hostlist = Hostlist::Parse(text);
    if (!hostlist.ok()) {
      ASSERT_THAT(hostlist, StatusIs(absl::StatusCode::kInvalidArgument,
                                     StartsWith(absl::StrCat("hostlist \"", text, "\": "))));
      continue;
    }
    ++read;
    ExpectRoundTrip(*hostlist);
    if (HasFailure()) FAIL() << text;
  }
  EXPECT_GT(read, texts / 120);
}

}  // namespace
}  // namespace autopxe
