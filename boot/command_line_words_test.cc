#include "boot/command_line_words.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "boot/command_line.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::map<std::string, std::string> kValues = {{"nfs-server", "172.25.2.11"},
                                                    {"rootfs-path", "/pxe/debian/bookworm"},
                                                    {"extra", "quiet  splash"},
                                                    {"empty", ""}};

const std::string* ValueOf(absl::string_view name) {
  const auto found = kValues.find(std::string(name));
  return found == kValues.end() ? nullptr : &found->second;
}

std::vector<CommandLineWord> SplitWithReferences(absl::string_view text) {
  return SplitCommandLine(CommandLineTemplate::Parse(text).value(), ValueOf);
}

std::vector<CommandLineWord> Split(absl::string_view text) {
  std::vector<CommandLineWord> words = SplitWithReferences(text);
  for (CommandLineWord& word : words) word.references.clear();
  return words;
}

TEST(CommandLineWordsTest, EachWordStandsBesideWhatTheTemplateSays) {
  EXPECT_THAT(Split("root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} rw"),
              ElementsAre(CommandLineWord{"root=/dev/nfs", "root=/dev/nfs"},
                          CommandLineWord{"nfsroot=172.25.2.11:/pxe/debian/bookworm",
                                          "nfsroot=${nfs-server}:${rootfs-path}"},
                          CommandLineWord{"rw", "rw"}));
}

TEST(CommandLineWordsTest, AValueWithBlanksIsSeveralWordsOfOneTemplateText) {
  EXPECT_THAT(Split("a=${extra}b"), ElementsAre(CommandLineWord{"a=quiet", "a=${extra}b"},
                                                CommandLineWord{"splashb", "a=${extra}b"}));
}

TEST(CommandLineWordsTest, WhatComesToNothingIsNoWord) {
  EXPECT_THAT(Split("  ${empty}  "), IsEmpty());
  EXPECT_THAT(Split(""), IsEmpty());
}

TEST(CommandLineWordsTest, ADefaultStandsInForAValueThatIsMissingOrEmpty) {
  EXPECT_THAT(Split("c=${console:-ttyS0} d=${empty:-x y} e=${extra:-no}"),
              ElementsAre(CommandLineWord{"c=ttyS0", "c=${console:-ttyS0}"},
                          CommandLineWord{"d=x", "d=${empty:-x y}"},
                          CommandLineWord{"y", "d=${empty:-x y}"},
                          CommandLineWord{"e=quiet", "e=${extra:-no}"},
                          CommandLineWord{"splash", "e=${extra:-no}"}));
}

TEST(CommandLineWordsTest, ReferencesLeftToIpxeStay) {
  EXPECT_THAT(Split("ip=${ip}:${net0/mac}"),
              ElementsAre(CommandLineWord{"ip=${ip}:${net0/mac}", "ip=${ip}:${net0/mac}"}));
}

TEST(CommandLineWordsTest, AWordKnowsWhatEachOfItsReferencesBecameAndByWhat) {
  using Source = ResolvedReference::Source;
  const std::vector<CommandLineWord> words =
      SplitWithReferences("a=${empty}${empty:-1}${empty:-2}:${nfs-server:-x} ${uuid} rw ${extra}");
  ASSERT_EQ(words.size(), 5u);
  EXPECT_THAT(words[0].references,
              ElementsAre(ResolvedReference{"empty", "", Source::kVariable},
                          ResolvedReference{"empty", "1", Source::kDefault},
                          ResolvedReference{"empty", "2", Source::kDefault},
                          ResolvedReference{"nfs-server", "172.25.2.11", Source::kVariable}));
  EXPECT_THAT(words[1].references, ElementsAre(ResolvedReference{"uuid", "", Source::kIpxe}));
  EXPECT_THAT(words[2].references, IsEmpty());
  for (const int i : {3, 4}) {
    EXPECT_THAT(words[static_cast<size_t>(i)].references,
                ElementsAre(ResolvedReference{"extra", "quiet  splash", Source::kVariable}));
  }
}

TEST(CommandLineWordsTest, TheWordsAreThoseOfTheExpandedCommandLine) {
  for (const char* text :
       {"root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} rw", " a  ${extra} ${empty} b",
        "${ip}${extra}${console:-a b}", "${empty:-}", "x"}) {
    const CommandLineTemplate line = CommandLineTemplate::Parse(text).value();
    const std::string expanded = ExpandCommandLine(line, ValueOf).value();
    const std::vector<std::string> expected = absl::StrSplit(expanded, ' ', absl::SkipEmpty());
    std::vector<std::string> words;
    for (const CommandLineWord& word : Split(text)) words.push_back(word.text);
    EXPECT_EQ(words, expected) << text;
  }
}

}  // namespace
}  // namespace autopxe
