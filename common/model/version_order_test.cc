#include "common/model/version_order.h"

#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

int Sign(int value) { return (value > 0) - (value < 0); }

std::string TempPath(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/version_order_", name);
}

// Versions of Debian's and Ubuntu's kernel packages, as the names of their files have them.
const std::vector<std::string>& KernelVersions() {
  static const auto& versions = *new std::vector<std::string>{"6.6.63",
                                                              "6.1.0-9-amd64",
                                                              "6.1.0-10-amd64",
                                                              "6.1.0-25-amd64",
                                                              "6.1.0-25-rt-amd64",
                                                              "6.1.0-25-cloud-amd64",
                                                              "6.1.0-0.deb11.21-amd64",
                                                              "5.10.0-32-amd64",
                                                              "6.12.0-1~exp1-amd64",
                                                              "6.12~rc6-amd64",
                                                              "6.12-amd64",
                                                              "5.15.0-124-generic",
                                                              "5.15.0-1072-kvm",
                                                              "4.19.0-27-686-pae",
                                                              "6.8.0-48-generic",
                                                              "6.8.0-48-lowlatency"};
  return versions;
}

TEST(CompareDebianVersionsTest, FollowsDebVersion) {
  // Each is older than the next.
  constexpr absl::string_view kAscending[] = {
      "~~",        "~~a",   "~",        "0~~",    "0~",     "0",       "0a",
      "0+",        "0.1",   "1.0~~",    "1.0~~a", "1.0~",   "1.0~rc1", "1.0",
      "1.0-1~bpo", "1.0-1", "1.0-1+b1", "1.0-2",  "1.0-10", "1.0a",    "1.0+dfsg",
      "1.0.1",     "1.9",   "1.10",     "1:0.1",  "1:0.2",  "2:0~",    "10:0"};
  for (size_t i = 0; i < std::size(kAscending); ++i) {
    for (size_t j = i; j < std::size(kAscending); ++j) {
      EXPECT_EQ(Sign(CompareDebianVersions(kAscending[i], kAscending[j])), i == j ? 0 : -1)
          << kAscending[i] << " " << kAscending[j];
      EXPECT_EQ(Sign(CompareDebianVersions(kAscending[j], kAscending[i])), i == j ? 0 : 1)
          << kAscending[j] << " " << kAscending[i];
    }
  }
}

TEST(CompareDebianVersionsTest, DifferentTextsCanBeTheSameVersion) {
  const std::pair<const char*, const char*> kSame[] = {{"1.0", "1.0-0"}, {"1.0", "0:1.0"},
                                                       {"1.01", "1.1"},  {"1.0-01", "1.0-1"},
                                                       {"", "0"},        {"00:1", "1"}};
  for (const auto& [a, b] : kSame) {
    EXPECT_EQ(CompareDebianVersions(a, b), 0) << a << " " << b;
    EXPECT_EQ(CompareDebianVersions(b, a), 0) << b << " " << a;
  }
}

TEST(CompareDebianVersionsTest, DigitsOfAnyLengthCompareByValue) {
  const std::string nines(10000, '9');
  const std::string one_more = "1" + std::string(10000, '0');
  EXPECT_LT(CompareDebianVersions(nines, one_more), 0);
  EXPECT_LT(CompareRpmVersions(nines, one_more), 0);
  EXPECT_LT(CompareDebianVersions("1:0", nines + ":0"), 0);
  EXPECT_EQ(CompareDebianVersions(std::string(10000, '0') + "7", "7"), 0);
  EXPECT_GT(CompareDebianVersions("18446744073709551617", "1"), 0);
  EXPECT_GT(CompareRpmVersions("18446744073709551617", "1"), 0);
}

// faults.md 53: AutoPXE compared suffixes as text, and a version without a dash crashed it.
TEST(CompareDebianVersionsTest, NineIsOlderThanTenAndADashIsNotNeeded) {
  EXPECT_LT(CompareDebianVersions("6.1.0-9-amd64", "6.1.0-10-amd64"), 0);
  EXPECT_GT(CompareDebianVersions("6.6.63", "6.1.0-25-amd64"), 0);
  EXPECT_LT(CompareDebianVersions("6.6.9", "6.6.63"), 0);
}

// A version that dpkg accepts, near enough to others for their order to matter.
std::string RandomDebianVersion(std::mt19937& random) {
  constexpr absl::string_view kTokens[] = {"0", "1", "9", "10", "01", "a",  "Z", "rc",
                                           ".", "+", "~", "-",  ".0", "~~", "b", "20241122"};
  std::string version;
  if (random() % 6 == 0) absl::StrAppend(&version, random() % 3, ":");
  absl::StrAppend(&version, random() % 3);
  for (size_t count = random() % 7; count > 0; --count) {
    absl::StrAppend(&version, kTokens[random() % std::size(kTokens)]);
  }
  // dpkg refuses an empty revision.
  if (version.back() == '-') version += "1";
  return version;
}

TEST(CompareDebianVersionsTest, AgreesWithDpkg) {
  std::mt19937 random(7);
  std::vector<std::pair<std::string, std::string>> pairs;
  for (size_t i = 0; i < KernelVersions().size(); ++i) {
    for (size_t j = 0; j < i; ++j) pairs.emplace_back(KernelVersions()[i], KernelVersions()[j]);
  }
  while (pairs.size() < 400) {
    std::string a = RandomDebianVersion(random);
    std::string b = a;
    if (random() % 3 == 0) {
      b = RandomDebianVersion(random);
    } else {
      // One character more, behind the epoch and the first digit, which dpkg insists on:
      // differences late in the text.
      const size_t first = b.find(':') == std::string::npos ? 0 : b.find(':') + 1;
      const size_t at = first + 1 + random() % (b.size() - first);
      b.insert(at, 1, absl::string_view("0a~+.")[random() % 5]);
    }
    pairs.emplace_back(std::move(a), std::move(b));
  }

  const std::string questions = TempPath("questions");
  const std::string answers = TempPath("answers");
  {
    std::ofstream file(questions);
    for (const auto& [a, b] : pairs) {
      const int order = Sign(CompareDebianVersions(a, b));
      file << a << " " << (order < 0 ? "lt" : order > 0 ? "gt" : "eq") << " " << b << "\n";
    }
  }
  // The relation that we found, asked of dpkg: 0 if it holds, 1 if it does not, 2 for a version
  // that it refuses.
  const std::string script = absl::StrCat(
      "while read -r a relation b; do dpkg --compare-versions \"$a\" $relation \"$b\"; "
      "echo $?; done < '",
      questions, "' > '", answers, "' 2> /dev/null");
  ASSERT_EQ(std::system(script.c_str()), 0);
  std::ifstream file(answers);
  for (const auto& [a, b] : pairs) {
    std::string answer;
    ASSERT_TRUE(std::getline(file, answer)) << "dpkg did not answer " << a << " " << b;
    EXPECT_EQ(answer, "0") << a << " " << b << " we say " << CompareDebianVersions(a, b);
  }
}

// rpm's own test suite (tests/rpmvercmp.at), in both directions.
TEST(CompareRpmVersionsTest, AgreesWithRpmsOwnTable) {
  const struct {
    const char* a;
    const char* b;
    int order;
  } kCases[] = {
      {"1.0", "1.0", 0},
      {"1.0", "2.0", -1},
      {"2.0.1", "2.0.1", 0},
      {"2.0", "2.0.1", -1},
      {"2.0.1a", "2.0.1a", 0},
      {"2.0.1a", "2.0.1", 1},
      {"5.5p1", "5.5p1", 0},
      {"5.5p1", "5.5p2", -1},
      {"5.5p10", "5.5p10", 0},
      {"5.5p1", "5.5p10", -1},
      {"10xyz", "10.1xyz", -1},
      {"xyz10", "xyz10", 0},
      {"xyz10", "xyz10.1", -1},
      {"xyz.4", "xyz.4", 0},
      {"xyz.4", "8", -1},
      {"xyz.4", "2", -1},
      {"5.5p2", "5.6p1", -1},
      {"5.6p1", "6.5p1", -1},
      {"6.0.rc1", "6.0", 1},
      {"10b2", "10a1", 1},
      {"10a2", "10b2", -1},
      {"1.0aa", "1.0aa", 0},
      {"1.0a", "1.0aa", -1},
      {"10.0001", "10.0001", 0},
      {"10.0001", "10.1", 0},
      {"10.0001", "10.0039", -1},
      {"4.999.9", "5.0", -1},
      {"20101121", "20101121", 0},
      {"20101121", "20101122", -1},
      {"2_0", "2_0", 0},
      {"2.0", "2_0", 0},
      {"a", "a", 0},
      {"a+", "a+", 0},
      {"a+", "a_", 0},
      {"+a", "+a", 0},
      {"+a", "_a", 0},
      {"_+", "+_", 0},
      {"+", "_", 0},
      {"1.0~rc1", "1.0~rc1", 0},
      {"1.0~rc1", "1.0", -1},
      {"1.0~rc1", "1.0~rc2", -1},
      {"1.0~rc1~git123", "1.0~rc1~git123", 0},
      {"1.0~rc1~git123", "1.0~rc1", -1},
      {"1.0^", "1.0^", 0},
      {"1.0^", "1.0", 1},
      {"1.0^git1", "1.0^git1", 0},
      {"1.0^git1", "1.0", 1},
      {"1.0^git1", "1.0^git2", -1},
      {"1.0^git1", "1.01", -1},
      {"1.0^20160101", "1.0^20160101", 0},
      {"1.0^20160101", "1.0.1", -1},
      {"1.0^20160101^git1", "1.0^20160101^git1", 0},
      {"1.0^20160102", "1.0^20160101^git1", 1},
      {"1.0~rc1^git1", "1.0~rc1^git1", 0},
      {"1.0~rc1^git1", "1.0~rc1", 1},
      {"1.0^git1~pre", "1.0^git1~pre", 0},
      {"1.0^git1", "1.0^git1~pre", 1},
      // Version, then release.
      {"6.6.0-45.0.0.54.oe2409.x86_64", "6.6.0-45.0.0.54.oe2409.x86_64", 0},
      {"6.6.0-9.0.0.1.oe2409.x86_64", "6.6.0-45.0.0.54.oe2409.x86_64", -1},
      {"5.14.0-427.13.1.el9_4.x86_64", "5.14.0-427.20.1.el9_4.x86_64", -1},
      {"4.18.0-553.el8.x86_64", "5.14.0-70.el9.x86_64", -1},
      {"1.0-2", "1.0.1-1", -1},
      {"1.0", "1.0-1", -1},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Sign(CompareRpmVersions(c.a, c.b)), c.order) << c.a << " " << c.b;
    EXPECT_EQ(Sign(CompareRpmVersions(c.b, c.a)), -c.order) << c.b << " " << c.a;
  }
}

// What a sort needs of a comparison, for whatever text a file's name may hold.
TEST(VersionOrderTest, IsAnOrderForAnyText) {
  using Compare = int (*)(absl::string_view, absl::string_view);
  constexpr absl::string_view kCharacters("0019aZ.-~^+:\0\xc3 ", 15);
  std::mt19937 random(8);
  for (const Compare compare : {Compare{&CompareDebianVersions}, Compare{&CompareRpmVersions}}) {
    std::vector<std::string> texts;
    for (int i = 0; i < 60; ++i) {
      std::string text;
      for (size_t length = random() % 6; text.size() < length;) {
        text += kCharacters[random() % kCharacters.size()];
      }
      texts.push_back(std::move(text));
    }
    for (const std::string& a : texts) {
      EXPECT_EQ(compare(a, a), 0);
      for (const std::string& b : texts) {
        EXPECT_EQ(Sign(compare(a, b)), -Sign(compare(b, a))) << a << " " << b;
        for (const std::string& c : texts) {
          if (compare(a, b) <= 0 && compare(b, c) <= 0) {
            EXPECT_LE(compare(a, c), 0) << a << " " << b << " " << c;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace autopxe
