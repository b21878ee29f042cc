// Declared distros whose arguments are for a host something else than for its agent's others, by
// its own values or its groups'.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boot/boot.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "boot/test_play.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::StartsWith;

using End = IpxeInterpreter::End;
using Screen = IpxeInterpreter::Screen;
using Values = std::map<std::string, std::string>;

constexpr char kMac[] = "52:54:00:12:34:56";

// Harmless each, and a reference to `b` beside each other.
const Values kBad = {{"dollar", "$"}, {"brace", "{b}"}};

Sample Declaring(absl::string_view arguments, const Values& of_agent) {
  Sample sample;
  sample.settings.variables = VariablesOf(of_agent);
  sample.DeclareKernel("odd", "http://x/k", {}, arguments);
  return sample;
}

// What a host gets that has these values itself, or by its group.
BootAnswer BootWith(Sample sample, absl::string_view distro, const Values& own,
                    const Values& of_group = {}) {
  sample.AddHost("node2", kMac, distro);
  Host host = *sample.hosts.back();
  host.variables = VariablesOf(own);
  Snapshot::Groups groups;
  if (!of_group.empty()) {
    host.labels.emplace(LabelKey::Parse("rack").value(), LabelValue::Parse("r1").value());
    groups.push_back(
        std::make_shared<const Group>(Group{.name = GroupName::Parse("first").value(),
                                            .selector = Selector::Parse("rack=r1").value(),
                                            .priority = 0,
                                            .distro = {},
                                            .variables = VariablesOf(of_group)}));
  }
  const auto snapshot =
      Snapshot::Create(Revision(), sample.settings, {},
                       {std::make_shared<const Host>(std::move(host))}, {}, groups, sample.declared)
          .value();
  return Boot(*snapshot, sample.catalog, sample.agent, FactsOf(kMac, Transport::kHttp),
              absl::UnixEpoch());
}

// What the menu says once somebody has chosen the declared distro in it; that it boots, if it does.
std::string Chosen(const std::string& script) {
  IpxeInterpreter ipxe;
  ipxe.SetOwn("b", "a secret", true);
  int chosen = 0;
  ipxe.choose = [&](const Screen&) { return chosen++ == 0 ? "declared/odd" : "reboot"; };
  const auto result = Play(ipxe, script);
  if (result.end == End::kBooted) return absl::StrCat("boots ", result.arguments);
  EXPECT_EQ(result.end, End::kRebooted);
  EXPECT_THAT(result.screens, SizeIs(2));
  return result.screens.size() < 2 ? "" : result.screens[1].items[0].text;
}

// How often the script has this label.
size_t Count(const std::string& script, const std::string& label) {
  size_t count = 0;
  for (const absl::string_view line : absl::StrSplit(script, '\n')) {
    if (line == label) ++count;
  }
  return count;
}

TEST(OwnTemplateTest, AHostsOwnValuesMakeNoReferenceInADeclaredDistroThatIsChosenByHand) {
  for (const char* arguments :
       {"a=${dollar}${brace}", "a=${dollar}{b}", "a=$${brace}", "a=${dollar:-}${brace:-}"}) {
    const Sample sample = Declaring(arguments, {});
    EXPECT_THAT(Chosen(BootWith(sample, "menu", kBad).script),
                StartsWith("Declared distro odd: its text and"))
        << arguments;
    EXPECT_THAT(Chosen(BootWith(sample, "menu", {{"brace", "b"}}, kBad).script),
                arguments == std::string("a=${dollar}{b}")
                    ? StartsWith("Declared distro odd: its text and")
                    : StartsWith("boots a=$b"))
        << arguments;
  }
}

TEST(OwnTemplateTest, AGroupsValuesCountAsTheHostsOwn) {
  const Sample sample = Declaring("a=${dollar}${brace}", {{"dollar", "x"}, {"brace", "y"}});
  EXPECT_THAT(Chosen(BootWith(sample, "menu", {}, kBad).script),
              StartsWith("Declared distro odd: its text and"));
  EXPECT_EQ(Chosen(BootWith(sample, "menu", {}).script), "boots a=xy");
}

TEST(OwnTemplateTest, AHostBootsByItsOwnValuesWhereItsAgentsMakeTheArgumentsUnusable) {
  const Sample sample = Declaring("a=${dollar}${brace} ${more:-d}", kBad);
  const BootAnswer answer = BootWith(sample, "odd", {{"brace", "(b)"}});
  ASSERT_EQ(answer.decision.outcome, Outcome::kBoot) << answer.decision.missing;
  EXPECT_EQ(answer.decision.command_line, "a=$(b) d");
  IpxeInterpreter ipxe;
  const auto result = Play(ipxe, answer.script);
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_THAT(result.requests, ElementsAre("http://x/k"));
  EXPECT_EQ(result.arguments, "a=$(b) d");
  // The shared menu has the entry's label, which says why not, but not where it would be loaded.
  EXPECT_EQ(Count(answer.script, ":declared/odd"), 2u);
  EXPECT_EQ(Count(answer.script, ":load/odd"), 1u);
  EXPECT_EQ(Chosen(BootWith(sample, "menu", {{"brace", "(b)"}}).script), "boots a=$(b) d");
}

TEST(OwnTemplateTest, WhatItsOwnValuesMakeUsableStillSaysWhichVariableTheHostLacks) {
  const Sample sample = Declaring("a=${dollar}${brace} ${more}", kBad);
  EXPECT_EQ(Chosen(BootWith(sample, "menu", {{"brace", "(b)"}}).script),
            "Declared distro odd: it uses the variable \"more\", which has no value");
  EXPECT_EQ(Chosen(BootWith(sample, "menu", {{"brace", "(b)"}, {"more", "m"}}).script),
            "boots a=$(b) m");
}

TEST(OwnTemplateTest, AHostWithoutValuesOfItsOwnHasNoLabelsOfItsOwn) {
  const Sample sample = Declaring("a=${dollar}${brace}", kBad);
  const BootAnswer answer = BootWith(sample, "odd", {});
  EXPECT_EQ(answer.decision.outcome, Outcome::kMissing);
  EXPECT_EQ(Count(answer.script, ":declared/odd"), 1u);
  EXPECT_THAT(Chosen(BootWith(sample, "menu", {}).script),
              StartsWith("Declared distro odd: its text and"));
}

}  // namespace
}  // namespace autopxe
