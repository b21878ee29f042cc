#include "boot/resolution.h"

#include <functional>
#include <map>
#include <string>

#include "boot/command_line.h"
#include "boot/sample.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kNode1[] = "bc:24:11:b0:1a:de";
constexpr char kUnknown[] = "52:54:00:00:00:99";

Decision ResolveIn(const Sample& sample, absl::string_view mac) {
  return Resolve(*sample.Build(), sample.catalog, sample.agent, FactsOf(mac, Transport::kHttp),
                 absl::FromUnixSeconds(1'700'000'000));
}

Distro D(absl::string_view text) { return Distro::Parse(text).value(); }

TEST(ResolutionTest, AnAssignedHostBootsItsDistroWithItsCommandLine) {
  const Decision decision = ResolveIn(Sample(), kNode1);
  EXPECT_EQ(decision.host, "node1");
  EXPECT_TRUE(decision.known);
  EXPECT_EQ(decision.distro, D("debian/bookworm/latest/overlayfs"));
  EXPECT_EQ(decision.distro_origin, DistroOrigin::kHost);
  EXPECT_EQ(decision.outcome, Outcome::kBoot);
  EXPECT_EQ(decision.kernel_version, "6.1.0-25-amd64");
  EXPECT_EQ(decision.release_folder, "bookworm");
  EXPECT_EQ(decision.kernel_path, "boot/vmlinuz-6.1.0-25-amd64");
  EXPECT_EQ(decision.initrd_path, "boot/initrd.img-6.1.0-25-amd64");
  EXPECT_EQ(decision.rootfs_path, "/pxe/rootfs/debian/bookworm");
  EXPECT_EQ(decision.command_line,
            "root=/dev/nfs nfsroot=172.25.2.11:/pxe/rootfs/debian/bookworm ip=dhcp rootovl");
  EXPECT_THAT(decision.missing, IsEmpty());
  using Variable = Decision::Variable;
  const std::map<std::string, Variable> variables = {
      {"agent", {"lab", VariableOrigin::kBuiltIn}},
      {"agent-address", {"10.77.0.1", VariableOrigin::kBuiltIn}},
      {"arch", {"unknown", VariableOrigin::kBuiltIn}},
      {"bootif", {"01-bc-24-11-b0-1a-de", VariableOrigin::kBuiltIn}},
      {"distro", {"debian/bookworm/latest/overlayfs", VariableOrigin::kBuiltIn}},
      {"distro-name", {"debian", VariableOrigin::kBuiltIn}},
      {"host", {"node1", VariableOrigin::kBuiltIn}},
      {"kernel", {"6.1.0-25-amd64", VariableOrigin::kBuiltIn}},
      {"mac", {"bc:24:11:b0:1a:de", VariableOrigin::kBuiltIn}},
      {"nfs-server", {"172.25.2.11", VariableOrigin::kGlobal}},
      {"release", {"bookworm", VariableOrigin::kBuiltIn}},
      {"rootfs-path", {"/pxe/rootfs/debian/bookworm", VariableOrigin::kBuiltIn}},
  };
  EXPECT_EQ(decision.variables, variables);
  // None is forgotten.
  for (const absl::string_view name : BuiltInVariables()) {
    EXPECT_EQ(decision.variables.count(std::string(name)), 1u) << name;
  }
}

TEST(ResolutionTest, ADefaultIsUsedWhereNobodySetsTheVariable) {
  Sample sample;
  sample.profiles["overlayfs"] = "console=${console:-ttyS0,115200n8} ${extra:-} ${nfs-server:-x}";
  EXPECT_EQ(ResolveIn(sample, kNode1).command_line, "console=ttyS0,115200n8  172.25.2.11");
  sample.agent_settings = {SettingsFor("lab")};
  sample.agent_settings[0].variables =
      VariablesOf({{"console", "tty1"}, {"extra", "quiet splash"}, {"nfs-server", ""}});
  EXPECT_EQ(ResolveIn(sample, kNode1).command_line, "console=tty1 quiet splash x");
}

// The names that are ours came after people had chosen theirs.
TEST(ResolutionTest, AVariableThatBearsABuiltInsNameIsShadowed) {
  Sample sample;
  std::map<std::string, std::string> set;
  for (const absl::string_view name : BuiltInVariables()) set[std::string(name)] = "mine";
  sample.settings.variables = VariablesOf(set);
  sample.agent_settings = {SettingsFor("lab")};
  sample.agent_settings[0].variables = VariablesOf(set);
  for (const auto& [name, variable] : ResolveIn(sample, kNode1).variables) {
    EXPECT_NE(variable.value, "mine") << name;
    EXPECT_EQ(variable.origin, VariableOrigin::kBuiltIn) << name;
  }
}

TEST(ResolutionTest, TheDistroComesFromTheNearestPlaceThatNamesOne) {
  const struct {
    const char* what;
    const char* mac;
    const char* default_distro;
    const char* unknown_hosts;
    const char* distro;
    DistroOrigin origin;
    Outcome outcome;
  } kCases[] = {
      {"assigned", "52:54:00:00:00:01", "local", "wait", "menu", DistroOrigin::kHost,
       Outcome::kMenu},
      {"known, default", "52:54:00:00:00:02", "local", "wait", "local", DistroOrigin::kDefault,
       Outcome::kLocal},
      {"known, no default", "52:54:00:00:00:02", "", "wait", "menu", DistroOrigin::kNothing,
       Outcome::kMenu},
      {"unknown, a setting", kUnknown, "local", "wait", "wait", DistroOrigin::kUnknownHosts,
       Outcome::kWait},
      {"unknown, ignored", kUnknown, "local", "ignore", "ignore", DistroOrigin::kUnknownHosts,
       Outcome::kIgnore},
      {"unknown, a distro", kUnknown, "local", "debian/bookworm/latest/nfsrw",
       "debian/bookworm/latest/nfsrw", DistroOrigin::kUnknownHosts, Outcome::kBoot},
      {"unknown, default", kUnknown, "local", "", "local", DistroOrigin::kDefault, Outcome::kLocal},
      {"unknown, nothing", kUnknown, "", "", "menu", DistroOrigin::kNothing, Outcome::kMenu},
  };
  for (const auto& c : kCases) {
    Sample sample;
    sample.AddHost("on-menu", "525400000001", "menu");
    sample.AddHost("unassigned", "525400000002", "");
    sample.settings.default_distro.reset();
    if (*c.default_distro != '\0') sample.settings.default_distro = D(c.default_distro);
    if (*c.unknown_hosts != '\0') sample.settings.unknown_hosts = D(c.unknown_hosts);
    const Decision decision = ResolveIn(sample, c.mac);
    EXPECT_EQ(decision.distro, D(c.distro)) << c.what;
    EXPECT_EQ(decision.distro_origin, c.origin) << c.what;
    EXPECT_EQ(decision.outcome, c.outcome) << c.what;
  }
}

TEST(ResolutionTest, TheAgentsDefaultComesBeforeTheGlobalOneForItsHostsOnly) {
  const struct {
    const char* what;
    const char* mac;
    const char* unknown_hosts;
    const char* distro;
    DistroOrigin origin;
  } kCases[] = {
      {"assigned", "52:54:00:00:00:01", "", "menu", DistroOrigin::kHost},
      {"known", "52:54:00:00:00:02", "ignore", "wait", DistroOrigin::kAgentDefault},
      {"unknown", kUnknown, "", "wait", DistroOrigin::kAgentDefault},
      {"unknown, a setting", kUnknown, "ignore", "ignore", DistroOrigin::kUnknownHosts},
  };
  for (const auto& c : kCases) {
    Sample sample;
    sample.AddHost("on-menu", "525400000001", "menu");
    sample.AddHost("unassigned", "525400000002", "");
    sample.settings.default_distro = Distro::Local();
    if (*c.unknown_hosts != '\0') sample.settings.unknown_hosts = D(c.unknown_hosts);
    sample.agent_settings = {SettingsFor("lab"), SettingsFor("rack2")};
    sample.agent_settings[0].default_distro = Distro::Wait();
    const Decision decision = ResolveIn(sample, c.mac);
    EXPECT_EQ(decision.distro, D(c.distro)) << c.what;
    EXPECT_EQ(decision.distro_origin, c.origin) << c.what;
    // An agent that sets none, and one that sets nothing at all.
    for (const char* agent : {"rack2", "rack3"}) {
      sample.agent.id = AgentId::Parse(agent).value();
      const Decision elsewhere = ResolveIn(sample, "52:54:00:00:00:02");
      EXPECT_EQ(elsewhere.distro, Distro::Local()) << agent;
      EXPECT_EQ(elsewhere.distro_origin, DistroOrigin::kDefault) << agent;
    }
  }
}

TEST(ResolutionTest, OneAssignmentBootsWithTheValuesOfWhicheverAgentAnswers) {
  Sample sample;
  sample.agent_settings = {SettingsFor("lab"), SettingsFor("rack2")};
  sample.agent_settings[0].variables = VariablesOf({{"nfs-server", "10.77.1.1"}});
  sample.agent_settings[0].rootfs_path_prefix = RootfsPathPrefix::Parse("/export").value();
  const Decision here = ResolveIn(sample, kNode1);
  EXPECT_EQ(here.command_line,
            "root=/dev/nfs nfsroot=10.77.1.1:/export/debian/bookworm ip=dhcp rootovl");
  EXPECT_EQ(here.variables.at("nfs-server"),
            (Decision::Variable{"10.77.1.1", VariableOrigin::kAgent}));
  sample.agent.id = AgentId::Parse("rack2").value();
  EXPECT_EQ(ResolveIn(sample, kNode1).command_line,
            "root=/dev/nfs nfsroot=172.25.2.11:/pxe/rootfs/debian/bookworm ip=dhcp rootovl");
}

// faults.md 32.
TEST(ResolutionTest, EverySpellingOfAMacIsTheSameHostAndAnUnknownOneIsNoOther) {
  for (const char* mac : {"BC:24:11:B0:1A:DE", "bc-24-11-b0-1a-de", "BC2411B01ADE", "bc2411b01ade",
                          "bc24.11b0.1ade"}) {
    EXPECT_EQ(ResolveIn(Sample(), mac).host, "node1") << mac;
  }
  Sample sample;
  sample.settings.default_distro.reset();
  for (const char* mac : {"bc:24:11:b0:1a:df", "bc:24:11:b0:1b:de", "be:24:11:b0:1a:de"}) {
    const Decision decision = ResolveIn(sample, mac);
    EXPECT_FALSE(decision.known) << mac;
    EXPECT_EQ(decision.host, mac);
    EXPECT_EQ(decision.outcome, Outcome::kMenu) << mac;
  }
}

TEST(ResolutionTest, AnAliasBootsFromTheFolderThatItLinksTo) {
  Sample sample;
  CatalogRelease stable = ReleaseWith("stable", "6.1.0-25-amd64");
  stable.alias_of = "bookworm";
  sample.catalog.distros[0].releases.push_back(stable);
  sample.AddHost("node2", "525400000002", "debian/stable/latest/nfsrw");
  const Decision decision = ResolveIn(sample, "525400000002");
  EXPECT_EQ(decision.outcome, Outcome::kBoot);
  EXPECT_EQ(decision.distro, D("debian/stable/latest/nfsrw"));
  EXPECT_EQ(decision.release_folder, "bookworm");
  EXPECT_EQ(decision.rootfs_path, "/pxe/rootfs/debian/bookworm");
  EXPECT_EQ(decision.variables.at("release").value, "bookworm");
  EXPECT_EQ(decision.variables.at("distro").value, "debian/stable/latest/nfsrw");
}

TEST(ResolutionTest, WithoutAPrefixTheAgentsOwnFolderIsShown) {
  Sample sample;
  sample.settings.rootfs_path_prefix.reset();
  EXPECT_EQ(ResolveIn(sample, kNode1).rootfs_path, "/srv/rootfs/debian/bookworm");
}

TEST(ResolutionTest, WhatIsMissingIsSaidWithTheHostTheDistroAndWhatIsThereInstead) {
  const struct {
    const char* distro;
    const char* words;
  } kCases[] = {
      {"debain/bookworm/latest/overlayfs",
       "Host node2 should boot debain/bookworm/latest/overlayfs, which is assigned to it, but "
       "agent "
       "\"lab\" has no debain; it has debian."},
      {"debian/bookwrm/latest/overlayfs",
       "but agent \"lab\" has no release bookwrm of debian; it has bookworm."},
      {"debian/bookworm/6.1.0-26-amd64/overlayfs",
       "but agent \"lab\" has no kernel 6.1.0-26-amd64 of debian/bookworm; it has 6.1.0-25-amd64, "
       "latest."},
      {"debian/bookworm/latest/nfswr", "but there is no profile nfswr; there is nfsrw, overlayfs."},
  };
  for (const auto& c : kCases) {
    Sample sample;
    sample.AddHost("node2", "525400000002", c.distro);
    const Decision decision = ResolveIn(sample, "525400000002");
    EXPECT_EQ(decision.outcome, Outcome::kMissing) << c.distro;
    EXPECT_THAT(decision.missing, HasSubstr(c.words));
    EXPECT_THAT(decision.command_line, IsEmpty());
  }
}

TEST(ResolutionTest, OfManyReleasesOnlyTheClosestAndAFewAreNamed) {
  Sample sample;
  sample.catalog.distros[0].releases.clear();
  for (int i = 100; i < 200; ++i) {
    sample.catalog.distros[0].releases.push_back(
        ReleaseWith("r" + std::to_string(i), "6.1.0-25-amd64"));
  }
  sample.AddHost("node2", "525400000002", "debian/r1577/latest/overlayfs");
  EXPECT_THAT(ResolveIn(sample, "525400000002").missing,
              HasSubstr("it has r157, r100, r101, r102, r103 and 95 more."));
}

TEST(ResolutionTest, AnAgentWithoutAnyKernelAndASiteWithoutAnyProfileSaySo) {
  Sample sample;
  sample.catalog.distros.clear();
  EXPECT_THAT(ResolveIn(sample, kNode1).missing,
              HasSubstr("but agent \"lab\" has no kernel at all to offer."));
  Sample other;
  other.profiles.clear();
  EXPECT_THAT(ResolveIn(other, kNode1).missing,
              HasSubstr("but there is no profile overlayfs, nor any other."));
}

TEST(ResolutionTest, AVariableThatNobodySetIsMissingRatherThanABrokenCommandLine) {
  Sample sample;
  sample.settings.variables.clear();
  const Decision decision = ResolveIn(sample, kNode1);
  EXPECT_EQ(decision.outcome, Outcome::kMissing);
  EXPECT_THAT(decision.missing,
              HasSubstr("but profile overlayfs can't be used: it uses the variable \"nfs-server\", "
                        "which has no value."));
}

TEST(ResolutionTest, TheDefaultAndUnknownHostsAreNamedAsTheReason) {
  Sample sample;
  sample.settings.default_distro = D("debian/sid/latest/overlayfs");
  EXPECT_THAT(ResolveIn(sample, kUnknown).missing, HasSubstr("sid/latest/overlayfs, the default,"));
  sample.agent_settings = {SettingsFor("lab")};
  sample.agent_settings[0].default_distro = D("debian/sid/latest/nfsrw");
  EXPECT_THAT(ResolveIn(sample, kUnknown).missing,
              HasSubstr("sid/latest/nfsrw, the default of its agent,"));
  sample.settings.unknown_hosts = D("debian/sid/latest/overlayfs");
  EXPECT_THAT(ResolveIn(sample, kUnknown).missing,
              HasSubstr("overlayfs, as every unknown host, but"));
}

TEST(ResolutionTest, AVariableThatIpxeWouldTakeForItsOwnIsNeverUsed) {
  Sample sample;
  sample.settings.variables.emplace(VariableName::Parse("ip").value(),
                                    VariableValue::Parse("10.0.0.1").value());
  sample.settings.variables.emplace(VariableName::Parse("rootfs-path").value(),
                                    VariableValue::Parse("/elsewhere").value());
  sample.profiles["overlayfs"] = "${rootfs-path} ${ip}";
  const Decision decision = ResolveIn(sample, kNode1);
  EXPECT_EQ(decision.command_line, "/pxe/rootfs/debian/bookworm ${ip}");
  EXPECT_EQ(decision.variables.count("ip"), 0u);
}

TEST(ResolutionTest, TheAddressThatTheAgentAdvertisesIsItsAddress) {
  Sample sample;
  sample.agent.advertise = IpAddress::Parse("192.0.2.7").value();
  sample.profiles["overlayfs"] = "log=${agent-address} ${host} ${mac}";
  EXPECT_EQ(ResolveIn(sample, kNode1).command_line, "log=192.0.2.7 node1 bc:24:11:b0:1a:de");
}

TEST(ResolutionTest, ADeclaredDistroBootsItsFilesWithItsArguments) {
  Sample sample;
  sample.SetFiles({"i", "k"});
  sample.DeclareKernel("installer", "k", {"i", "http://x/i"}, "h=${host} d=${distro} ${none:-q}",
                       Architecture::kX86_64);
  sample.AddHost("node2", kUnknown, "installer");
  const Decision decision = ResolveIn(sample, kUnknown);
  EXPECT_EQ(decision.outcome, Outcome::kBoot) << decision.missing;
  EXPECT_EQ(decision.declared, sample.declared[0]);
  EXPECT_EQ(decision.command_line, "h=node2 d=installer q");
  EXPECT_EQ(decision.architecture, Architecture::kX86_64);
  EXPECT_THAT(decision.kernel_path, IsEmpty());
  EXPECT_EQ(decision.variables.at("distro").value, "installer");
  EXPECT_EQ(decision.variables.count("rootfs-path"), 0u);
}

TEST(ResolutionTest, WhatIsChainedHasNoCommandLine) {
  Sample sample;
  sample.DeclareChain("menu2", "http://x/boot.ipxe");
  sample.settings.unknown_hosts = D("menu2");
  const Decision decision = ResolveIn(sample, kUnknown);
  EXPECT_EQ(decision.outcome, Outcome::kBoot) << decision.missing;
  EXPECT_EQ(decision.declared, sample.declared[0]);
  EXPECT_THAT(decision.command_line, IsEmpty());
}

TEST(ResolutionTest, ADeclaredDistroThatCanNotBeBootedSaysWhatIsThereInstead) {
  const struct {
    std::function<void(Sample&)> change;
    const char* distro;
    const char* words;
  } kCases[] = {
      {[](Sample&) {}, "memtest", "but no distro memtest is declared, nor any other."},
      {[](Sample& sample) {
         sample.DeclareChain("aa", "http://x/");
         sample.DeclareChain("memtest86", "http://x/");
       },
       "memtest68", "but no distro memtest68 is declared; there is memtest86, aa."},
      {[](Sample&) {}, "debian",
       "but no distro debian is declared; the one that agent \"lab\" found is assigned as "
       "debian/<release>/<kernel>/<profile>."},
      {[](Sample& sample) { sample.DeclareChain("fw", "fw/a.efi"); }, "fw",
       "but agent \"lab\" has no file fw/a.efi in its folder of files, nor any other."},
      {[](Sample& sample) {
         sample.DeclareKernel("fw", "http://x/k", {"http://x/i", "fw/a.img"}, "");
         sample.SetFiles({"b", "fw/a.efi"});
       },
       "fw", "but agent \"lab\" has no file fw/a.img in its folder of files; it has fw/a.efi, b."},
      {[](Sample& sample) { sample.DeclareKernel("i", "http://x/k", {}, "${preseed}"); }, "i",
       "but it can't be used: it uses the variable \"preseed\", which has no value."},
      {[](Sample& sample) { sample.DeclareKernel("i", "http://x/k", {}, "${arch:-x}"); }, "i",
       "but it can't be used: it uses the variable \"arch\", which only a scanned distro has."},
  };
  for (const auto& c : kCases) {
    Sample sample;
    c.change(sample);
    sample.AddHost("node2", kUnknown, c.distro);
    const Decision decision = ResolveIn(sample, kUnknown);
    EXPECT_EQ(decision.outcome, Outcome::kMissing) << c.distro;
    EXPECT_EQ(decision.declared, nullptr);
    EXPECT_EQ(decision.missing, std::string("Host node2 should boot ") + c.distro +
                                    ", which is assigned to it, " + c.words);
  }
}

}  // namespace
}  // namespace autopxe
