#include <cstdint>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(AutopxectlTest, AListIsReadFromAllItsPagesInEveryFormat) {
  for (const char* name : {"a", "b", "c"}) server_.hosts.add_hosts()->set_name(name);
  EXPECT_EQ(Ctl({"host", "list"}), kExitOk);
  EXPECT_EQ(out_, "NAME  MACS  DISTRO\na     -     -\nb     -     -\nc     -     -\n");
  EXPECT_EQ(Ctl({"-o", "json", "host", "list"}), kExitOk);
  EXPECT_THAT(out_, AllOf(StartsWith("{\n \"hosts\": ["), HasSubstr("\"name\": \"c\"")));
  EXPECT_EQ(Ctl({"host", "list", "-o", "yaml"}), kExitOk);
  EXPECT_THAT(out_, AllOf(StartsWith("hosts:\n  - id: "), HasSubstr("name: c\n")));
}

TEST_F(AutopxectlTest, NothingThatOthersWroteReachesTheTerminalRaw) {
  server_.hosts.add_hosts()->set_name("evil\x1b]0;x\x07\nname");
  for (const char* format : {"table", "json", "yaml"}) {
    EXPECT_EQ(Ctl({"host", "list", "-o", format}), kExitOk);
    EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
    EXPECT_THAT(out_, Not(HasSubstr("\x07")));
    EXPECT_THAT(out_, Not(HasSubstr("\nname")));
  }
}

TEST_F(AutopxectlTest, AgentsSettingsAndDistrosAreTables) {
  AddAgent(16, 1);
  EXPECT_EQ(Ctl({"agent", "list"}), kExitOk);
  EXPECT_EQ(out_,
            "ID   STATE   VIEW AGE  REVISION  KERNELS  HTTP  TFTP  VERSION\n"
            "lab  behind  3m12s     16        0        -     -     -\n"
            "\n"
            "lab: 1 revision behind\n"
            "lab: disk \\x1b[2J full\n");
  server_.agents.clear();
  AddAgent(16, 0);
  EXPECT_EQ(Ctl({"agent", "list"}), kExitOk);
  EXPECT_EQ(out_,
            "ID   STATE    VIEW AGE  REVISION  KERNELS  HTTP  TFTP  VERSION\n"
            "lab  current  current   16        0        -     -     -\n");
  EXPECT_EQ(Ctl({"settings", "show"}), kExitOk);
  EXPECT_EQ(out_,
            "KEY                 VALUE\ndefault-distro      -\nunknown-hosts       -\nmenu-timeout "
            "       0\n"
            "rootfs-path-prefix  -\n");
  v1::Distro* distro = server_.distros.add_distros();
  distro->set_name("debian/bookworm/latest/nfs");
  distro->add_kernel_versions("6.1.0-25-amd64");
  for (const char* agent : {"attic", "lab"}) {
    distro->add_agents(agent);
    v1::DistroOffer* offer = distro->add_offers();
    offer->set_agent(agent);
    offer->set_architecture("x86_64");
    offer->set_kernel_size(8 << 20);
    offer->set_initrd_size(33 << 19);
  }
  distro = server_.distros.add_distros();
  distro->set_name("memtest");
  distro->set_declared(true);
  distro->add_agents("lab");
  server_.distros.add_distros()->set_name("local");
  EXPECT_EQ(Ctl({"distro", "list"}), kExitOk);
  EXPECT_EQ(err_, "");
  EXPECT_EQ(
      out_,
      "NAME                        KIND      KERNEL          ARCHITECTURE  KERNEL+INITRD  AGENTS\n"
      "debian/bookworm/latest/nfs  scanned   6.1.0-25-amd64  x86_64        8.0+16.5 MiB   "
      "attic,lab\n"
      "memtest                     declared  -               -             -              "
      "lab\n"
      "local                       built-in  -               -             -              -\n");
}

TEST_F(AutopxectlTest, ALatestThatMovedIsToldWhereDistrosAreListed) {
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  const auto move = [&](const std::string& kernel, int64_t hosts, int64_t hours_ago) {
    v1::KernelMove* moved = server_.moves.add_moves();
    moved->mutable_time()->set_seconds(now - hours_ago * 3600);
    moved->set_agent("lab");
    moved->set_kernel(kernel);
    moved->set_version_before("6.1.0-25");
    moved->set_version_after("6.1.0-28");
    moved->set_hosts(hosts);
  };
  move("debian/bookworm/latest", 212, 1);
  move("debian/bookworm/previous", 3, 1);
  move("debian/trixie/latest", 0, 1);
  move("debian/buster/latest", 5, 25);
  EXPECT_EQ(Ctl({"distro", "list"}), kExitOk);
  EXPECT_THAT(err_,
              HasSubstr("debian/bookworm/latest moved from 6.1.0-25 to 6.1.0-28 at agent lab"));
  EXPECT_THAT(err_, HasSubstr("affects 212 hosts"));
  EXPECT_THAT(err_, Not(AnyOf(HasSubstr("previous"), HasSubstr("trixie"), HasSubstr("buster"))));
  EXPECT_EQ(Ctl({"distro", "list", "-o", "json"}), kExitOk);
  EXPECT_THAT(err_, Not(HasSubstr("moved")));
  EXPECT_EQ(Ctl({"distro", "moves"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("lab    debian/bookworm/latest    6.1.0-25  6.1.0-28  212\n"));
  EXPECT_THAT(out_, HasSubstr("debian/buster/latest"));
}

TEST_F(AutopxectlTest, AListWithoutAnyKernelSaysWhatIsMissing) {
  server_.distros.add_distros()->set_name("local");
  EXPECT_EQ(Ctl({"distro", "list"}), kExitOk);
  EXPECT_EQ(out_,
            "NAME   KIND      KERNEL  ARCHITECTURE  KERNEL+INITRD  AGENTS\n"
            "local  built-in  -       -             -              -\n");
  EXPECT_THAT(err_, AllOf(HasSubstr("autopxectl agent list"), HasSubstr("profile set"),
                          HasSubstr("distro declare")));
}

}  // namespace
}  // namespace autopxe::ctl
