#include "common/wire/catalog_wire.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

v1::Catalog Good() {
  v1::Catalog catalog;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(distros {
           name: 'debian'
           releases {
             name: 'bookworm'
             kernels {
               name: 'latest'
               version: '6.1.0-25-amd64'
               kernel_path: 'boot/vmlinuz-6.1.0-25-amd64'
               initrd_path: 'boot/initrd.img-6.1.0-25-amd64'
             }
             kernels { name: 'default' kernel_path: 'vmlinuz' initrd_path: 'initrd.img' }
           }
           releases { name: 'stable' alias_of: 'bookworm' }
         }
         distros { name: 'ubuntu' }
         loaders: 'ipxe.efi'
         loaders: 'undionly.kpxe'
         files { path: 'debian-12/linux' size: 7 }
         files { path: 'memtest/mt86plus' })",
      &catalog));
  return catalog;
}

v1::CatalogKernel& FirstKernel(v1::Catalog& catalog) {
  return *catalog.mutable_distros(0)->mutable_releases(0)->mutable_kernels(0);
}

TEST(CatalogWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const Catalog catalog = random.AnyCatalog();
    EXPECT_THAT(FromProto(ToProto(catalog)), IsOkAndHolds(catalog));
  }
  EXPECT_THAT(FromProto(v1::Catalog()), IsOkAndHolds(Catalog()));
}

TEST(CatalogWireTest, RefusesEachInvalidFieldByItsName) {
  ASSERT_THAT(FromProto(Good()), IsOk());
  const auto refused = [](const char* error, auto change) {
    v1::Catalog catalog = Good();
    change(catalog);
    EXPECT_THAT(FromProto(catalog), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  refused("distros[0].name: \"de bian\"",
          [](v1::Catalog& c) { c.mutable_distros(0)->set_name("de bian"); });
  refused("distros[1].name: \"debian\": not above",
          [](v1::Catalog& c) { c.mutable_distros(1)->set_name("debian"); });
  refused("distros[1].name: \"arch\": not above",
          [](v1::Catalog& c) { c.mutable_distros(1)->set_name("arch"); });
  refused("distros[0].releases[0].name: \"..\"",
          [](v1::Catalog& c) { c.mutable_distros(0)->mutable_releases(0)->set_name(".."); });
  refused("distros[0].releases[1].name: \"bookworm\": not above",
          [](v1::Catalog& c) { c.mutable_distros(0)->mutable_releases(1)->set_name("bookworm"); });
  refused("distros[0].releases[1].alias_of: \"../bookworm\"", [](v1::Catalog& c) {
    c.mutable_distros(0)->mutable_releases(1)->set_alias_of("../bookworm");
  });
  refused("distros[0].releases[0].kernels[0].name: \"\"",
          [](v1::Catalog& c) { FirstKernel(c).clear_name(); });
  refused("distros[0].releases[0].kernels[1].name: \"default\": given twice",
          [](v1::Catalog& c) { FirstKernel(c).set_name("default"); });
  refused("distros[0].releases[0].kernels[0].version: \"6.1 \"",
          [](v1::Catalog& c) { FirstKernel(c).set_version("6.1 "); });
  refused("distros[0].releases[0].kernels[0].kernel_size: \"-1\"",
          [](v1::Catalog& c) { FirstKernel(c).set_kernel_size(-1); });
  refused("distros[0].releases[0].kernels[0].initrd_size: \"-5\"",
          [](v1::Catalog& c) { FirstKernel(c).set_initrd_size(-5); });
  refused("loaders[0]: \"../ipxe.efi\"", [](v1::Catalog& c) { c.set_loaders(0, "../ipxe.efi"); });
  refused("loaders[1]: \"ipxe.efi\": not above",
          [](v1::Catalog& c) { c.set_loaders(1, "ipxe.efi"); });
  refused("files[0].path: file \"../linux\"",
          [](v1::Catalog& c) { c.mutable_files(0)->set_path("../linux"); });
  refused("files[0].path: \"http://a/b\": expected a path",
          [](v1::Catalog& c) { c.mutable_files(0)->set_path("http://a/b"); });
  refused("files[1].path: \"debian-12/linux\": not above",
          [](v1::Catalog& c) { c.mutable_files(1)->set_path("debian-12/linux"); });
  refused("files[1].size: \"-1\"", [](v1::Catalog& c) { c.mutable_files(1)->set_size(-1); });
}

TEST(CatalogWireTest, ACatalogHasABoundedNumberOfFiles) {
  v1::Catalog catalog;
  for (size_t i = 0; i < kMaxCatalogFiles; ++i) {
    catalog.add_files()->set_path(absl::StrCat("a", absl::Dec(i, absl::kZeroPad5)));
  }
  EXPECT_THAT(FromProto(catalog), IsOk());
  catalog.add_files()->set_path("b");
  EXPECT_THAT(FromProto(catalog), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("files: \"10001\": expected 10000")));
}

TEST(CatalogWireTest, AnArchitectureOfANewerProgramIsUnknown) {
  v1::Catalog catalog = Good();
  FirstKernel(catalog).set_architecture("loong64");
  const auto parsed = FromProto(catalog);
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->distros[0].releases[0].kernels[0].architecture, Architecture::kUnknown);
}

// faults.md 1, 31: the server shows these paths, and its plan trusts these names.
TEST(CatalogWireTest, NoPathLeavesTheReleaseOrHoldsACommand) {
  for (const char* path :
       {"", "/etc/shadow", "../etc/shadow", "boot/../../etc/shadow", "boot/..", "boot//vmlinuz",
        "boot/", "./vmlinuz", "boot/vm linuz", "boot/vm\nlinuz", "boot/b\xc3\xbc"}) {
    v1::Catalog catalog = Good();
    FirstKernel(catalog).set_kernel_path(path);
    EXPECT_THAT(FromProto(catalog),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("distros[0].releases[0].kernels[0].kernel_path: \"")))
        << path;
    catalog = Good();
    FirstKernel(catalog).set_initrd_path(path);
    EXPECT_THAT(FromProto(catalog), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("kernels[0].initrd_path: \"")))
        << path;
  }
}

TEST(CatalogWireTest, DamagedMessagesNeverCrash) {
  DamageEverywhere(Good(), [](const v1::Catalog& catalog) { return FromProto(catalog); });
}

}  // namespace
}  // namespace autopxe
