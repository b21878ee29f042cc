// A template is expanded twice: by the decision, and by iPXE from the script. Here both are held
// against each other where templates and variables are drawn at random.
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/boot.h"
#include "boot/ipxe_interpreter.h"
#include "boot/menu.h"
#include "boot/sample.h"
#include "boot/test_play.h"
#include "boot/test_template.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using End = IpxeInterpreter::End;

// How often `script` has the label of the profile.
int LabelsOf(const std::string& script, const std::string& profile) {
  const std::string label = absl::StrCat("\n:profile/", profile, "\n");
  int count = 0;
  for (size_t at = script.find(label); at != std::string::npos; at = script.find(label, at + 1)) {
    ++count;
  }
  return count;
}

// A host has a label of its own for exactly those profiles that are something else for it than for
// the agent's others, whichever of them its script had to look at.
void CheckOwnLabels(const Sample& sample, const BootAnswer& answer) {
  const Menu menu = BuildMenu(*sample.Build(), sample.catalog, sample.agent);
  for (const MenuProfile& profile : menu.profiles) {
    const bool differs = FindProblem(profile.name, profile.command_line,
                                     answer.decision.variables) != profile.problem;
    EXPECT_EQ(LabelsOf(answer.script, profile.name.text()), differs ? 2 : 1)
        << profile.command_line.text() << "\n"
        << answer.script;
  }
}

// Whatever templates and variables there are, iPXE boots the decision's command line, whatever a
// script before has left.
TEST(TemplateRandomTest, RandomTemplatesAndVariablesComeOutTheSame) {
  std::mt19937 random(4);
  const auto pick = [&](size_t count) { return static_cast<size_t>(random() % count); };
  const auto text = [&](size_t most, absl::string_view never) {
    std::string made;
    for (size_t length = pick(most + 1); length > 0; --length) {
      const char c = pick(2) == 0 ? " $%|&#;\\\"'{}-"[pick(13)] : static_cast<char>(' ' + pick(95));
      if (!absl::StrContains(never, c)) made += c;
    }
    return made;
  };
  static const char* const kNames[] = {"a", "b", "c.d", "console"};
  static const char* const kReferences[] = {"a",      "b",     "c.d",  "console",     "arch",
                                            "bootif", "agent", "host", "rootfs-path", "release",
                                            "kernel", "mac",   "_x"};
  int booted = 0;
  int with_own = 0;
  IpxeInterpreter ipxe;
  ipxe.SetOwn("uuid", "NOT-HERE", false);
  for (int round = 0; round < 700; ++round) {
    Sample sample;
    sample.settings.variables.clear();
    Values own;
    for (const char* name : kNames) {
      const auto value = VariableValue::Parse(text(8, ""));
      if (!value.ok()) continue;
      switch (pick(4)) {
        case 0:
          sample.settings.variables.emplace(VariableName::Parse(name).value(), *value);
          break;
        case 1:
          own[name] = value->text();
          break;
        case 2:
          own[name] = "";
          break;
        default:
          break;
      }
    }
    std::string line;
    for (size_t parts = pick(6); parts > 0; --parts) {
      absl::StrAppend(&line, text(4, "$"), "${", kReferences[pick(pick(4) == 0 ? 13 : 4)],
                      pick(2) == 0 ? absl::StrCat(":-", text(6, "${}")) : "", "}");
    }
    if (!CommandLineTemplate::Parse(line).ok()) continue;
    sample.profiles["overlayfs"] = line;
    const BootAnswer answer = BootWith(sample, own);
    CheckOwnLabels(sample, answer);
    const auto result = Play(ipxe, answer.script);
    if (answer.decision.outcome != Outcome::kBoot) continue;
    ++booted;
    if (!own.empty()) ++with_own;
    ASSERT_EQ(result.end, End::kBooted) << answer.script;
    EXPECT_EQ(result.arguments, "initrd=initrd.img " + answer.decision.command_line)
        << line << "\n"
        << answer.script;
  }
  EXPECT_GT(booted, 150);
  EXPECT_GT(with_own, 100);
}

}  // namespace
}  // namespace autopxe
