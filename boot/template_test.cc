// A template is expanded twice: by the decision, and by iPXE from the script. Here both are held
// against each other.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/boot.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "boot/test_play.h"
#include "boot/test_template.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

using End = IpxeInterpreter::End;
using Screen = IpxeInterpreter::Screen;

// The command line that iPXE boots.
std::string Booted(const BootAnswer& answer) {
  IpxeInterpreter ipxe;
  const auto result = Play(ipxe, answer.script);
  if (result.end != End::kBooted) return "(nothing)";
  return result.arguments.substr(std::string("initrd=initrd.img ").size());
}

std::vector<std::string> Texts(const Screen& screen) {
  std::vector<std::string> texts;
  for (const IpxeInterpreter::Item& item : screen.items) texts.push_back(item.text);
  return texts;
}

TEST(TemplateTest, ADefaultIsUsedUnlessTheHostHasAValue) {
  const struct {
    const char* text;
    Values own;
    const char* line;
  } kCases[] = {
      {"console=${console:-ttyS0}", {}, "console=ttyS0"},
      {"console=${console:-ttyS0}", {{"console", "tty1"}}, "console=tty1"},
      {"console=${console:-ttyS0}", {{"console", ""}}, "console=ttyS0"},
      {"[${extra:-}]", {}, "[]"},
      {"[${extra:-}]",
       {{"extra", "a \"b  c\" || reboot 100% %20 #"}},
       "[a \"b  c\" || reboot 100% %20 #]"},
      {"${a:- b  || reboot # %41 \\}", {}, " b  || reboot # %41 \\"},
      {"${a:-x y}", {{"a", " p  && q\\ %0A $"}}, " p  && q\\ %0A $"},
      // What begins with a dash is no option of iPXE's commands.
      {"${a:-x} ${needed}", {{"a", "-n y"}, {"needed", "--key"}}, "-n y --key"},
      {"${a:--x}${b:---}", {}, "-x--"},
      {"${a:-1}${a:-2}${a:-1}${b:-1}", {}, "1211"},
      {"${a:-1}${a:-2}${a:-1}${b:-1}", {{"a", "x"}}, "xxx1"},
      // Names of the script's own settings are nobody's variables.
      {"${_mac:-m} ${_cmdline:-} ${_default1:-c} ${_x:-}", {}, "m  c "},
      {"${needed}", {{"needed", "x"}}, "x"},
      {"[${needed}]", {{"needed", ""}}, "[]"},
      {"[${needed}] ${needed:-d}", {{"needed", ""}}, "[] d"},
      // Nobody answers for what the server's plan refuses; both leave the default away.
      {"${host:-x} ${ip:-y}", {}, "node1 ${ip}"},
  };
  for (const auto& c : kCases) {
    Sample sample;
    sample.profiles["overlayfs"] = c.text;
    const BootAnswer answer = BootWith(sample, c.own);
    EXPECT_EQ(answer.decision.command_line, c.line) << c.text;
    std::string line = c.line;
    if (absl::StrContains(line, "${ip}")) line.resize(line.size() - 5);
    EXPECT_EQ(Booted(answer), line) << c.text << "\n" << answer.script;
  }
}

TEST(TemplateTest, EveryProfileHasItsOwnDefaultsInOneSession) {
  Sample sample;
  sample.profiles = {{"nfsrw", "c=${console:-ttyS0} ${v:-1}"},
                     {"overlayfs", "c=${console:-tty0} ${w:-2} ${v:-3}"}};
  for (const bool set : {false, true}) {
    IpxeInterpreter ipxe;
    int requests = 0;
    ipxe.serves = [&](const std::string&) { return ++requests > 8; };  // The first fails for good.
    int screens = 0;
    ipxe.choose = [&](const Screen& screen) -> absl::optional<std::string> {
      if (++screens == 1) return screen.default_label;
      return screen.title == "debian" ? "debian/bookworm/latest/nfsrw" : "debian/";
    };
    const auto result =
        Play(ipxe, BootWith(sample, set ? Values{{"console", "hvc0"}} : Values{}).script);
    EXPECT_EQ(result.end, End::kBooted);
    EXPECT_THAT(result.echoed, Contains(set ? "Command line: c=hvc0 2 3"
                                            : "Command line: c=tty0 2 "
                                              "3"));
    EXPECT_EQ(result.arguments, set ? "initrd=initrd.img c=hvc0 1" : "initrd=initrd.img c=ttyS0 1");
  }
}

// iPXE keeps its settings from one script to the next.
TEST(TemplateTest, WhatAnEarlierScriptSetIsGone) {
  Sample sample;
  sample.profiles["overlayfs"] = "${console:-ttyS0} [${needed}]";
  const std::vector<Values> kSteps = {{{"console", "tty1"}, {"needed", "x"}},
                                      {{"needed", ""}},
                                      {{"console", "tty1"}},
                                      {{"console", ""}, {"needed", "y"}},
                                      {},
                                      {{"needed", "z"}}};
  IpxeInterpreter ipxe;
  ipxe.presses = [](char) { return true; };
  ipxe.choose = [](const Screen& screen) -> absl::optional<std::string> {
    // Somebody looks for what can't be booted in the menu, once.
    if (screen.default_label != "ask") return screen.default_label;
    return absl::StartsWith(screen.items[0].text, "Profile ") ? "reboot"
                                                              : "debian/bookworm/latest/overlayfs";
  };
  for (const Values& own : kSteps) {
    const BootAnswer answer = BootWith(sample, own);
    // The main menu has no entry of a profile; the labels are what counts.
    std::string script = answer.script;
    const size_t menu = script.find("item --key 1 debian/ ");
    ASSERT_NE(menu, std::string::npos);
    script.insert(menu, "item debian/bookworm/latest/overlayfs x\n");
    const auto result = Play(ipxe, script);
    if (answer.decision.outcome == Outcome::kBoot) {
      EXPECT_EQ(result.arguments, "initrd=initrd.img " + answer.decision.command_line);
    } else {
      EXPECT_EQ(result.end, End::kRebooted);
      EXPECT_THAT(
          Texts(result.screens.back()),
          Contains("Profile overlayfs: it uses the variable \"needed\", which has no value"));
    }
  }
}

TEST(TemplateTest, AVariableSetInTheShellCountsWhateverTheHostHas) {
  Sample sample;
  sample.profiles["overlayfs"] = "${console:-ttyS0} ${extra:-} ${needed}";
  for (const Values& own : {Values{}, Values{{"needed", "x"}, {"console", "y"}}}) {
    IpxeInterpreter ipxe;
    ipxe.presses = [](char) { return true; };  // A host that can't boot holds first.
    std::string script = BootWith(sample, own).script;
    const size_t menu = script.find("menu autopxe: ");
    ASSERT_NE(menu, std::string::npos);
    script.insert(menu,
                  "set console hvc0,1 50% b\nset extra:uristring q%20r\nset needed z\n"
                  "goto debian/bookworm/latest/overlayfs\n");
    EXPECT_EQ(Play(ipxe, script).arguments, "initrd=initrd.img hvc0,1 50% b q r z");
  }
}

TEST(TemplateTest, AProfileIsForTheHostsThatHaveWhatItNeeds) {
  Sample sample;
  sample.profiles["nfsrw"] = "rack=${rack} slot=${slot}";
  sample.profiles["overlayfs"] = "rack=${rack}";
  EXPECT_EQ(Booted(BootWith(sample, {{"rack", "7 b"}})), "rack=7 b");
  const struct {
    Values own;
    const char* message;
  } kCases[] = {
      {{{"slot", "1"}}, "Profile nfsrw: it uses the variable \"rack\", which has no value"},
      {{{"rack", "7"}}, "Profile nfsrw: it uses the variable \"slot\", which has no value"},
      {{{"rack", "7"}, {"slot", ""}}, ""},
  };
  for (const auto& c : kCases) {
    IpxeInterpreter ipxe;
    ipxe.presses = [](char) { return true; };
    int screens = 0;
    ipxe.choose = [&](const Screen&) -> absl::optional<std::string> {
      ++screens;
      if (screens == 1) return "debian/";
      return screens == 2 ? "debian/bookworm/latest/nfsrw" : "reboot";
    };
    const auto result = Play(ipxe, BootWith(sample, c.own).script);
    if (*c.message == '\0') {
      EXPECT_EQ(result.arguments, "initrd=initrd.img rack=7 slot=");
    } else {
      EXPECT_EQ(result.end, End::kRebooted);
      EXPECT_EQ(result.screens.back().items[0].text, c.message);
    }
  }
}

TEST(TemplateTest, EveryBuiltInIsForIpxeWhatItIsForTheDecision) {
  Sample sample;
  CatalogRelease stable = ReleaseWith("stable", "6.1.0-25-amd64");
  stable.alias_of = "bookworm";
  stable.kernels[0].architecture = Architecture::kX86_64;
  CatalogRelease own;
  own.name = "own";
  own.kernels = {
      {.name = "default", .kernel_path = "boot/vmlinuz", .initrd_path = "boot/initrd.img"}};
  sample.catalog.distros[0].releases.push_back(own);
  sample.catalog.distros[0].releases.push_back(stable);
  std::string all;
  for (const absl::string_view name : BuiltInVariables()) absl::StrAppend(&all, "${", name, "} ");
  sample.profiles["overlayfs"] = all;
  const struct {
    const char* distro;
    const char* line;
  } kCases[] = {
      {"debian/stable/latest/overlayfs",
       "lab 10.77.0.1 x86_64 01-bc-24-11-b0-1a-de debian/stable/latest/overlayfs debian node1 "
       "6.1.0-25-amd64 bc:24:11:b0:1a:de bookworm /pxe/rootfs/debian/bookworm "},
      {"debian/own/default/overlayfs",
       "lab 10.77.0.1 unknown 01-bc-24-11-b0-1a-de debian/own/default/overlayfs debian node1 "
       "default bc:24:11:b0:1a:de own /pxe/rootfs/debian/own "},
  };
  IpxeInterpreter ipxe;  // One for both: nothing of the first is left in the second.
  ipxe.SetOwn("buildarch", "x86_64", true);
  for (const auto& c : kCases) {
    sample.hosts.clear();
    sample.AddHost("node1", kNode1, c.distro);
    const BootAnswer answer = BootWith(sample, {});
    EXPECT_EQ(answer.decision.command_line, c.line);
    EXPECT_EQ(Play(ipxe, answer.script).arguments, absl::StrCat("initrd=initrd.img ", c.line));
  }
}

TEST(TemplateTest, AMenuGrowsOnlyByWhatItsTemplatesUse) {
  Sample sample;
  const std::string plain = BootWith(sample, {}).script;
  for (const char* word : {"_default", "_empty", "_unset", "set arch", "set bootif",
                           "set agent:", "set release", "set kernel", "set distro-name"}) {
    EXPECT_THAT(plain, Not(HasSubstr(word)));
  }
  const struct {
    const char* text;
    size_t most;
  } kCases[] = {
      {"${console:-ttyS0}", 170}, {"${extra:-}", 50},         {"${bootif}", 80}, {"${arch}", 80},
      {"${distro}", 40},          {"${rack:-}${rack:-}", 80},
  };
  for (const auto& c : kCases) {
    Sample other;
    absl::StrAppend(&other.profiles["overlayfs"], c.text);
    EXPECT_LT(BootWith(other, {}).script.size(), plain.size() + c.most) << c.text;
  }
}

// Each of these is harmless; beside each other in a template they would be a reference to `b`.
TEST(TemplateTest, AHostsOwnValuesMakeNoReferenceInAnEntryThatIsChosenByHand) {
  const struct {
    const char* text;
    Values own;
  } kCases[] = {
      {"a=${dollar}${brace}", {{"dollar", "x$"}, {"brace", "{b}"}}},
      {"a=${dollar}${empty}${brace}", {{"dollar", "$"}, {"empty", ""}, {"brace", "{b}"}}},
      {"a=${dollar}{b}", {{"dollar", "$"}}},
      {"a=$${brace}", {{"brace", "{b}"}}},
      {"a=${dollar:-}${brace:-}", {{"dollar", "$"}, {"brace", "{b}"}}},
  };
  for (const auto& c : kCases) {
    Sample sample;
    sample.profiles["nfsrw"] = c.text;
    IpxeInterpreter ipxe;
    ipxe.SetOwn("b", "a secret", true);
    int screens = 0;
    ipxe.choose = [&](const Screen&) -> absl::optional<std::string> {
      ++screens;
      if (screens == 1) return "debian/";
      return screens == 2 ? "debian/bookworm/latest/nfsrw" : "reboot";
    };
    const auto result = Play(ipxe, BootWith(sample, c.own).script);
    EXPECT_EQ(result.end, End::kRebooted) << c.text;
    EXPECT_THAT(result.screens.back().items[0].text,
                HasSubstr("Profile nfsrw: its text and the values in it make a \"$\""));
  }
}

TEST(TemplateTest, AHostBootsByItsOwnValuesWhereItsAgentsMakeTheProfileUnusable) {
  Sample sample;
  sample.settings.variables = VariablesOf({{"dollar", "$"}, {"brace", "{b}"}});
  sample.profiles["overlayfs"] = "a=${dollar}${brace} ${bootif} ${more:-d}";
  EXPECT_EQ(Booted(BootWith(sample, {{"brace", "(b)"}})), "a=$(b) 01-bc-24-11-b0-1a-de d");
  EXPECT_EQ(BootWith(sample, {}).decision.outcome, Outcome::kMissing);
}

}  // namespace
}  // namespace autopxe
