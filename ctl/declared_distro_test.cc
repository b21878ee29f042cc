#include <string>
#include <vector>

#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(AutopxectlTest, ADistroIsDeclaredOfWhatTheCommandLineNames) {
  const struct {
    std::vector<std::string> args;
    std::string declared;  // What the request holds.
  } kCases[] = {
      {{"memtest", "--kernel", "memtest/mt86plus"},
       "name: \"memtest\" kernel { file: \"memtest/mt86plus\" }"},
      {{"install", "--kernel", "http://deb.example/linux", "--initrd", "a.gz", "--initrd", "b.cpio",
        "--arguments", "auto=true url=http://${agent-address}:8080/files/p", "--arch", "x86_64"},
       "name: \"install\" kernel { file: \"http://deb.example/linux\" initrds: \"a.gz\" "
       "initrds: \"b.cpio\" arguments: \"auto=true url=http://${agent-address}:8080/files/p\" } "
       "architecture: \"x86_64\""},
      {{"quiet", "--kernel", "linux", "--arguments=--- quiet"},
       "name: \"quiet\" kernel { file: \"linux\" arguments: \"--- quiet\" }"},
      {{"--chain", "http://boot.example/menu.ipxe", "netboot"},
       "name: \"netboot\" chain: \"http://boot.example/menu.ipxe\""},
  };
  for (const auto& c : kCases) {
    std::vector<std::string> args = {"distro", "declare"};
    args.insert(args.end(), c.args.begin(), c.args.end());
    EXPECT_EQ(Ctl(args), kExitOk) << err_;
    EXPECT_EQ(server_.changes().back(), "ApplyRequest mutations { declare_distro { " + c.declared +
                                            " } } options { user: \"ada@desk\" }");
    EXPECT_EQ(out_, "it was so already; revision 17\n");
  }
  EXPECT_EQ(Ctl({"distro", "declare", "m", "--kernel", "m", "--dry-run", "--force"}), kExitOk);
  EXPECT_THAT(server_.changes().back(),
              HasSubstr("options { validate_only: true user: \"ada@desk\" force: true }"));
}

TEST_F(AutopxectlTest, ADeclarationThatDoesNotFitTogetherIsAUsageError) {
  const struct {
    std::vector<std::string> args;
    std::string why;
  } kCases[] = {
      {{"x"}, "either --kernel or --chain"},
      {{"x", "--kernel", "a", "--chain", "b"}, "either --kernel or --chain"},
      {{"x", "--initrd", "a"}, "either --kernel or --chain"},
      {{"x", "--chain", "a", "--initrd", "b"}, "belong to --kernel"},
      {{"x", "--chain", "a", "--arguments", "b"}, "belong to --kernel"},
      {{"--kernel", "a"}, "an argument is missing"},
      {{"x", "--kernel", "a", "--initrd", "b", "c"}, "c"},
  };
  for (const auto& c : kCases) {
    std::vector<std::string> args = {"distro", "declare"};
    args.insert(args.end(), c.args.begin(), c.args.end());
    EXPECT_EQ(Ctl(args), kExitUsage);
    EXPECT_THAT(err_, HasSubstr(c.why));
  }
  EXPECT_THAT(server_.changes(), IsEmpty());
}

TEST_F(AutopxectlTest, DeclaredDistrosAreDeletedAsOneChange) {
  EXPECT_EQ(Ctl({"distro", "delete", "memtest", "install", "--dry-run"}), kExitOk) << err_;
  EXPECT_EQ(server_.changes().back(),
            "ApplyRequest mutations { delete_declared_distro { name: \"memtest\" } } "
            "mutations { delete_declared_distro { name: \"install\" } } "
            "options { validate_only: true user: \"ada@desk\" }");
}

TEST_F(AutopxectlTest, ADeclaredDistroIsShownWithItsPartsAndTheAgentsThatHaveItsFiles) {
  v1::DeclaredDistro install;
  install.set_name("install");
  install.mutable_kernel()->set_file("debian-13/linux");
  install.mutable_kernel()->add_initrds("debian-13/initrd.gz");
  install.mutable_kernel()->add_initrds("firmware.cpio");
  install.mutable_kernel()->set_arguments("auto=true \x1b[2J");
  install.set_etag(5);
  v1::DeclaredDistro netboot;
  netboot.set_name("netboot");
  netboot.set_chain("http://boot.example/menu.ipxe");
  netboot.set_architecture("x86_64");
  server_.declared_distros = {install, netboot};
  for (const char* name : {"install", "netboot"}) {
    v1::Distro& listed = *server_.distros.add_distros();
    listed.set_name(name);
    listed.set_declared(true);
  }
  server_.distros.mutable_distros(0)->add_agents("attic");
  server_.distros.mutable_distros(0)->add_agents("lab");
  EXPECT_EQ(Ctl({"distro", "show", "install"}), kExitOk) << err_;
  EXPECT_EQ(out_,
            "FIELD                  VALUE\n"
            "name                   install\n"
            "kind                   declared\n"
            "kernel                 debian-13/linux\n"
            "initrd                 debian-13/initrd.gz\n"
            "initrd                 firmware.cpio\n"
            "arguments              auto=true \\x1b[2J\n"
            "architecture           any\n"
            "agents with its files  attic,lab\n"
            "changed in revision    5\n");
  EXPECT_EQ(Ctl({"distro", "show", "netboot"}), kExitOk) << err_;
  EXPECT_EQ(out_,
            "FIELD                  VALUE\n"
            "name                   netboot\n"
            "kind                   declared\n"
            "chain                  http://boot.example/menu.ipxe\n"
            "architecture           x86_64\n"
            "agents with its files  -\n"
            "changed in revision    0\n");
  EXPECT_EQ(Ctl({"distro", "show", "install", "-o", "json"}), kExitOk) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("\"file\": \"debian-13/linux\""), HasSubstr("\"etag\": \"5\""),
                          Not(HasSubstr("\x1b"))));
  EXPECT_EQ(Ctl({"distro", "show", "nothing"}), kExitRefused);
  EXPECT_THAT(err_, HasSubstr("no such declared distro"));
}

TEST_F(AutopxectlTest, TheExampleOfAnInstallerFetchesWhereAnAgentServesFiles) {
  EXPECT_EQ(Ctl({"distro", "declare", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("url=http://${agent-address}:8080/files/"));
}

TEST_F(AutopxectlTest, AScannedDistroIsShownWithWhatEachAgentOffers) {
  v1::Distro& distro = *server_.distros.add_distros();
  distro.set_name("debian/bookworm/latest/nfs");
  distro.add_agents("lab");
  v1::DistroOffer& offer = *distro.add_offers();
  offer.set_agent("lab");
  offer.set_kernel_version("6.1.0-25-amd64");
  offer.set_architecture("x86_64");
  offer.set_kernel_size(8 << 20);
  offer.set_initrd_size(33 << 19);
  server_.distros.add_distros()->set_name("local");
  EXPECT_EQ(Ctl({"distro", "show", "debian/bookworm/latest/nfs"}), kExitOk) << err_;
  EXPECT_EQ(out_,
            "FIELD  VALUE\n"
            "name   debian/bookworm/latest/nfs\n"
            "kind   scanned\n"
            "\n"
            "AGENT  KERNEL          ARCHITECTURE  KERNEL+INITRD\n"
            "lab    6.1.0-25-amd64  x86_64        8.0+16.5 MiB\n");
  EXPECT_EQ(Ctl({"distro", "show", "local"}), kExitOk) << err_;
  EXPECT_EQ(out_, "FIELD  VALUE\nname   local\nkind   built-in\n");
  EXPECT_EQ(Ctl({"distro", "show", "debian/sid/latest/nfs"}), kExitRefused);
  EXPECT_THAT(err_, HasSubstr("\"debian/sid/latest/nfs\""));
}

}  // namespace
}  // namespace autopxe::ctl
