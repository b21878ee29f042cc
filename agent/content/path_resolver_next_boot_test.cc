#include <memory>
#include <string>

#include "agent/content/path_resolver.h"
#include "agent/content/test_resolver.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kMenu[] = "autopxe-bc2411b01ade";
constexpr char kFile[] = "boot/debian/bookworm/boot/vmlinuz-6.1.0-26-amd64";
constexpr char kNext[] = "next/bc-24-11-b0-1a-de/17/";

class NextBootTest : public PathResolverTest {
 protected:
  // The host boots ubuntu, and `next` once before, as revision 17 has it.
  void ConfigureNext(const std::string& next) {
    Configure({{"bc:24:11:b0:1a:de", "ubuntu/jammy/latest/overlayfs"}});
    const std::shared_ptr<const Snapshot> standing = view_.Current();
    Host host = *standing->FindHost(Mac());
    host.next = NextBoot{Parsed<Distro>(next), 17};
    Change change;
    change.base = standing->revision().id;
    change.revision.id = {17, 1};
    change.hosts = {std::make_shared<const Host>(host)};
    view_.Set(*Apply(*standing, change));
  }

  static MacAddress Mac() { return Parsed<MacAddress>("bc:24:11:b0:1a:de"); }

  // What a protocol does that answers from the first byte on.
  std::string Fetch(const std::string& path) {
    const auto resolved = Resolve(path);
    EXPECT_THAT(resolved, IsOk()) << path;
    if (!resolved.ok()) return "";
    resolved->on_fetch();
    return Bytes(*resolved->content);
  }

  static constexpr UsedNextBoot kUse = {HostId{1}, 17};
};

TEST_F(NextBootTest, AMenuThatIsLookedAtUsesNothing) {
  ConfigureNext("debian/bookworm/latest/overlayfs");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Fetch(kMenu), HasSubstr("set _once next/bc-24-11-b0-1a-de/17/"));
  }
  // Nor does its kernel by another way, such as an entry chosen by hand, nor its initrd.
  Fetch(kFile);
  Fetch("boot/debian/bookworm/boot/initrd.img-6.1.0-26-amd64");
  EXPECT_THAT(used_, IsEmpty());
  EXPECT_THAT(Fetch(kMenu), HasSubstr("this%20boot%20only"));
}

TEST_F(NextBootTest, TheFirstFetchOfItsKernelUsesItUp) {
  ConfigureNext("debian/bookworm/latest/overlayfs");
  const std::string kernel = Fetch(kFile);
  const auto resolved = Resolve(std::string(kNext) + kFile);
  ASSERT_THAT(resolved, IsOk());
  EXPECT_EQ(resolved->result, "kernel");
  EXPECT_EQ(resolved->path, std::string(kNext) + kFile);
  EXPECT_EQ(resolved->host, Mac());
  EXPECT_TRUE(resolved->cacheable);
  EXPECT_THAT(used_, IsEmpty()) << "it is not sent yet";
  resolved->on_fetch();
  EXPECT_THAT(used_, ElementsAre(kUse));
  EXPECT_EQ(Bytes(*resolved->content), kernel);

  const std::string menu = Fetch(kMenu);
  EXPECT_THAT(menu, HasSubstr("set _first ubuntu/jammy/latest/overlayfs"));
  EXPECT_THAT(menu, Not(HasSubstr("next/")));
  // An answer that was lost is asked for again.
  EXPECT_EQ(Fetch(std::string(kNext) + kFile), kernel);
  EXPECT_THAT(used_, ElementsAre(kUse));
}

TEST_F(NextBootTest, TheFirstFetchOfAFileOfTheFolderOfFilesUsesItUp) {
  ConfigureNext("debian/bookworm/latest/overlayfs");
  // Not by its own path.
  EXPECT_EQ(Fetch("files/installer/linux"), "installer");
  EXPECT_THAT(used_, IsEmpty());
  const std::string path = std::string(kNext) + "files/installer/linux";
  const auto resolved = Resolve(path);
  ASSERT_THAT(resolved, IsOk());
  EXPECT_EQ(resolved->result, "file");
  EXPECT_EQ(resolved->path, path);
  EXPECT_EQ(resolved->host, Mac());
  EXPECT_TRUE(resolved->cacheable);
  EXPECT_EQ(Fetch(path), "installer");
  EXPECT_EQ(Fetch(path), "installer") << "asked again, as after a lost answer";
  EXPECT_THAT(used_, ElementsAre(kUse));
}

TEST_F(NextBootTest, AnotherTokenOrHostIsServedAndUsesNothing) {
  ConfigureNext("debian/bookworm/latest/overlayfs");
  const std::string kernel = Fetch(kFile);
  for (const char* prefix :
       {"next/bc-24-11-b0-1a-de/16/", "next/bc-24-11-b0-1a-de/18/", "next/bc-24-11-b0-1a-df/17/"}) {
    EXPECT_EQ(Fetch(std::string(prefix) + kFile), kernel) << prefix;
    EXPECT_EQ(Fetch(std::string(prefix) + "files/installer/linux"), "installer");
    EXPECT_EQ(Fetch(std::string(prefix) + "begun"), "This boot has begun.\n");
  }
  EXPECT_THAT(used_, IsEmpty());
}

TEST_F(NextBootTest, WhatThePlainPathDoesNotGiveTheNextBootDoesNotEither) {
  ConfigureNext("debian/bookworm/latest/overlayfs");
  for (const char* file : {"boot/debian/bookworm/etc/shadow", "boot/debian/trixie/vmlinuz",
                           "boot/debian/bookworm/boot/System.map-6.1.0-26-amd64",
                           "files/installer/none", "files/.token"}) {
    EXPECT_THAT(Resolve(std::string(kNext) + file), StatusIs(absl::StatusCode::kNotFound)) << file;
  }
  tree_.Write(std::string("rootfs/debian/bookworm/boot/vmlinuz-6.1.0-26-amd64"), "another");
  EXPECT_THAT(Resolve(std::string(kNext) + kFile), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(used_, IsEmpty());
}

TEST_F(NextBootTest, GoingToTheLocalDiskOnceIsUsedUpByTellingIt) {
  ConfigureNext("local");
  EXPECT_THAT(Fetch(kMenu), HasSubstr("${_once}begun"));
  EXPECT_THAT(used_, IsEmpty());
  const auto resolved = Resolve(std::string(kNext) + "begun");
  ASSERT_THAT(resolved, IsOk());
  EXPECT_EQ(resolved->result, "begun");
  EXPECT_FALSE(resolved->cacheable);
  EXPECT_EQ(Fetch(std::string(kNext) + "begun"), "This boot has begun.\n");
  EXPECT_THAT(used_, ElementsAre(kUse));
  EXPECT_THAT(Fetch(kMenu), HasSubstr("set _first ubuntu/jammy/latest/overlayfs"));
}

TEST_F(NextBootTest, WithoutAConfigurationNothingIsUsed) {
  EXPECT_NE(Fetch(std::string(kNext) + kFile), "");
  EXPECT_THAT(used_, IsEmpty());
}

}  // namespace
}  // namespace autopxe::agent
