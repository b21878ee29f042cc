#include "boot/menu.h"

#include <set>

#include "boot/sample.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Menu BuildIn(const Sample& sample) {
  return BuildMenu(*sample.Build(), sample.catalog, sample.agent);
}

std::vector<std::string> Entries(const SubMenu& sub_menu) {
  std::vector<std::string> texts;
  for (const MenuKernel& kernel : sub_menu.kernels) {
    for (const MenuEntry& entry : kernel.entries) {
      texts.push_back(std::string(1, entry.key) + " " + entry.distro.Format());
    }
  }
  return texts;
}

TEST(MenuTest, EveryProfileIsOfferedForEveryKernelOfEveryReleaseInAFixedOrder) {
  Sample sample;
  sample.catalog.distros[0].releases.push_back(ReleaseWith("trixie", "6.12.5-amd64"));
  const Menu menu = BuildIn(sample);
  ASSERT_EQ(menu.distros.size(), 1u);
  EXPECT_EQ(menu.distros[0].name(), "debian");
  EXPECT_THAT(
      Entries(menu.distros[0]),
      ElementsAre("1 debian/bookworm/latest/nfsrw", "2 debian/bookworm/latest/overlayfs",
                  "3 debian/bookworm/6.1.0-25-amd64/nfsrw",
                  "4 debian/bookworm/6.1.0-25-amd64/overlayfs", "5 debian/trixie/latest/nfsrw",
                  "6 debian/trixie/latest/overlayfs", "7 debian/trixie/6.12.5-amd64/nfsrw",
                  "8 debian/trixie/6.12.5-amd64/overlayfs"));
  const MenuKernel& kernel = menu.distros[0].kernels.back();
  EXPECT_EQ(kernel.kernel_file, "boot/debian/trixie/boot/vmlinuz-6.12.5-amd64");
  EXPECT_EQ(kernel.initrd_file, "boot/debian/trixie/boot/initrd.img-6.12.5-amd64");
  EXPECT_EQ(kernel.rootfs_path, "/pxe/rootfs/debian/trixie");
}

TEST(MenuTest, NoKeyIsGivenTwiceOrTakenFromWhatTheMenuKeeps) {
  Sample sample;
  sample.catalog.distros.clear();
  for (char c = 'a'; c <= 'z'; ++c) {
    for (const char* more : {"1", "2"}) {
      CatalogDistro distro;
      distro.name = std::string(1, c) + more;
      for (int release = 10; release < 60; ++release) {
        distro.releases.push_back(ReleaseWith("r" + std::to_string(release), "6.1"));
      }
      sample.catalog.distros.push_back(distro);
    }
  }
  const Menu menu = BuildIn(sample);
  std::set<char> keys = {kFirstEntryKey, kConfigureKey, kShellKey, kRebootKey, kLocalKey};
  for (const SubMenu& sub_menu : menu.distros) {
    if (sub_menu.key != kNoKey) {
      EXPECT_TRUE(keys.insert(sub_menu.key).second) << sub_menu.key;
    }
    std::set<char> sub_keys = {kBackKey};
    for (const MenuKernel& kernel : sub_menu.kernels) {
      for (const MenuEntry& entry : kernel.entries) {
        if (entry.key != kNoKey) {
          EXPECT_TRUE(sub_keys.insert(entry.key).second) << entry.key;
        }
      }
    }
    EXPECT_EQ(sub_keys.size(), 35u);
  }
  EXPECT_EQ(keys.size(), 36u);
}

TEST(MenuTest, WithoutProfilesOrKernelsThereIsNothingToOffer) {
  Sample sample;
  sample.profiles.clear();
  EXPECT_THAT(BuildIn(sample).distros, IsEmpty());
  Sample other;
  other.catalog.distros.clear();
  EXPECT_THAT(BuildIn(other).distros, IsEmpty());
  EXPECT_EQ(BuildIn(other).profiles.size(), 2u);
}

TEST(MenuTest, ANameThatNoDistroCanHaveIsLeftOut) {
  Sample sample;
  sample.catalog.distros[0].releases.push_back(ReleaseWith("x y || reboot", "6.1"));
  sample.catalog.distros.push_back({.name = "ev\nil", .releases = {ReleaseWith("a", "6.1")}});
  const Menu menu = BuildIn(sample);
  ASSERT_EQ(menu.distros.size(), 1u);
  EXPECT_EQ(Entries(menu.distros[0]).size(), 4u);
}

TEST(MenuTest, TheValuesAreThoseOfTheAgentThatShowsIt) {
  Sample sample;
  sample.profiles = {{"p", "nfs=${nfs-server} log=${log-host}"}};
  sample.agent_settings = {SettingsFor("lab")};
  sample.agent_settings[0].variables = VariablesOf({{"log-host", "10.77.1.2"}});
  sample.agent_settings[0].rootfs_path_prefix = RootfsPathPrefix::Parse("/export").value();
  const Menu menu = BuildIn(sample);
  EXPECT_THAT(menu.profiles.at(0).problem, IsEmpty());
  EXPECT_THAT(menu.profiles.at(0).unset, IsEmpty());
  EXPECT_EQ(menu.distros.at(0).kernels.at(0).rootfs_path, "/export/debian/bookworm");
  sample.agent.id = AgentId::Parse("rack2").value();
  const Menu elsewhere = BuildIn(sample);
  EXPECT_THAT(elsewhere.profiles.at(0).unset, ElementsAre(VariableName::Parse("log-host").value()));
  EXPECT_EQ(elsewhere.distros.at(0).kernels.at(0).rootfs_path, "/pxe/rootfs/debian/bookworm");
}

TEST(MenuTest, AProfileThatCanNotBeUsedSaysWhy) {
  Sample sample;
  // A host can have variables of its own, but none of such a name.
  sample.profiles["broken"] = "x=${_unset} ${mine} ${host} ${hostname}";
  const Menu menu = BuildIn(sample);
  ASSERT_EQ(menu.profiles.size(), 3u);
  EXPECT_EQ(menu.profiles[0].problem,
            "Profile broken: it uses the variable \"_unset\", which has no value");
  EXPECT_THAT(menu.profiles[1].problem, IsEmpty());
}

TEST(MenuTest, AProfileWhoseVariablesOnlyHostsCanHaveIsForThose) {
  Sample sample;
  sample.profiles = {{"p", "${rack} ${nfs-server} ${slot} ${rack} ${console:-ttyS0} ${extra:-}"}};
  const Menu menu = BuildIn(sample);
  EXPECT_THAT(menu.profiles.at(0).problem, IsEmpty());
  EXPECT_THAT(menu.profiles.at(0).unset, ElementsAre(VariableName::Parse("rack").value(),
                                                     VariableName::Parse("slot").value()));
}

TEST(MenuTest, WhatNoHostCanMendIsStillAProblem) {
  for (const char* text : {"${rack} $${nfs-server}", "${_x} ${rack}"}) {
    Sample sample;
    sample.settings.variables = VariablesOf({{"nfs-server", "{uuid}"}});
    sample.profiles = {{"p", text}};
    EXPECT_THAT(BuildIn(sample).profiles.at(0).problem, HasSubstr("Profile p: it")) << text;
  }
}

TEST(MenuTest, DeclaredDistrosComeAfterTheScannedOnesWithTheNextKeys) {
  Sample sample;
  sample.SetFiles({"a"});
  sample.DeclareKernel("zz", "a", {}, "${rack} ${host}", Architecture::kArm64);
  sample.DeclareChain("aa", "http://x/");
  sample.DeclareKernel("lacks-a-file", "b", {}, "");
  sample.DeclareKernel("broken", "a", {}, "${kernel:-x}");
  const Menu menu = BuildIn(sample);
  std::vector<std::string> texts;
  for (const MenuDeclared& declared : menu.declared) {
    texts.push_back(std::string(1, declared.key) + " " + declared.distro->name.text());
  }
  EXPECT_THAT(texts, ElementsAre("2 aa", "3 broken", "4 zz"));
  EXPECT_EQ(menu.declared[0].kernel(), nullptr);
  EXPECT_EQ(menu.declared[1].problem,
            "Declared distro broken: it uses the variable \"kernel\", which only a scanned distro "
            "has");
  EXPECT_THAT(menu.declared[2].problem, IsEmpty());
  EXPECT_THAT(menu.declared[2].unset, ElementsAre(VariableName::Parse("rack").value()));
  EXPECT_TRUE(menu.Uses("host"));
  // A host with values of its own may do with what the agent's others can't.
  EXPECT_TRUE(menu.Uses("kernel"));
  EXPECT_FALSE(menu.Uses("release"));
  EXPECT_THAT(menu.Architectures(), ElementsAre(Architecture::kArm64));
  EXPECT_THAT(menu.KernelArchitectures(), IsEmpty());
}

TEST(MenuTest, AKernelHasThoseBuiltInsThatAProfileUses) {
  Sample sample;
  EXPECT_THAT(BuildIn(sample).distros.at(0).kernels.at(0).variables, IsEmpty());
  sample.profiles["nfsrw"] = "${kernel} ${distro-name:-x}";
  EXPECT_THAT(BuildIn(sample).distros.at(0).kernels.at(0).variables,
              ElementsAre(Pair("distro-name", "debian"), Pair("kernel", "6.1.0-25-amd64")));
}

}  // namespace
}  // namespace autopxe
