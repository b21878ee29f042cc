#include "common/model/command_line_template.h"

#include <cstddef>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Piece = CommandLineTemplate::Piece;

TEST(CommandLineTemplateTest, IsCutIntoTextAndReferences) {
  const absl::StatusOr<CommandLineTemplate> line =
      CommandLineTemplate::Parse("nfsroot=${nfs-server}:${rootfs-path} rw");
  ASSERT_THAT(line, IsOk());
  EXPECT_THAT(line->pieces(),
              ElementsAre(Piece{false, "nfsroot="}, Piece{true, "nfs-server"}, Piece{false, ":"},
                          Piece{true, "rootfs-path"}, Piece{false, " rw"}));
}

TEST(CommandLineTemplateTest, AcceptsEveryReferenceThatIpxeHas) {
  const absl::StatusOr<CommandLineTemplate> line =
      CommandLineTemplate::Parse("${net0/mac:hexhyp}${a_b.c}");
  ASSERT_THAT(line, IsOk());
  EXPECT_THAT(line->pieces(), ElementsAre(Piece{true, "net0/mac:hexhyp"}, Piece{true, "a_b.c"}));
}

TEST(CommandLineTemplateTest, AReferenceMayHaveADefault) {
  const struct {
    const char* text;
    Piece piece;
  } kCases[] = {
      {"${console:-ttyS0}", {true, "console", "ttyS0"}},
      {"${console:-}", {true, "console", ""}},
      {"${console:-ttyS0,115200n8 \"a  b\" #|&;'%20\\}",
       {true, "console", "ttyS0,115200n8 \"a  b\" #|&;'%20\\"}},
      {"${a:--1}", {true, "a", "-1"}},
      {"${a:-b:-c}", {true, "a", "b:-c"}},
      {"${a-:-b}", {true, "a-", "b"}},
      // What is iPXE's keeps its own form, to which a default means nothing.
      {"${net0/ip:ipv4}", {true, "net0/ip:ipv4", absl::nullopt}},
      {"${net0/ip:ipv4:-x}", {true, "net0/ip:ipv4", "x"}},
      {"${a::-b}", {true, "a:", "b"}},
      {"${a:b-}", {true, "a:b-", absl::nullopt}},
      {"${a-b}", {true, "a-b", absl::nullopt}},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<CommandLineTemplate> line = CommandLineTemplate::Parse(c.text);
    ASSERT_THAT(line, IsOk()) << c.text;
    EXPECT_THAT(line->pieces(), ElementsAre(c.piece)) << c.text;
  }
  const absl::StatusOr<CommandLineTemplate> line = CommandLineTemplate::Parse(
      "a ${" + std::string(64, 'a') + ":-" + std::string(1900, 'x') + "}}");
  ASSERT_THAT(line, IsOk());
  EXPECT_THAT(line->pieces().back(), (Piece{false, "}", absl::nullopt}));
}

TEST(CommandLineTemplateTest, DollarsAndBracesAloneAreText) {
  for (const char* text : {"$", "a$b", "{x}", "}", "$ {x}", "$$", "a=\"b c\" # 'd' || e"}) {
    const absl::StatusOr<CommandLineTemplate> line = CommandLineTemplate::Parse(text);
    ASSERT_THAT(line, IsOk()) << text;
    EXPECT_THAT(line->pieces(), ElementsAre(Piece{false, text}));
  }
  const absl::StatusOr<CommandLineTemplate> line = CommandLineTemplate::Parse("$${x}");
  ASSERT_THAT(line, IsOk());
  EXPECT_THAT(line->pieces(), ElementsAre(Piece{false, "$"}, Piece{true, "x"}));
}

TEST(CommandLineTemplateTest, MayBeEmpty) {
  const absl::StatusOr<CommandLineTemplate> line = CommandLineTemplate::Parse("");
  ASSERT_THAT(line, IsOk());
  EXPECT_EQ(line->text(), "");
  EXPECT_THAT(line->pieces(), IsEmpty());
}

TEST(CommandLineTemplateTest, RefusesAndSaysWhere) {
  const struct {
    std::string text;
    const char* why;
  } kCases[] = {
      {"ab ${x", "at 4: \"${\" has no '}'"},
      {"${", "at 1: \"${\" has no '}'"},
      {"${}", "at 1: a reference without a name"},
      {"${a b}", "at 4: \" \" in a reference"},
      {"${a${b}}", "at 4: \"$\" in a reference"},
      {"${:-x}", "at 1: a reference without a name"},
      {"${a:-x", "at 1: \"${\" has no '}'"},
      {"${a:-", "at 1: \"${\" has no '}'"},
      {"${a:-x${b}}",
       "at 7: \"$\" in the default of \"a\"; a default has no '$', '{' or '}': set "
       "the variable instead"},
      {"${a:-5$}", "at 7: \"$\" in the default of \"a\""},
      {"${a:-{x}", "at 6: \"{\" in the default of \"a\""},
      {"${a:-b\nc}", "at 7: expected printable ASCII only"},
      {"${" + std::string(65, 'a') + ":-x}", "at 1: a name of 65 characters"},
      {"${" + std::string(65, 'a') + "}", "at 1: a name of 65 characters"},
      {std::string(2048, 'a'), "at 2048: expected 2,047 characters at most, got 2048"},
      // faults.md 31.
      {"a\nb", "at 2: expected printable ASCII only"},
      {std::string("a\0b", 3), "at 2: expected printable ASCII only"},
      {"a\tb", "at 2: expected printable ASCII only"},
      {"\x1b[2J", "at 1: expected printable ASCII only"},
      {"b\xc3\xbcro", "at 2: expected printable ASCII only"},
      {"${a\nb}", "at 4: expected printable ASCII only"},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<CommandLineTemplate> line = CommandLineTemplate::Parse(c.text);
    ASSERT_THAT(line, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.why))) << c.text;
    EXPECT_EQ(line.status().message().find('\n'), absl::string_view::npos);
  }
  EXPECT_THAT(CommandLineTemplate::Parse(std::string(2047, 'a')), IsOk());
  EXPECT_THAT(CommandLineTemplate::Parse("${" + std::string(64, 'a') + "}"), IsOk());
}

TEST(CommandLineTemplateTest, ThePiecesJoinedAreTheText) {
  constexpr absl::string_view kTokens[] = {"$", "{", "}",  "${",    "${a}", "x",
                                           " ", "/", ":-", "${b:-", ":",    "-"};
  std::mt19937 random(4);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (size_t count = random() % 8; count > 0; --count) {
      absl::StrAppend(&text, kTokens[random() % std::size(kTokens)]);
    }
    const absl::StatusOr<CommandLineTemplate> line = CommandLineTemplate::Parse(text);
    if (!line.ok()) continue;
    ++accepted;
    std::string joined;
    for (const Piece& piece : line->pieces()) {
      EXPECT_FALSE(piece.text.empty());
      EXPECT_TRUE(piece.is_reference || !piece.default_text.has_value());
      // No text holds what iPXE would expand.
      EXPECT_EQ(piece.text.find("${"), std::string::npos) << text;
      absl::StrAppend(&joined, piece.is_reference ? "${" : "", piece.text,
                      piece.default_text ? ":-" + *piece.default_text : "",
                      piece.is_reference ? "}" : "");
    }
    EXPECT_EQ(joined, text);
    EXPECT_EQ(line->text(), text);
  }
  EXPECT_GT(accepted, 1000);
}

TEST(CommandLineTemplateTest, TruncationAtEveryLengthIsRefusedInsideAReferenceOnly) {
  const absl::string_view text = "nfsroot=${nfs-server}:${rootfs-path:-/x y} rw";
  for (size_t length = 0; length <= text.size(); ++length) {
    const absl::string_view cut = text.substr(0, length);
    const size_t open = cut.rfind("${");
    const bool inside = open != absl::string_view::npos && cut.find('}', open) == cut.npos;
    EXPECT_EQ(CommandLineTemplate::Parse(cut).ok(), !inside) << cut;
  }
}

}  // namespace
}  // namespace autopxe
