#include "common/model/distro.h"

#include <cstddef>
#include <string>

#include "absl/hash/hash_testing.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

TEST(DistroTest, HasFourParts) {
  const absl::StatusOr<Distro> distro = Distro::Parse("debian/bookworm/6.1.0-25-amd64/overlayfs");
  ASSERT_THAT(distro, IsOk());
  EXPECT_EQ(distro->kind(), Distro::Kind::kKernel);
  EXPECT_EQ(distro->name(), "debian");
  EXPECT_EQ(distro->release(), "bookworm");
  EXPECT_EQ(distro->kernel(), "6.1.0-25-amd64");
  EXPECT_EQ(distro->profile(), "overlayfs");
}

TEST(DistroTest, KnowsTheBuiltInOnes) {
  EXPECT_THAT(Distro::Parse("local"), IsOkAndHolds(Distro::Local()));
  EXPECT_THAT(Distro::Parse("menu"), IsOkAndHolds(Distro::Menu()));
  EXPECT_THAT(Distro::Parse("wait"), IsOkAndHolds(Distro::Wait()));
  EXPECT_THAT(Distro::Parse("ignore"), IsOkAndHolds(Distro::Ignore()));
}

TEST(DistroTest, IsADeclaredOneByItsName) {
  const absl::StatusOr<Distro> distro = Distro::Parse("memtest");
  ASSERT_THAT(distro, IsOk());
  EXPECT_EQ(distro->kind(), Distro::Kind::kDeclared);
  EXPECT_EQ(distro->name(), "memtest");
  EXPECT_EQ(*distro, Distro::Declared(DistroName::Parse("memtest").value()));
}

TEST(DistroTest, NoDeclaredOneHasTheNameOfABuiltInOne) {
  for (const char* text : {"local", "menu", "wait", "ignore", "Local", "MENU"}) {
    EXPECT_THAT(DistroName::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("taken by the built-in")))
        << text;
  }
}

TEST(DistroTest, FormatGivesBackWhatWasParsed) {
  for (const char* text :
       {"debian/bookworm/latest/overlayfs", "local", "menu", "wait", "ignore", "memtest",
        "local/menu/wait/ignore", "openEuler/24.09/6.6.0-45.0.0.54.oe2409.x86_64/nfsrw",
        "a/b/1.0~rc1+deb12_1/d"}) {
    const absl::StatusOr<Distro> distro = Distro::Parse(text);
    ASSERT_THAT(distro, IsOk()) << text;
    EXPECT_EQ(distro->Format(), text);
  }
}

TEST(DistroTest, RefusesWhatIsNoDistroAndSaysWhy) {
  const std::string long_part(129, 'a');
  const struct {
    std::string text;
    const char* why;
  } kCases[] = {
      {"", "expected 1 to 64 letters"},
      {"Local", "taken by the built-in distro local"},
      {"-x", "expected 1 to 64 letters"},
      {"debian/bookworm", "2 parts;"},
      {"debian/bookworm/latest", "3 parts;"},
      {"debian/bookworm/latest/overlayfs/", "more than 4 parts"},
      {"/debian/bookworm/latest/overlayfs", "more than 4 parts"},
      {"debian//latest/overlayfs", "the release \"\""},
      {"debian/../latest/overlayfs", "the release \"..\""},
      {"debian/.hidden/latest/overlayfs", "the release \".hidden\""},
      {"-x/bookworm/latest/overlayfs", "the name \"-x\""},
      {"debian/bookworm/la test/overlayfs", "the kernel \"la test\""},
      {"debian/bookworm/latest/" + long_part, "the profile \"aaaa"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Distro::Parse(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.why)))
        << c.text;
    EXPECT_THAT(
        Distro::Parse(c.text),
        StatusIs(
            absl::StatusCode::kInvalidArgument,
            HasSubstr("expected name/release/kernel/profile, a declared distro's name, or local")));
  }
}

// faults.md 1, 31.
TEST(DistroTest, NoPartCanHoldAPathOrACommand) {
  for (const absl::string_view part :
       {absl::string_view("a\nb"), absl::string_view("a#b"), absl::string_view("${net0/mac}"),
        absl::string_view("a||b"), absl::string_view("a&&b"), absl::string_view("a\"b"),
        absl::string_view("a'b"), absl::string_view("a b"), absl::string_view("a\tb"),
        absl::string_view("a\0b", 3), absl::string_view("a\x7f"), absl::string_view("b\xc3\xbc"),
        absl::string_view(".."), absl::string_view("a\\b"), absl::string_view("a/b"),
        absl::string_view("a:b"), absl::string_view("a%62"), absl::string_view("")}) {
    EXPECT_FALSE(Distro::IsPart(part)) << part;
    EXPECT_THAT(Distro::Parse(absl::StrCat("debian/", part, "/latest/overlayfs")),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_TRUE(Distro::IsPart(std::string(128, 'a')));
  EXPECT_FALSE(Distro::IsPart(std::string(129, 'a')));
}

TEST(DistroTest, TruncationAtEveryLengthIsRefusedOrADistroOfItsOwn) {
  const absl::string_view text = "debian/bookworm/latest/overlayfs";
  for (size_t length = 0; length < text.size(); ++length) {
    const absl::string_view cut = text.substr(0, length);
    const bool is_declared = !cut.empty() && cut.find('/') == absl::string_view::npos;
    EXPECT_EQ(Distro::Parse(cut).ok(), is_declared || length > text.rfind('/') + 1) << length;
  }
}

TEST(DistroTest, LongHostileTextGetsAShortError) {
  const absl::StatusOr<Distro> distro = Distro::Parse(std::string(1 << 20, '/'));
  ASSERT_THAT(distro, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_LT(distro.status().message().size(), 1000u);
}

TEST(DistroTest, DifferentDistrosDifferInOrderAndHash) {
  const Distro a = Distro::Parse("debian/bookworm/latest/a").value();
  const Distro b = Distro::Parse("debian/bookworm/latest/b").value();
  EXPECT_LT(a, b);
  EXPECT_LT(a, Distro::Local());
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {a, b, Distro::Local(), Distro::Menu(), Distro::Wait(), Distro::Ignore()}));
}

}  // namespace
}  // namespace autopxe
