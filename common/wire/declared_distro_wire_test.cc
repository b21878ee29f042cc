#include "common/wire/declared_distro_wire.h"

#include <string>

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

v1::DeclaredDistro Good() {
  v1::DeclaredDistro distro;
  distro.set_name("installer");
  distro.mutable_kernel()->set_file("debian-12/linux");
  distro.mutable_kernel()->add_initrds("debian-12/initrd.gz");
  distro.mutable_kernel()->add_initrds("http://boot.example/firmware.cpio.gz");
  distro.mutable_kernel()->set_arguments("auto=true hostname=${host}");
  distro.set_architecture("x86_64");
  distro.set_etag(3);
  return distro;
}

TEST(DeclaredDistroWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const DeclaredDistro distro = random.AnyDeclaredDistro();
    EXPECT_THAT(FromProto(ToProto(distro)), IsOkAndHolds(distro));
  }
}

TEST(DeclaredDistroWireTest, RefusesEachInvalidFieldByItsName) {
  ASSERT_THAT(FromProto(Good()), IsOk());
  const auto refused = [](const char* error, auto change) {
    v1::DeclaredDistro distro = Good();
    change(distro);
    EXPECT_THAT(FromProto(distro), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  refused("name: distro name \"\"", [](v1::DeclaredDistro& d) { d.clear_name(); });
  refused("name: distro name \"Local\": taken", [](v1::DeclaredDistro& d) { d.set_name("Local"); });
  refused("boot: ", [](v1::DeclaredDistro& d) { d.clear_boot(); });
  refused("kernel.file: file \"\"",
          [](v1::DeclaredDistro& d) { d.mutable_kernel()->clear_file(); });
  refused("kernel.file: file \"/etc/shadow\"",
          [](v1::DeclaredDistro& d) { d.mutable_kernel()->set_file("/etc/shadow"); });
  refused("kernel.initrds[1]: file \"../x\"",
          [](v1::DeclaredDistro& d) { d.mutable_kernel()->set_initrds(1, "../x"); });
  // faults.md 31.
  refused("kernel.arguments: command line \"a\\nshell\"",
          [](v1::DeclaredDistro& d) { d.mutable_kernel()->set_arguments("a\nshell"); });
  refused("chain: file \"ftp://a/b\"", [](v1::DeclaredDistro& d) { d.set_chain("ftp://a/b"); });
  refused("etag: \"-1\"", [](v1::DeclaredDistro& d) { d.set_etag(-1); });
}

TEST(DeclaredDistroWireTest, AKernelHasABoundedNumberOfInitrds) {
  v1::DeclaredDistro distro = Good();
  distro.mutable_kernel()->clear_initrds();
  EXPECT_THAT(FromProto(distro), IsOk());
  for (size_t i = 0; i < kMaxDeclaredInitrds; ++i) distro.mutable_kernel()->add_initrds("a");
  EXPECT_THAT(FromProto(distro), IsOk());
  distro.mutable_kernel()->add_initrds("a");
  EXPECT_THAT(FromProto(distro),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("kernel.initrds: \"17\": expected 16 at most")));
}

TEST(DeclaredDistroWireTest, AnArchitectureOfANewerProgramIsUnknown) {
  v1::DeclaredDistro distro = Good();
  distro.set_architecture("loong64");
  const auto parsed = FromProto(distro);
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->architecture, Architecture::kUnknown);
}

TEST(DeclaredDistroWireTest, DamagedMessagesNeverCrash) {
  DamageEverywhere(Good(), [](const v1::DeclaredDistro& distro) { return FromProto(distro); });
}

}  // namespace
}  // namespace autopxe
