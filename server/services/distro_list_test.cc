#include "server/services/distro_list.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "common/model/command_line_template.h"
#include "common/model/profile.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

CatalogKernel Kernel(const std::string& name, const std::string& version, bool rpm = false) {
  return {name, version, "boot/vmlinuz-" + version,
          rpm ? "boot/initramfs-" + version + ".img" : "boot/initrd.img-" + version};
}

AgentId Agent(const char* id) { return *AgentId::Parse(id); }

std::shared_ptr<const Catalog> One(const char* distro, const char* release,
                                   std::vector<CatalogKernel> kernels) {
  Catalog catalog;
  catalog.distros = {{distro, {{release, "", std::move(kernels)}}}};
  return std::make_shared<const Catalog>(std::move(catalog));
}

Snapshot::Profiles Profiles(const std::vector<std::string>& names) {
  Snapshot::Profiles profiles;
  for (const std::string& name : names) {
    const ProfileName parsed = *ProfileName::Parse(name);
    profiles.emplace(parsed, Profile{parsed, *CommandLineTemplate::Parse("quiet"), 1});
  }
  return profiles;
}

std::vector<std::string> Names(const std::vector<DistroList::Item>& items) {
  std::vector<std::string> names;
  for (const DistroList::Item& item : items) names.push_back(item.distro.Format());
  return names;
}

std::vector<std::string> KernelNames(const DistroList& list) {
  std::vector<std::string> names;
  for (const OfferedKernel& kernel : list.kernels()) names.push_back(kernel.kernel);
  return names;
}

TEST(DistroListTest, AKernelOfSeveralAgentsIsThereOnceWithAllItStandsFor) {
  const Catalogs catalogs = {
      {Agent("east"),
       One("debian", "bookworm",
           {Kernel("latest", "6.1.0-9-amd64"), Kernel("6.1.0-9-amd64", "6.1.0-9-amd64")})},
      {Agent("west"), One("debian", "bookworm", {Kernel("latest", "6.1.0-10-amd64")})},
  };
  EXPECT_THAT(DistroList::Build(catalogs).kernels(),
              ElementsAre(OfferedKernel{"debian",
                                        "bookworm",
                                        "latest",
                                        {"6.1.0-10-amd64", "6.1.0-9-amd64"},
                                        {{"east", "6.1.0-9-amd64"}, {"west", "6.1.0-10-amd64"}}},
                          OfferedKernel{"debian",
                                        "bookworm",
                                        "6.1.0-9-amd64",
                                        {"6.1.0-9-amd64"},
                                        {{"east", "6.1.0-9-amd64"}}}));
}

TEST(DistroListTest, NamedKernelsComeFirstThenVersionsFromTheNewest) {
  EXPECT_THAT(
      KernelNames(DistroList::Build(
          {{Agent("a"),
            One("d", "r",
                {Kernel("6.1.0-9-amd64", "6.1.0-9-amd64"), Kernel("default", ""),
                 Kernel("6.1.0-10-amd64", "6.1.0-10-amd64"), Kernel("previous", "x"),
                 Kernel("6.10.0", "6.10.0"), Kernel("latest", "x"), Kernel("6.9.0", "6.9.0")})}})),
      ElementsAre("latest", "previous", "default", "6.10.0", "6.9.0", "6.1.0-10-amd64",
                  "6.1.0-9-amd64"));
}

TEST(DistroListTest, VersionsOfTheRpmFamilyAreInItsOwnOrder) {
  const std::vector<CatalogKernel> kernels = {Kernel("6.6.0-1.oe2409", "6.6.0-1.oe2409", true),
                                              Kernel("6.6.0-1.a", "6.6.0-1.a", true),
                                              Kernel("6.6.0-1.10", "6.6.0-1.10", true)};
  // To RPM a segment of digits is newer than one of letters; to dpkg letters come after the end of
  // the text.
  EXPECT_THAT(KernelNames(DistroList::Build({{Agent("a"), One("openEuler", "24.09", kernels)}})),
              ElementsAre("6.6.0-1.10", "6.6.0-1.oe2409", "6.6.0-1.a"));
}

TEST(DistroListTest, EachKernelComesWithEachProfileThenTheBuiltIns) {
  const DistroList list = DistroList::Build(
      {{Agent("a"), One("debian", "bookworm", {Kernel("latest", "6"), Kernel("6", "6")})}});
  EXPECT_THAT(Names(list.Take(Profiles({"ro", "nfs"}), {}, nullptr, 100)),
              ElementsAre("debian/bookworm/latest/nfs", "debian/bookworm/latest/ro",
                          "debian/bookworm/6/nfs", "debian/bookworm/6/ro", "local", "menu", "wait",
                          "ignore"));
  EXPECT_THAT(Names(list.Take({}, {}, nullptr, 100)),
              ElementsAre("local", "menu", "wait", "ignore"));
  EXPECT_THAT(Names(DistroList().Take(Profiles({"nfs"}), {}, nullptr, 2)),
              ElementsAre("local", "menu"));
}

TEST(DistroListTest, PagesOfAnySizePutTogetherAreTheWhole) {
  const DistroList list = DistroList::Build(
      {{Agent("a"),
        One("debian", "bookworm", {Kernel("latest", "7"), Kernel("6", "6"), Kernel("7", "7")})},
       {Agent("b"), One("alma", "9", {Kernel("latest", "5", true)})}});
  const Snapshot::Profiles profiles = Profiles({"a", "b", "c"});
  const std::vector<std::string> whole = Names(list.Take(profiles, {}, nullptr, 1000));
  ASSERT_EQ(whole.size(), 4u * 3 + 4);
  for (size_t size = 1; size <= whole.size() + 1; ++size) {
    std::vector<std::string> together;
    absl::optional<Distro> last;
    while (true) {
      const auto page = list.Take(profiles, {}, last.has_value() ? &*last : nullptr, size);
      if (page.empty()) break;
      for (const std::string& name : Names(page)) together.push_back(name);
      last = page.back().distro;
    }
    EXPECT_EQ(together, whole) << size;
  }
}

TEST(DistroListTest, AListThatChangedBetweenPagesLeavesNothingOut) {
  const DistroList list = DistroList::Build(
      {{Agent("a"), One("debian", "bookworm", {Kernel("latest", "7"), Kernel("7", "7")})}});
  const Snapshot::Profiles profiles = Profiles({"nfs"});
  const struct {
    const char* after;
    std::vector<std::string> want;
  } kCases[] = {
      // A profile that is gone.
      {"debian/bookworm/latest/gone", {"debian/bookworm/latest/nfs", "debian/bookworm/7/nfs"}},
      // A kernel that is gone: the release again.
      {"debian/bookworm/6/nfs", {"debian/bookworm/latest/nfs", "debian/bookworm/7/nfs"}},
      // Releases that are gone.
      {"alma/9/latest/nfs", {"debian/bookworm/latest/nfs", "debian/bookworm/7/nfs"}},
      {"ubuntu/noble/latest/nfs", {}},
  };
  for (const auto& c : kCases) {
    const Distro after = *Distro::Parse(c.after);
    std::vector<std::string> want = c.want;
    for (const char* built_in : {"local", "menu", "wait", "ignore"}) want.push_back(built_in);
    EXPECT_EQ(Names(list.Take(profiles, {}, &after, 100)), want) << c.after;
  }
  const Distro last = Distro::Ignore();
  EXPECT_THAT(list.Take(profiles, {}, &last, 100), IsEmpty());
}

TEST(DistroListTest, DeclaredDistrosStandBetweenTheKernelsAndTheBuiltInOnes) {
  const DistroList list = DistroList::Build(
      {{Agent("east"), One("debian", "bookworm", {Kernel("latest", "6.1.0-9-amd64")})}});
  const Snapshot::Profiles profiles = Profiles({"nfs"});
  Snapshot::DeclaredDistros declared;
  for (const char* name : {"memtest", "Flash", "zzz"}) {
    const DistroName parsed = *DistroName::Parse(name);
    declared.emplace(parsed, std::make_shared<const DeclaredDistro>(DeclaredDistro{
                                 parsed, DeclaredChain{*BootFile::Parse("http://x/")}}));
  }
  const std::vector<std::string> whole = Names(list.Take(profiles, declared, nullptr, 100));
  EXPECT_THAT(whole, ElementsAre("debian/bookworm/latest/nfs", "Flash", "memtest", "zzz", "local",
                                 "menu", "wait", "ignore"));
  for (size_t size = 1; size <= whole.size(); ++size) {
    std::vector<std::string> names;
    absl::optional<Distro> last;
    while (true) {
      const auto page = list.Take(profiles, declared, last.has_value() ? &*last : nullptr, size);
      if (page.empty()) break;
      for (const std::string& name : Names(page)) names.push_back(name);
      last = page.back().distro;
    }
    EXPECT_EQ(names, whole) << size;
  }
  // One that is gone meanwhile.
  const Distro gone = *Distro::Parse("n");
  EXPECT_THAT(Names(list.Take(profiles, declared, &gone, 1)), ElementsAre("zzz"));
}

}  // namespace
}  // namespace autopxe::server
