#include "boot/suggestion.h"

#include <algorithm>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string>& Distros() {
  static const auto& distros = *new std::vector<std::string>{
      "debian/bookworm/latest/nfsrw", "debian/bookworm/latest/overlayfs",
      "debian/trixie/latest/overlayfs", "ubuntu/noble/latest/overlayfs", "local"};
  return distros;
}

TEST(SuggestionTest, ATypoFindsWhatWasMeantFirst) {
  const struct {
    const char* word;
    const char* meant;
  } kCases[] = {
      {"debain/bookworm/latest/overlayfs", "debian/bookworm/latest/overlayfs"},   // Swapped.
      {"debian/bookwrm/latest/overlayfs", "debian/bookworm/latest/overlayfs"},    // Left out.
      {"debian/bookworm/latest/overlayfss", "debian/bookworm/latest/overlayfs"},  // Too many.
      {"debian/bookworn/latest/nfsrw", "debian/bookworm/latest/nfsrw"},           // Wrong.
      {"Debian/Bookworm/Latest/NFSRW", "debian/bookworm/latest/nfsrw"},           // Letter case.
      {"lcoal", "local"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Suggest(c.word, Distros(), 1), ElementsAre(c.meant)) << c.word;
  }
}

TEST(SuggestionTest, NothingIsSuggestedForSomethingElseAltogether) {
  EXPECT_THAT(Suggest("windows", Distros(), 3), IsEmpty());
  EXPECT_THAT(Suggest("", Distros(), 3), IsEmpty());
  EXPECT_THAT(Suggest(std::string(100'000, 'a'), Distros(), 3), IsEmpty());
  EXPECT_THAT(Suggest("local", {}, 3), IsEmpty());
}

TEST(SuggestionTest, EquallyCloseOnesKeepTheirOrderAndTheirNumberIsBounded) {
  const std::vector<std::string> hosts = {"node3", "node1", "node2", "node"};
  EXPECT_THAT(Suggest("nodex", hosts, 3), ElementsAre("node3", "node1", "node2"));
  EXPECT_THAT(Suggest("node", hosts, 2), ElementsAre("node", "node3"));
  EXPECT_THAT(Suggest("node", hosts, 0), IsEmpty());
}

// The definition, without any short cut.
size_t PlainDistance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

TEST(SuggestionTest, FindsExactlyTheCandidatesWithinAThirdOfTheWord) {
  std::mt19937 random(20240601);
  const auto word = [&] {
    std::string text(1 + random() % 24, 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    return text;
  };
  for (int round = 0; round < 3000; ++round) {
    const std::string a = word();
    const std::string b = word();
    const size_t limit = std::clamp<size_t>(a.size() / 3, 1, 8);
    EXPECT_EQ(!Suggest(a, {b}, 1).empty(), PlainDistance(a, b) <= limit) << a << " " << b;
  }
}

}  // namespace
}  // namespace autopxe
