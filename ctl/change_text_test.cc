#include "ctl/change_text.h"

#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

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
  difference->set_before(before);
  difference->set_after(after);
}

TEST(ChangeTextTest, EachDifferenceIsALine) {
  v1::ApplyResponse response = ResponseAt(17);
  AddDifference(response, "settings", "", "variables.x", "1", "");
  AddDifference(response, "host", "web1", "distro", "", "a/b/c/d");
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
  AddDifference(response, "host", "cn2", "distro", "", "local");
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
