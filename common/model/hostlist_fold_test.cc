#include "common/model/hostlist_fold.h"

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(HostlistFoldTest, FoldsWhatDiffersInDigitsOnly) {
  const struct {
    const char* names;
    const char* folded;
  } kCases[] = {
      {"cn1", "cn1"},
      {"cn2 cn1", "cn[1-2]"},
      {"cn1 cn3", "cn[1,3]"},
      {"cn8 cn9 cn10 cn11", "cn[8-11]"},
      {"cn099 cn100 cn101", "cn[099-101]"},
      {"1 2 3", "[1-3]"},
      {"0 1 00 01", "[0-1,00-01]"},
      {"cn1.example.org cn2.example.org", "cn[1-2].example.org"},
      // Several numbers, the last one first.
      {"rack1-n01 rack1-n02 rack2-n01 rack2-n02", "rack[1-2]-n[01-02]"},
      {"r1n1 r1n2 r2n1", "r1n[1-2],r2n1"},
      {"r1n1 r1n2 r2n1 r3n1 r3n2 r4n1", "r[1,3]n[1-2],r[2,4]n1"},
      {"a1b1c1 a1b1c2 a1b2c1 a1b2c2 a2b1c1 a2b1c2 a2b2c1 a2b2c2", "a[1-2]b[1-2]c[1-2]"},
      {"a1b1c1 a2b1c2", "a1b1c1,a2b1c2"},
      {"a1b7c1 a2b7c1", "a[1-2]b7c1"},
      // Padding is part of the name.
      {"n1 n01", "n[1,01]"},
      {"n1 n2 n01 n02", "n[1-2,01-02]"},
      {"n9 n10 n05", "n[9,05,10]"},
      {"n8 n9 n08 n09 n10 n11", "n[8-9,08-11]"},
      {"n9 n010", "n[9,010]"},
      {"n98 n99 n01 n100 n101", "n[01,98-101]"},
      {"n01 n02 n99 n100", "n[01-02,99-100]"},
      {"r1n01 r01n1 r1n1 r01n01", "r[1,01]n[1,01]"},
      // Not alike: another text around, or behind.
      {"cn1 dn1 cn2a", "cn1,cn2a,dn1"},
      {"a-1 a1", "a-1,a1"},
      // Dashes are no ranges.
      {"cn1-5 cn1-6", "cn1-[5-6]"},
      {"n1-2-3 n2-2-3", "n[1-2]-2-3"},
      // In natural order.
      {"n10 m1 n9 a login b20", "a,b20,login,m1,n[9-10]"},
      {"cn1 cn1x cn2 cn2x cn10", "cn[1-2,10],cn[1-2]x"},
      // Too long to be counted: text.
      {"n1234567890123456789 n1234567890123456790", "n1234567890123456789,n1234567890123456790"},
      {"n123456789012345678 n123456789012345679", "n[123456789012345678-123456789012345679]"},
      {"n1234567890123456789x1 n1234567890123456789x2", "n1234567890123456789x[1-2]"},
      // MACs, in every spelling, and what looks like one.
      {"52:54:00:12:34:57 52:54:00:12:34:56 zz", "zz,52:54:00:12:34:56,52:54:00:12:34:57"},
      {"52:54:00:12:34:1a 52:54:00:12:34:09", "52:54:00:12:34:09,52:54:00:12:34:1a"},
      {"525400123456 525400123457", "525400123456,525400123457"},
      {"52-54-00-12-34-56 52-54-00-12-34-57", "52-54-00-12-34-56,52-54-00-12-34-57"},
      {"5254.0012.3456 5254.0012.3457", "5254.0012.3456,5254.0012.3457"},
      // Of more than twelve numbers, the last twelve.
      {"1a1a1a1a1a1a1a1a1a1a1a1a1 1a1a1a1a1a1a1a1a1a1a1a1a2", "1a1a1a1a1a1a1a1a1a1a1a1a[1-2]"},
      {"1a1a1a1a1a1a1a1a1a1a1a1a1 2a1a1a1a1a1a1a1a1a1a1a1a1",
       "1a1a1a1a1a1a1a1a1a1a1a1a1,2a1a1a1a1a1a1a1a1a1a1a1a1"},
      // Whatever it is.
      {"", ""},
  };
  for (const auto& [names, folded] : kCases) {
    EXPECT_EQ(FoldNames(absl::StrSplit(names, ' ', absl::SkipEmpty())), folded) << names;
  }
}

// Quadratic work on these would take minutes.
TEST(HostlistFoldTest, FoldsManyNames) {
  constexpr int kNames = 100000;
  std::mt19937 random(1);
  const auto fold = [&](const auto& name_of) {
    std::vector<std::string> names;
    names.reserve(kNames);
    for (int i = 0; i < kNames; ++i) names.push_back(name_of(i));
    std::shuffle(names.begin(), names.end(), random);
    return FoldNames(names);
  };
  EXPECT_EQ(fold([](int i) { return absl::StrCat("cn", i); }), "cn[0-99999]");
  EXPECT_EQ(fold([](int i) {
              return absl::StrFormat("r%d-c%02d-n%03d", i / 5000, i / 100 % 50, i % 100);
            }),
            "r[0-19]-c[00-49]-n[000-099]");
  // Each number alone.
  EXPECT_EQ(fold([](int i) { return absl::StrCat("cn", 2 * i); }).size(), 644448u);
  // Nothing in common.
  EXPECT_EQ(fold([](int i) { return absl::StrCat("r", i, "n", i); }).size(), 1277779u);
  EXPECT_EQ(fold([](int i) {
              return absl::StrFormat("52:54:00:%02x:%02x:%02x", i >> 16, i >> 8 & 255, i & 255);
            }).size(),
            1799999u);
  std::string letters;
  const std::string unlike = fold([&](int i) {
    letters.clear();
    for (int rest = i; letters.size() < 6; rest /= 10)
      letters += static_cast<char>('a' + rest % 10);
    return absl::StrCat(letters, i % 7);
  });
  EXPECT_EQ(unlike.size(), kNames * 8u - 1);
  // As long as names are, and all numbers.
  EXPECT_GT(fold([](int i) {
              std::string name = absl::StrCat(i);
              while (name.size() < 250) absl::StrAppend(&name, "-", (i >> name.size() % 17) % 10);
              return name;
            }).size(),
            kNames * 250u);
}

}  // namespace
}  // namespace autopxe
