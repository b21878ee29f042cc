#include "boot/command_line.h"

#include <algorithm>
#include <map>
#include <vector>

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

TEST(CommandLineTest, ADefaultStandsInForAValueThatIsNotThereOrEmptyAsInAShell) {
  const std::map<std::string, std::string> values = {
      {"console", "ttyS1"}, {"empty", ""}, {"mac", "52:54:00:12:34:56"}, {"kernel", ""}};
  const struct {
    const char* text;
    const char* expanded;
  } kCases[] = {
      {"console=${console:-ttyS0}", "console=ttyS1"},
      {"console=${unset:-ttyS0}", "console=ttyS0"},
      {"console=${empty:-ttyS0}", "console=ttyS0"},
      {"[${unset:-}${empty:-}]", "[]"},
      {"${unset:-a}${unset:-b}", "ab"},
      {"${unset:- a  \"b\" || %41 }", " a  \"b\" || %41 "},
      {"$${unset:-x}", "$x"},
      // A name that nobody can set.
      {"${_mac:-x}", "x"},
      // What the server's plan refuses: iPXE and built-ins know no default.
      {"${ip:-10.0.0.1} ${net0/mac:-x} ${a:string:-x}", "${ip} ${net0/mac} ${a:string}"},
      {"${mac:-x}[${kernel:-x}]", "52:54:00:12:34:56[]"},
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
  EXPECT_THAT(
      Expand("${a:-x} ${a} ${b:-}", {}),
      StatusIs(absl::StatusCode::kNotFound, "it uses the variable \"a\", which has no value"));
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
      {"$${a:-}{uuid}", {}},
      {"${b:-x}${a}${c:-}{uuid}", {{"a", "$"}}},
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
  EXPECT_THAT(RequiredVariables(Template("${a:-x} ${b:-} ${c:-x} ${c}")), ElementsAre("c"));
}

TEST(CommandLineTest, ADefaultThatCouldNeverBeUsedIsFound) {
  EXPECT_THAT(UselessDefaults(Template("${a:-x} ${b} ${ip} ${mac} ${_x:-y}")), IsEmpty());
  EXPECT_THAT(UselessDefaults(Template("${ip:-a} ${mac:-b} ${x:string:-c} ${net0/ip:-d} ${17:-e} "
                                       "${ip:-f} ${bootif:-}")),
              ElementsAre("ip", "mac", "x:string", "net0/ip", "17", "bootif"));
}

TEST(CommandLineTest, BuiltInsAreInOrderAndNobodyCanSetThem) {
  EXPECT_TRUE(std::is_sorted(BuiltInVariables().begin(), BuiltInVariables().end()));
  for (const absl::string_view name : BuiltInVariables()) {
    EXPECT_TRUE(IsBuiltInVariable(name)) << name;
    EXPECT_FALSE(CanBeSet(name)) << name;
  }
  for (const char* name : {"ip", "17", "net0/ip", "x:string", "_mac", "-x", ".x", ""}) {
    EXPECT_FALSE(CanBeSet(name)) << name;
  }
  EXPECT_TRUE(CanBeSet("console"));
}

TEST(CommandLineTest, ALineThatItsDefaultMakesTooLongIsAnError) {
  const std::string text = "a=${v:-" + std::string(kMaxCommandLine - 1, 'x') + "}";
  EXPECT_THAT(Expand(text, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1901 characters")));
  EXPECT_THAT(Expand(text, {{"v", "y"}}), IsOkAndHolds("a=y"));
}

TEST(CommandLineTest, WhatOnlyAScannedKernelHasIsToldFromTheOtherBuiltIns) {
  std::vector<absl::string_view> needing;
  for (const absl::string_view name : BuiltInVariables()) {
    if (NeedsScannedKernel(name)) needing.push_back(name);
  }
  EXPECT_THAT(needing, ElementsAre("arch", "distro-name", "kernel", "release", "rootfs-path"));
  EXPECT_FALSE(NeedsScannedKernel("nfs-server"));
}

}  // namespace
}  // namespace autopxe
