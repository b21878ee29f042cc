#include "boot/variables.h"

#include "boot/sample.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

using Variable = Decision::Variable;

TEST(VariablesTest, AnAgentsOwnVariablesWinOverTheGlobalOnesForThatAgentOnly) {
  Sample sample;
  sample.settings.variables = VariablesOf({{"console", "ttyS0"}, {"nfs-server", "172.25.2.11"}});
  sample.agent_settings = {SettingsFor("lab"), SettingsFor("rack2")};
  sample.agent_settings[0].variables =
      VariablesOf({{"nfs-server", "10.77.1.1"}, {"proxy", "10.77.1.2"}});
  sample.agent_settings[1].variables = VariablesOf({{"nfs-server", ""}});
  const auto snapshot = sample.Build();
  EXPECT_THAT(MergeVariables(*snapshot, AgentId::Parse("lab").value(), nullptr),
              ElementsAre(Pair("console", Variable{"ttyS0", VariableOrigin::kGlobal}),
                          Pair("nfs-server", Variable{"10.77.1.1", VariableOrigin::kAgent}),
                          Pair("proxy", Variable{"10.77.1.2", VariableOrigin::kAgent})));
  EXPECT_THAT(MergeVariables(*snapshot, AgentId::Parse("rack2").value(), nullptr),
              ElementsAre(Pair("console", Variable{"ttyS0", VariableOrigin::kGlobal}),
                          Pair("nfs-server", Variable{"", VariableOrigin::kAgent})));
  EXPECT_THAT(MergeVariables(*snapshot, AgentId::Parse("rack3").value(), nullptr),
              ElementsAre(Pair("console", Variable{"ttyS0", VariableOrigin::kGlobal}),
                          Pair("nfs-server", Variable{"172.25.2.11", VariableOrigin::kGlobal})));
}

TEST(VariablesTest, WhatATemplateCanNotReachIsLeftOutWhereverItIsSet) {
  Sample sample;
  sample.settings.variables = VariablesOf({{"ip", "10.0.0.1"}, {"mac", "x"}});
  sample.agent_settings = {SettingsFor("lab")};
  sample.agent_settings[0].variables = VariablesOf({{"uuid", "1"}, {"rootfs-path", "/elsewhere"}});
  EXPECT_THAT(MergeVariables(*sample.Build(), AgentId::Parse("lab").value(), nullptr),
              ElementsAre());
}

TEST(VariablesTest, AKernelDecidesItsBuiltInsAndNoneIsEmpty) {
  CatalogRelease release = ReleaseWith("stable", "6.1.0-25-amd64");
  release.alias_of = "bookworm";
  CatalogKernel& kernel = release.kernels[0];
  kernel.architecture = Architecture::kArm64;
  EXPECT_THAT(KernelVariables("debian", release, kernel),
              ElementsAre(Pair("arch", "arm64"), Pair("distro-name", "debian"),
                          Pair("kernel", "6.1.0-25-amd64"), Pair("release", "bookworm")));
  release.alias_of = "";
  kernel = {.name = "default", .kernel_path = "boot/vmlinuz", .initrd_path = "boot/initrd.img"};
  EXPECT_THAT(KernelVariables("own", release, kernel),
              ElementsAre(Pair("arch", "unknown"), Pair("distro-name", "own"),
                          Pair("kernel", "default"), Pair("release", "stable")));
}

}  // namespace
}  // namespace autopxe
