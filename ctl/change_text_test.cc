#include "ctl/change_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

v1::ApplyResponse ResponseAt(int64_t number) {
  v1::ApplyResponse response;
  response.mutable_revision()->mutable_id()->set_number(number);
  return response;
}

void AddDifference(v1::ApplyResponse& response, const char* kind, const char* name,
                   const char* field, const char* before, const char* after) {
  v1::Difference* difference = response.add_differences();
  difference->set_kind(kind);
  difference->set_name(name);
  difference->set_field(field);
  if (before != nullptr) difference->set_before(before);
  if (after != nullptr) difference->set_after(after);
}

TEST(ChangeTextTest, EachDifferenceIsALine) {
  v1::ApplyResponse response = ResponseAt(17);
  AddDifference(response, "settings", "", "variables.x", "1", nullptr);
  AddDifference(response, "host", "web1", "distro", nullptr, "a/b/c/d");
  EXPECT_EQ(ChangeText(response, false),
            "settings: variables.x: 1 -> (none)\n"
            "host web1: distro: (none) -> a/b/c/d\n"
            "revision 17\n");
  EXPECT_EQ(ChangeText(response, true),
            "settings: variables.x: 1 -> (none)\n"
            "host web1: distro: (none) -> a/b/c/d\n"
            "nothing was changed yet; revision 17\n");
}

TEST(ChangeTextTest, HostsAlikeAreFoldedWhereTheFirstOfThemStands) {
  v1::ApplyResponse response = ResponseAt(17);
  AddDifference(response, "host", "cn1", "distro", "a/b/c/d", "local");
  AddDifference(response, "host", "cn2", "distro", nullptr, "local");
  AddDifference(response, "host", "cn3", "distro", "a/b/c/d", "local");
  AddDifference(response, "host", "cn4", "distro", "a/b/c/d", "local");
  AddDifference(response, "group", "g1", "distro", "a/b/c/d", "local");
  AddDifference(response, "group", "g2", "distro", "a/b/c/d", "local");
  EXPECT_EQ(ChangeText(response, false),
            "3 hosts cn[1,3-4]: distro: a/b/c/d -> local\n"
            "host cn2: distro: (none) -> local\n"
            "group g1: distro: a/b/c/d -> local\n"
            "group g2: distro: a/b/c/d -> local\n"
            "revision 17\n");
}

TEST(ChangeTextTest, WhatIsEmptyIsNotWhatIsNotThere) {
  v1::ApplyResponse response = ResponseAt(17);
  AddDifference(response, "settings", "", "variables.x", nullptr, "");
  AddDifference(response, "host", "cn1", "labels.gpu", "", nullptr);
  EXPECT_EQ(ChangeText(response, false),
            "settings: variables.x: (none) -> (empty)\n"
            "host cn1: labels.gpu: (empty) -> (none)\n"
            "revision 17\n");
}

TEST(ChangeTextTest, TenThousandHostsTakeAFewLines) {
  v1::ApplyResponse response = ResponseAt(17);
  for (int i = 1; i <= 10'000; ++i) {
    const std::string name = absl::StrFormat("cn%05d", i);
    const std::string mac = absl::StrFormat("52:54:00:00:%02x:%02x", i / 256, i % 256);
    const std::string was = absl::StrCat("a/b/", i % 97, "/d");
    AddDifference(response, "host", name.c_str(), "macs", nullptr, mac.c_str());
    AddDifference(response, "host", name.c_str(), "distro", was.c_str(),
                  i % 2 == 0 ? "local" : "menu");
    AddDifference(response, "host", name.c_str(), "note", was.c_str(), mac.c_str());
    AddDifference(response, "host", mac.c_str(), "locked", nullptr, "true");
  }
  const std::string text = ChangeText(response, false);
  EXPECT_THAT(text, HasSubstr("10000 hosts cn[00001-10000]: macs: (none) -> (various)\n"));
  EXPECT_THAT(text, ContainsRegex("5000 hosts cn\\[00001,.*: distro: \\(various\\) -> menu\n"));
  EXPECT_THAT(text, ContainsRegex("5000 hosts cn\\[00002,.*: distro: \\(various\\) -> local\n"));
  EXPECT_THAT(text, HasSubstr("10000 hosts cn[00001-10000]: note: (various) -> (various)\n"));
  EXPECT_THAT(text, ContainsRegex("10000 hosts 52:54.*,\\.\\.\\.: locked: \\(none\\) -> true\n"));
  EXPECT_LT(text.size(), 3000u);
}

TEST(ChangeTextTest, NothingToDoIsSaid) {
  EXPECT_EQ(ChangeText(ResponseAt(3), false), "it was so already; revision 3\n");
  EXPECT_EQ(ChangeText(ResponseAt(3), true), "nothing would change; revision 3\n");
  v1::ApplyResponse replayed = ResponseAt(3);
  replayed.set_replayed(true);
  EXPECT_EQ(ChangeText(replayed, false), "done before; revision 3\n");
}

TEST(ChangeTextTest, WhatOthersWroteReachesNoTerminalRaw) {
  v1::ApplyResponse response = ResponseAt(1);
  AddDifference(response, "host", "a\x1b]0;x\x07", "distro", "b\nc", "\x7f");
  EXPECT_EQ(ChangeText(response, false),
            "host a\\x1b]0;x\\x07: distro: b\\x0ac -> \\x7f\nrevision 1\n");
}

}  // namespace
}  // namespace autopxe::ctl
