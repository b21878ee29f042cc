#include "boot/boot.h"

#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/golden.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using End = IpxeInterpreter::End;

BootAnswer BootIn(const Sample& sample, const HostFacts& facts) {
  return Boot(*sample.Build(), sample.catalog, sample.agent, facts, absl::UnixEpoch());
}

// The configuration of AutoPXE's documentation, asked for as its firmware does.
TEST(BootTest, TheMenuOfAutoPxesExampleHasItsDefaultItsVariableAndItsRootfsPath) {
  Sample sample;
  sample.settings.default_distro = Distro::Parse("debian/stable/latest/overlayfs").value();
  for (const char* mac : {"BC2411B01ADE", "bc2411b01ade"}) {
    const BootAnswer answer = BootIn(sample, FactsOf(mac, Transport::kTftp));
    EXPECT_EQ(answer.decision.distro.Format(), "debian/bookworm/latest/overlayfs");
    EXPECT_THAT(answer.script, HasSubstr("\nset nfs-server:uristring 172.25.2.11\n"));
    EXPECT_THAT(answer.script,
                HasSubstr("\nset rootfs-path:uristring /pxe/rootfs/debian/bookworm\n"));
    EXPECT_THAT(answer.script, HasSubstr("\nset _first debian/bookworm/latest/overlayfs\n"));
    IpxeInterpreter ipxe;
    const auto result = ipxe.Run(answer.script);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->end, End::kBooted);
    EXPECT_EQ(result->arguments, "initrd=initrd.img " + answer.decision.command_line);
  }
}

// What an agent's own settings say reaches the kernel, and its screen says whose default it is.
TEST(BootTest, TwoAgentsGiveOneHostTheirOwnDefaultServerAndPath) {
  Sample sample;
  sample.hosts.clear();
  sample.AddHost("node1", "bc2411b01ade", "");
  sample.agent_settings = {SettingsFor("rack2")};
  sample.agent_settings[0].default_distro = Distro::Parse("debian/bookworm/latest/nfsrw").value();
  sample.agent_settings[0].variables = VariablesOf({{"nfs-server", "10.77.2.1"}});
  sample.agent_settings[0].rootfs_path_prefix = RootfsPathPrefix::Parse("/export").value();
  const struct {
    const char* agent;
    const char* arguments;
    const char* screen;
  } kCases[] = {
      {"lab",
       "initrd=initrd.img root=/dev/nfs nfsroot=172.25.2.11:/pxe/rootfs/debian/bookworm ip=dhcp "
       "rootovl",
       "\nset _first_text:uristring debian/bookworm/latest/overlayfs%20(default)\n"},
      {"rack2",
       "initrd=initrd.img root=/dev/nfs nfsroot=10.77.2.1:/export/debian/bookworm ip=dhcp rw",
       "\nset _first_text:uristring "
       "debian/bookworm/latest/nfsrw%20(default%20of%20this%20agent)\n"},
  };
  for (const auto& c : kCases) {
    sample.agent.id = AgentId::Parse(c.agent).value();
    const BootAnswer answer = BootIn(sample, FactsOf("bc2411b01ade", Transport::kHttp));
    IpxeInterpreter ipxe;
    const auto result = ipxe.Run(answer.script);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->end, End::kBooted) << c.agent;
    EXPECT_EQ(result->arguments, c.arguments);
    EXPECT_THAT(answer.script, HasSubstr(c.screen));
  }
}

TEST(BootTest, TheSameQuestionAlwaysGetsTheSameBytes) {
  const HostFacts facts = FactsOf("bc2411b01ade", Transport::kHttp);
  EXPECT_EQ(BootIn(Sample(), facts).script, BootIn(Sample(), facts).script);
}

TEST(BootTest, DecideIsTheDecisionThatBootCarriesOut) {
  const Sample sample;
  const HostFacts facts = FactsOf("bc2411b01ade", Transport::kHttp);
  const Decision decision =
      Decide(*sample.Build(), sample.catalog, sample.agent, facts, absl::UnixEpoch());
  const BootAnswer answer = BootIn(sample, facts);
  EXPECT_EQ(decision.command_line, answer.decision.command_line);
  EXPECT_EQ(decision.outcome, answer.decision.outcome);
  EXPECT_EQ(decision.variables, answer.decision.variables);
}

// The menu is rendered before anybody asks, and knows nothing of hosts and groups.
BootAnswer BootWithMenuOfOthers(Sample sample, const HostFacts& facts) {
  const auto snapshot = sample.Build();
  sample.hosts.clear();
  const auto menu = std::make_shared<const SharedMenu>(
      RenderSharedMenu(*sample.Build(), sample.catalog, sample.agent));
  return Boot(*snapshot, sample.catalog, sample.agent, facts, absl::UnixEpoch(),
              [&] { return menu; });
}

TEST(BootTest, AMenuThatWasRenderedBeforeMakesTheSameBytes) {
  Sample sample;
  sample.AddHost("node2", "bc2411b01adf", "menu");
  sample.AddHost("node3", "bc2411b01ae0", "debian/bookworm/none/overlayfs");
  sample.AddHost("node4", "bc2411b01ae1", "wait");
  Host own = *sample.hosts.front();
  own.id = HostId{9};
  own.name = HostName::Parse("node9").value();
  own.macs = {MacAddress::Parse("bc2411b01ae9").value()};
  own.variables = VariablesOf({{"nfs-server", "$"}});
  sample.hosts.push_back(std::make_shared<const Host>(own));
  sample.profiles["nfsrw"] = "a=${nfs-server}{b}";
  for (const char* mac : {"bc2411b01ade", "bc2411b01adf", "bc2411b01ae0", "bc2411b01ae1",
                          "bc2411b01ae9", "525400000001"}) {
    for (const Transport transport : {Transport::kHttp, Transport::kTftp}) {
      const HostFacts facts = FactsOf(mac, transport);
      const BootAnswer answer = BootWithMenuOfOthers(sample, facts);
      const BootAnswer expected = BootIn(sample, facts);
      EXPECT_EQ(answer.script, expected.script) << mac;
      EXPECT_EQ(answer.decision.command_line, expected.decision.command_line) << mac;
      for (const auto& [name, variable] : answer.decision.variables) {
        EXPECT_EQ(expected.decision.variables.at(name), variable) << mac << " " << name;
      }
    }
  }
  // The last but one has a label of its own.
  EXPECT_THAT(BootIn(sample, FactsOf("bc2411b01ae9", Transport::kHttp)).script,
              HasSubstr("goto menu\n:profile/nfsrw\n"));
}

TEST(BootTest, AMenuThatWasRenderedBeforeMakesTheSameBytesWhateverAHostHas) {
  std::mt19937 random(20261128);
  const auto pick = [&](size_t count) { return static_cast<size_t>(random() % count); };
  const std::vector<std::string> pieces = {"rw",      "$",       "{b}",           "${v0}",
                                           "${v1}",   "${v2}",   "${v0:-d}",      "${v3:-}",
                                           "${uuid}", "${arch}", "${rootfs-path}"};
  const std::vector<std::string> values = {"", "$", "{v1}", "a b", "x$", "7"};
  const std::vector<std::string> files = {"d-i/linux", "http://mirror.example/f", "d-i/not-there"};
  const std::vector<std::string> distros = {"local",   "menu",
                                            "chained", "debian/bookworm/latest/overlayfs",
                                            "memtest", "debian/bookworm/latest/nfsrw"};
  const auto text = [&](size_t most) {
    std::string made;
    for (size_t parts = pick(most); parts > 0; --parts) made += pieces[pick(pieces.size())];
    return CommandLineTemplate::Parse(made).ok() ? made : "";
  };
  const auto variables = [&] {
    std::map<std::string, std::string> made;
    for (size_t i = pick(4); i > 0; --i) made[absl::StrCat("v", pick(4))] = values[pick(6)];
    return VariablesOf(made);
  };
  for (int round = 0; round < 500; ++round) {
    Sample sample;
    sample.SetFiles({"d-i/linux"});
    sample.settings.variables = variables();
    for (const char* profile : {"nfsrw", "overlayfs"}) sample.profiles[profile] = text(6);
    if (pick(4) > 0) sample.DeclareChain("chained", files[pick(3)]);
    if (pick(4) > 0) {
      sample.DeclareKernel("memtest", files[pick(3)], {files[pick(3)]}, text(6));
    }
    sample.hosts.clear();
    sample.AddHost("node1", "bc2411b01ade", distros[pick(distros.size())]);
    Host own = *sample.hosts.front();
    own.variables = variables();
    sample.hosts = {std::make_shared<const Host>(own)};
    for (const char* mac : {"bc2411b01ade", "525400000001"}) {
      const HostFacts facts = FactsOf(mac, Transport::kHttp);
      const BootAnswer lean = BootWithMenuOfOthers(sample, facts);
      const BootAnswer whole = BootIn(sample, facts);
      ASSERT_EQ(lean.script, whole.script) << "round " << round;
      ASSERT_EQ(lean.decision.command_line, whole.decision.command_line) << "round " << round;
    }
  }
}

// faults.md 31.
TEST(BootTest, HostileValuesArriveInTheKernelAsTheyAreAndDoNothingElse) {
  Sample sample;
  sample.settings.variables.clear();
  const std::vector<std::string> hostile = {
      "a\" || reboot || \"",   "' && shell && '",   "# no more",     "%0Areboot",
      "%24%7Buuid%7D 100% $",  "; poweroff ;",      "--key x --gap", "\\ two  blanks \\",
      " {braces} } $ { [x] ~", "|| && # ; || echo",
  };
  std::string text = "first";
  for (size_t i = 0; i < hostile.size(); ++i) {
    const std::string name = absl::StrCat("v", i);
    sample.settings.variables.emplace(VariableName::Parse(name).value(),
                                      VariableValue::Parse(hostile[i]).value());
    absl::StrAppend(&text, " '", "${", name, "}'");
  }
  sample.profiles["overlayfs"] = text + " # || \"last\" %41 \\";
  const BootAnswer answer = BootIn(sample, FactsOf("bc2411b01ade", Transport::kTftp));
  EXPECT_TRUE(IsGolden(answer.script, "hostile.ipxe"));
  for (const std::string& value : hostile) {
    EXPECT_THAT(answer.decision.command_line, HasSubstr(value));
    EXPECT_THAT(answer.script, Not(HasSubstr(value)));
  }
  IpxeInterpreter ipxe;
  ipxe.SetOwn("uuid", "NOT-HERE", false);
  const auto result = ipxe.Run(answer.script);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, End::kBooted);
  EXPECT_EQ(result->arguments, "initrd=initrd.img " + answer.decision.command_line);
}

// faults.md 31: values that got past every check still can't do more than make a line that the
// screen calls missing.
TEST(BootTest, AnAgentsFolderOfAnyNameMakesNoBrokenScript) {
  for (const char* folder : {"/srv/a b", "/srv/\xc3\xa4", "/srv/x\nreboot", "/srv/${uuid}",
                             "/srv/$", "", "/", "/srv/|| reboot"}) {
    Sample sample;
    sample.settings.rootfs_path_prefix.reset();
    sample.agent.rootfs_folder = folder;
    const BootAnswer answer = BootIn(sample, FactsOf("bc2411b01ade", Transport::kHttp));
    IpxeInterpreter ipxe;
    const auto result = ipxe.Run(answer.script);
    ASSERT_TRUE(result.ok()) << result.status();
    if (answer.decision.outcome == Outcome::kBoot) {
      EXPECT_EQ(result->arguments, "initrd=initrd.img " + answer.decision.command_line);
    } else {
      EXPECT_EQ(answer.decision.outcome, Outcome::kMissing);
      EXPECT_EQ(result->end, End::kChained);
    }
  }
}

TEST(BootTest, PathsThatAUriCanNotHoldAreEncoded) {
  Sample sample;
  CatalogKernel& kernel = sample.catalog.distros[0].releases[0].kernels[0];
  kernel.kernel_path = "boot/vmlinuz-6.1+deb~1%?#$&";
  const BootAnswer answer = BootIn(sample, FactsOf("bc2411b01ade", Transport::kHttp));
  IpxeInterpreter ipxe;
  const auto result = ipxe.Run(answer.script);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->uri, "/boot/debian/bookworm/boot/vmlinuz-6.1%2Bdeb~1%25%3F%23%24%26");
}

// Whatever the configuration, every script is made of our own commands only, and a host boots
// exactly the command line that its decision says.
TEST(BootTest, RandomConfigurationsMakeScriptsThatDoWhatTheDecisionSays) {
  std::mt19937 random(20240602);
  const auto pick = [&](size_t count) { return static_cast<size_t>(random() % count); };
  const auto text = [&](size_t most, absl::string_view favourites) {
    std::string made;
    for (size_t length = pick(most + 1); length > 0; --length) {
      made +=
          pick(2) == 0 ? favourites[pick(favourites.size())] : static_cast<char>(' ' + pick(95));
    }
    return made;
  };
  const std::vector<std::string> distros = {"debian/bookworm/latest/p0",
                                            "debian/bookworm/6.1.0-25-amd64/p1",
                                            "debian/trixie/latest/p0",
                                            "ubuntu/noble/latest/p2",
                                            "local",
                                            "menu",
                                            "wait",
                                            "ignore"};
  int booted = 0;
  for (int round = 0; round < 1500; ++round) {
    Sample sample;
    sample.settings.variables.clear();
    sample.profiles.clear();
    for (const char* name : {"a", "b", "c.d", "ip", "host"}) {
      const auto value = VariableValue::Parse(text(12, "${}%|&#;\\\"' -"));
      if (value.ok()) sample.settings.variables.emplace(VariableName::Parse(name).value(), *value);
    }
    for (const char* name : {"p0", "p1"}) {
      std::string line;
      for (size_t parts = pick(6); parts > 0; --parts) {
        static const char* kParts[] = {"${a}",
                                       "${b}",
                                       "${c.d}",
                                       "${rootfs-path}",
                                       "${host}",
                                       "${mac}",
                                       "${agent-address}",
                                       "${ip}",
                                       "${bootif}",
                                       "${arch}",
                                       "${distro}",
                                       "${distro-name}",
                                       "${release}",
                                       "${kernel}",
                                       "${agent}",
                                       "${a:-x y}",
                                       "${none:-}",
                                       "${none:-%41 || # \"}",
                                       "${none:-ttyS0,115200n8}",
                                       "${unset}"};
        constexpr size_t kCount = std::size(kParts);
        // Rarely one that nobody set.
        absl::StrAppend(&line, text(6, "$ {}%|&#;\\\"'"),
                        kParts[pick(pick(8) == 0 ? kCount : kCount - 1)]);
      }
      if (CommandLineTemplate::Parse(line).ok()) sample.profiles[name] = line;
    }
    sample.hosts.clear();
    sample.AddHost("node1", "bc2411b01ade", distros[pick(distros.size())]);
    HostFacts facts = FactsOf("bc2411b01ade", pick(2) == 0 ? Transport::kHttp : Transport::kTftp,
                              pick(2) == 0 ? Stage::kStart : Stage::kPoll);
    if (pick(3) == 0) facts.asked_at = IpAddress::Parse("fd00::1").value();
    if (pick(3) == 0) sample.agent.http_port = 0;

    const BootAnswer answer = BootIn(sample, facts);
    EXPECT_EQ(BootWithMenuOfOthers(sample, facts).script, answer.script);
    if (answer.decision.outcome == Outcome::kIgnore) {
      EXPECT_THAT(answer.script, IsEmpty());
      continue;
    }
    IpxeInterpreter ipxe;
    ipxe.SetOwn("ip", "10.77.0.10", false);
    ipxe.SetOwn("uuid", "NOT-HERE", false);
    const auto result = ipxe.Run(answer.script);
    ASSERT_TRUE(result.ok()) << result.status() << "\n" << answer.script;
    if (answer.decision.outcome == Outcome::kBoot) {
      ++booted;
      ASSERT_EQ(result->end, End::kBooted);
      std::string expected = answer.decision.command_line;
      for (size_t at; (at = expected.find("${ip}")) != std::string::npos;) {
        expected.replace(at, 5, "10.77.0.10");
      }
      // iPXE puts the arguments together with single blanks, which says nothing of blanks within
      // one.
      EXPECT_EQ(result->arguments, "initrd=initrd.img " + expected);
    }
    // Every entry of the menu leads somewhere.
    if (answer.decision.outcome == Outcome::kMenu) {
      for (const char* profile : {"p0", "p1"}) {
        if (sample.profiles.count(profile) == 0) continue;
        IpxeInterpreter other;
        int screens = 0;
        other.choose = [&](const IpxeInterpreter::Screen&) -> absl::optional<std::string> {
          ++screens;
          if (screens == 1) return "debian/";
          if (screens == 2) return absl::StrCat("debian/bookworm/latest/", profile);
          return "reboot";
        };
        const auto chosen = other.Run(answer.script);
        ASSERT_TRUE(chosen.ok()) << chosen.status() << "\n" << answer.script;
        EXPECT_TRUE(chosen->end == End::kBooted || chosen->end == End::kRebooted);
      }
    }
  }
  EXPECT_GT(booted, 100);
}

}  // namespace
}  // namespace autopxe
