#include "boot/command_line.h"

#include <map>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CommandLineTemplate Template(absl::string_view text) {
  return CommandLineTemplate::Parse(text).value();
}

absl::StatusOr<std::string> Expand(absl::string_view text,
                                   const std::map<std::string, std::string>& values) {
  return ExpandCommandLine(Template(text), [&](absl::string_view name) {
    const auto found = values.find(std::string(name));
    return found == values.end() ? nullptr : &found->second;
  });
}

TEST(CommandLineTest, VariablesAreReplacedAndWhatIsIpxesIsLeftToIt) {
  const std::map<std::string, std::string> values = {
      {"nfs-server", "172.25.2.11"},
      {"rootfs-path", "/pxe/rootfs/debian/bookworm"},
      {"mac", "52:54:00:12:34:56"},
      {"empty", ""},
      {"hostile", "a || b && c # d \"e\" 'f' \\ %20 $ } {"},
  };
  const struct {
    const char* text;
    const char* expanded;
  } kCases[] = {
      {"root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} ip=dhcp rootovl",
       "root=/dev/nfs nfsroot=172.25.2.11:/pxe/rootfs/debian/bookworm ip=dhcp rootovl"},
      {"", ""},
      {"quiet", "quiet"},
      {"[${empty}]", "[]"},
      {"host=${hostname} if=${net0/mac} raw=${mac:hexraw} opt=${17}",
       "host=${hostname} if=${net0/mac} raw=${mac:hexraw} opt=${17}"},
      {"m=${mac}", "m=52:54:00:12:34:56"},
      {"x=${hostile}", "x=a || b && c # d \"e\" 'f' \\ %20 $ } {"},
      {"cost=5$ and {braces}", "cost=5$ and {braces}"},
      {"$${nfs-server}", "$172.25.2.11"},
      {"$${hostname}", "$${hostname}"},
  };
  for (const auto& c : kCases) EXPECT_THAT(Expand(c.text, values), IsOkAndHolds(c.expanded));
}

TEST(CommandLineTest, AVariableThatNobodySetIsAnErrorThatNamesEachOnce) {
  EXPECT_THAT(Expand("${nfs-server}:${nfs-server}", {}),
              StatusIs(absl::StatusCode::kNotFound,
                       "it uses the variable \"nfs-server\", which has no value"));
  EXPECT_THAT(Expand("${a} ${b} ${hostname}", {{"c", ""}}),
              StatusIs(absl::StatusCode::kNotFound,
                       "it uses the variables \"a\", \"b\", which have no value"));
}

// faults.md 31: no text and no value can make a reference together.
TEST(CommandLineTest, NothingTogetherMakesAReference) {
  const struct {
    const char* text;
    std::map<std::string, std::string> values;
  } kCases[] = {
      {"${a}{uuid}", {{"a", "x$"}}},
      {"$${a}", {{"a", "{uuid}"}}},
      {"${a}${b}", {{"a", "$"}, {"b", "{uuid}"}}},
      {"${a}${b}${c}", {{"a", "$"}, {"b", ""}, {"c", "{uuid}"}}},
      {"${a}", {{"a", "x${uuid}"}}},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Expand(c.text, c.values), StatusIs(absl::StatusCode::kInvalidArgument,
                                                   HasSubstr("make a \"$\" followed by a \"{\"")))
        << c.text;
  }
}

// An agent's own rootfs folder may have any name.
TEST(CommandLineTest, AValueThatNoScriptCanHoldIsAnError) {
  for (const char* value : {"a\nb", "\x1b[31m", "\xc3\xa4", "\x7f"}) {
    EXPECT_THAT(Expand("x=${rootfs-path}", {{"rootfs-path", value}}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rootfs-path")));
  }
}

TEST(CommandLineTest, ALineThatNoKernelTakesIsAnError) {
  const std::string value(kMaxCommandLine - 2, 'x');
  EXPECT_THAT(Expand("a=${v}", {{"v", value}}), IsOkAndHolds("a=" + value));
  EXPECT_THAT(Expand("a=${v} ", {{"v", value}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("1901 characters"), HasSubstr("takes 1900"))));
}

TEST(CommandLineTest, OnlyWhatSomebodyMustSetIsRequired) {
  EXPECT_THAT(RequiredVariables(Template("${b} ${a} ${b} ${host} ${mac} ${rootfs-path} "
                                         "${agent-address} ${hostname} ${net0/ip} ${x:string}")),
              ElementsAre("b", "a"));
  EXPECT_THAT(RequiredVariables(Template("quiet")), IsEmpty());
}

}  // namespace
}  // namespace autopxe
