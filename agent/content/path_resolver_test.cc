#include "agent/content/path_resolver.h"

#include <dirent.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "agent/catalog/live_catalog.h"
#include "agent/catalog/test_tree.h"
#include "agent/view/view.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

template <typename Value>
Value Parsed(absl::string_view text) {
  return *Value::Parse(text);
}

std::string Bytes(const Content& content) {
  std::string bytes(content.size(), '?');
  EXPECT_THAT(content.ReadAt(0, absl::MakeSpan(bytes.data(), bytes.size())),
              IsOkAndHolds(bytes.size()));
  return bytes;
}

int OpenDescriptors() {
  int count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

class PathResolverTest : public ::testing::Test {
 protected:
  PathResolverTest() : catalog_(tree_.rootfs(), tree_.loaders()) {
    tree_.AddKernel("debian/bookworm", "6.1.0-25-amd64");
    tree_.AddKernel("debian/bookworm", "6.1.0-26-amd64");
    tree_.Link("rootfs/debian/stable", "bookworm");
    tree_.Link("rootfs/debian/bookworm/vmlinuz", "boot/vmlinuz-6.1.0-26-amd64");
    tree_.Link("rootfs/debian/bookworm/initrd.img", "boot/initrd.img-6.1.0-26-amd64");
    tree_.Write("rootfs/debian/bookworm/etc/shadow", "root:secret");
    tree_.Write("rootfs/debian/bookworm/boot/System.map-6.1.0-26-amd64", "map");
    tree_.AddKernel("ubuntu/jammy", "5.15.0-91-generic");
    tree_.Write("loaders/undionly.kpxe", "bios ipxe");
    tree_.Write("loaders/ipxe.efi", "uefi ipxe");
    tree_.Write("loaders/notes.txt", "not a loader");
    tree_.Write("secret", "outside");
    EXPECT_THAT(catalog_.Rescan(), IsOk());
    Reopen(true);
  }

  void Reopen(bool start_script_for_ipxe) {
    auto resolver = PathResolver::Open({.agent = {.id = Parsed<AgentId>("a1"),
                                                  .rootfs_folder = tree_.rootfs(),
                                                  .http_port = 8080,
                                                  .tftp_port = 69},
                                        .rootfs_folder = tree_.rootfs(),
                                        .loaders_folder = tree_.loaders(),
                                        .start_script_for_ipxe = start_script_for_ipxe,
                                        .now = [] { return absl::FromUnixSeconds(1'700'000'000); }},
                                       view_, catalog_);
    ASSERT_THAT(resolver, IsOk());
    resolver_ = *std::move(resolver);
  }

  static ContentRequest Request(const std::string& path, Transport transport = Transport::kTftp) {
    return {.transport = transport,
            .path = path,
            .query = {},
            .from_ipxe = false,
            .asked_at = Parsed<IpAddress>("10.77.1.1")};
  }

  absl::StatusOr<ResolvedContent> Resolve(const std::string& path) const {
    return resolver_->Resolve(Request(path));
  }

  // The configuration of AutoPXE's documents, and hosts.
  void Configure(const std::vector<std::pair<std::string, std::string>>& hosts) {
    Settings settings;
    settings.default_distro = Parsed<Distro>("debian/stable/latest/overlayfs");
    settings.variables.emplace(Parsed<VariableName>("nfs-server"),
                               Parsed<VariableValue>("172.25.2.11"));
    std::vector<Profile> profiles = {
        {Parsed<ProfileName>("overlayfs"),
         Parsed<CommandLineTemplate>(
             "root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} ip=dhcp rootovl")}};
    std::vector<std::shared_ptr<const Host>> list;
    for (const auto& [mac, distro] : hosts) {
      const MacAddress address = Parsed<MacAddress>(mac);
      list.push_back(std::make_shared<const Host>(Host{static_cast<HostId>(list.size() + 1),
                                                       NameByMac(address),
                                                       {address},
                                                       Parsed<Distro>(distro)}));
    }
    auto snapshot = Snapshot::Create(Revision{{1, 1}}, settings, profiles, list);
    ASSERT_THAT(snapshot, IsOk());
    view_.Set(*snapshot);
  }

  TestTree tree_;
  View view_;
  LiveCatalog catalog_;
  std::unique_ptr<PathResolver> resolver_;
};

TEST_F(PathResolverTest, AFolderThatCantBeOpenedIsNamed) {
  EXPECT_THAT(
      PathResolver::Open({.agent = {.id = Parsed<AgentId>("a1")},
                          .rootfs_folder = "/none",
                          .loaders_folder = tree_.loaders()},
                         view_, catalog_),
      StatusIs(absl::StatusCode::kNotFound, "rootfs folder /none: No such file or directory"));
  EXPECT_THAT(
      PathResolver::Open({.agent = {.id = Parsed<AgentId>("a1")},
                          .rootfs_folder = tree_.rootfs(),
                          .loaders_folder = "/none"},
                         view_, catalog_),
      StatusIs(absl::StatusCode::kNotFound, "loaders folder /none: No such file or directory"));
}

TEST_F(PathResolverTest, CataloguedFilesAreServed) {
  const struct {
    std::string asked;
    std::string path;
    std::string result;
    std::string bytes;
  } kCases[] = {
      {"boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64",
       "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64", "kernel", "kernel 6.1.0-25-amd64"},
      {"/boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64",
       "boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64", "initrd", "initrd 6.1.0-25-amd64"},
      // An alias is its release.
      {"boot/debian/stable/boot/vmlinuz-6.1.0-26-amd64",
       "boot/debian/bookworm/boot/vmlinuz-6.1.0-26-amd64", "kernel", "kernel 6.1.0-26-amd64"},
      // Debian's `default`: links inside the release.
      {"boot/debian/bookworm/vmlinuz", "boot/debian/bookworm/vmlinuz", "kernel",
       "kernel 6.1.0-26-amd64"},
      {"boot/debian/stable/initrd.img", "boot/debian/bookworm/initrd.img", "initrd",
       "initrd 6.1.0-26-amd64"},
      {"undionly.kpxe", "undionly.kpxe", "loader", "bios ipxe"},
      {"/ipxe.efi", "ipxe.efi", "loader", "uefi ipxe"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.asked);
    const auto resolved = Resolve(c.asked);
    ASSERT_THAT(resolved, IsOk());
    EXPECT_EQ(resolved->path, c.path);
    EXPECT_EQ(resolved->result, c.result);
    EXPECT_EQ(Bytes(*resolved->content), c.bytes);
    EXPECT_TRUE(resolved->cacheable);
    EXPECT_EQ(resolved->host, absl::nullopt);
  }
}

// Faults, cases 1 and 17.
TEST_F(PathResolverTest, NothingElseIsServed) {
  for (const std::string path :
       {"boot/debian/bookworm/etc/shadow", "boot/debian/bookworm/boot/System.map-6.1.0-26-amd64",
        "boot/debian/bookworm/boot", "boot/debian/bookworm/boot/vmlinuz-9",
        "boot/debian/none/boot/vmlinuz-6.1.0-25-amd64", "boot/none/bookworm/vmlinuz",
        "boot/ubuntu/jammy/vmlinuz", "boot/ubuntu/bookworm/boot/vmlinuz-6.1.0-25-amd64",
        "debian/bookworm/boot/vmlinuz-6.1.0-25-amd64", "notes.txt", "none.efi", "secret", "rootfs",
        "grub/x86_64-efi/command.lst"}) {
    EXPECT_THAT(Resolve(path), StatusIs(absl::StatusCode::kNotFound,
                                        absl::StrCat("path \"", path, "\": no such file")));
  }
}

// Faults, case 1.
TEST_F(PathResolverTest, TraversalIsRefusedAndNamesNoPathOfTheAgent) {
  for (const std::string path :
       {"../secret", "../../etc/passwd", "/../secret", "boot/../secret",
        "boot/debian/bookworm/../../../secret", "boot/debian/bookworm/boot/../etc/shadow",
        "boot/debian/bookworm/./etc/shadow", "boot\\..\\secret", "%2e%2e/secret",
        "boot/%2e%2e/secret", "//etc/passwd", "boot/debian//bookworm/etc/shadow", "..", ""}) {
    EXPECT_THAT(Resolve(path),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(StartsWith("path \""), Not(HasSubstr(tree_.folder())))))
        << path;
  }
}

// Faults, case 2: swapped after the scan for a link that leads out.
TEST_F(PathResolverTest, ALinkThatLeadsOutIsNotFollowed) {
  const std::string kernel = "debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
  for (const std::string& target :
       {tree_.folder() + "/secret", std::string("../../../../secret"), std::string("/etc/passwd"),
        std::string("/proc/self/root/etc/passwd")}) {
    tree_.Remove("rootfs/" + kernel);
    tree_.Link("rootfs/" + kernel, target);
    EXPECT_THAT(Resolve("boot/" + kernel),
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr("can't be read now"), Not(HasSubstr(tree_.folder())))))
        << target;
  }
  tree_.Remove("loaders/ipxe.efi");
  tree_.Link("loaders/ipxe.efi", tree_.folder() + "/secret");
  EXPECT_THAT(Resolve("ipxe.efi"), StatusIs(absl::StatusCode::kUnavailable));
}

// Faults, case 2: swapped after the scan for a link into the tree around the boot files.
TEST_F(PathResolverTest, ALinkToWhatIsNoBootFileIsNotFollowed) {
  for (const auto& [path, target] : std::vector<std::pair<std::string, std::string>>{
           {"debian/bookworm/boot/vmlinuz-6.1.0-25-amd64", "../etc/shadow"},
           {"debian/bookworm/boot/initrd.img-6.1.0-25-amd64", "/etc/shadow"},
           {"debian/bookworm/vmlinuz", "etc/shadow"}}) {
    tree_.Remove("rootfs/" + path);
    tree_.Link("rootfs/" + path, target);
    EXPECT_THAT(Resolve("boot/" + path),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("not named as a kernel")));
  }
}

// Faults, case 2.
TEST_F(PathResolverTest, AFolderThatIsSwappedForALinkIsNotFollowed) {
  tree_.AddKernel("../outside/bookworm", "6.1.0-25-amd64");
  tree_.Remove("rootfs/debian");
  tree_.Link("rootfs/debian", tree_.folder() + "/outside");
  EXPECT_THAT(Resolve("boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"),
              StatusIs(absl::StatusCode::kUnavailable));
  tree_.Remove("rootfs/debian");
  tree_.MakeFolder("rootfs/debian");
  tree_.Link("rootfs/debian/bookworm", tree_.folder() + "/outside/bookworm");
  EXPECT_THAT(Resolve("boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"),
              StatusIs(absl::StatusCode::kUnavailable));
}

// Faults, case 2: an open transfer keeps the old content.
TEST_F(PathResolverTest, AFileThatIsSwappedLaterIsServedAsItWasOpened) {
  const std::string kernel = "debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
  const auto resolved = Resolve("boot/" + kernel);
  ASSERT_THAT(resolved, IsOk());
  tree_.Remove("rootfs/" + kernel);
  tree_.Link("rootfs/" + kernel, tree_.folder() + "/secret");
  EXPECT_EQ(Bytes(*resolved->content), "kernel 6.1.0-25-amd64");
}

// Faults, case 19: overwritten in place, before it is asked for.
TEST_F(PathResolverTest, AFileThatHasNotTheSizeThatWasCataloguedIsNotServed) {
  for (const std::string file : {"boot/vmlinuz-6.1.0-26-amd64", "boot/initrd.img-6.1.0-26-amd64"}) {
    tree_.WriteNow("rootfs/debian/bookworm/" + file, "half");
    EXPECT_THAT(Resolve("boot/debian/bookworm/" + file),
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr("it has 4 bytes, and "), Not(HasSubstr(tree_.folder())))))
        << file;
  }
  // By the links of `default` and by an alias too.
  for (const std::string path : {"boot/debian/bookworm/vmlinuz", "boot/debian/bookworm/initrd.img",
                                 "boot/debian/stable/boot/vmlinuz-6.1.0-26-amd64"}) {
    EXPECT_THAT(Resolve(path), StatusIs(absl::StatusCode::kUnavailable)) << path;
  }
  EXPECT_THAT(Resolve("boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"), IsOk());
  // Of loaders the catalog has no size.
  tree_.WriteNow("loaders/ipxe.efi", "a new one");
  EXPECT_EQ(Bytes(*Resolve("ipxe.efi")->content), "a new one");
  // The new size is known after a scan.
  tree_.Write("rootfs/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64", "another kernel");
  EXPECT_THAT(Resolve("boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"),
              StatusIs(absl::StatusCode::kUnavailable));
  LiveCatalog rescanned(tree_.rootfs(), tree_.loaders());
  ASSERT_THAT(rescanned.Rescan(), IsOk());
  EXPECT_EQ(rescanned.Current()
                ->FindRelease("debian", "bookworm")
                ->FindKernel("6.1.0-25-amd64")
                ->kernel_size,
            14);
}

TEST_F(PathResolverTest, OnlyARegularFileIsServedAndNobodyWaitsForAPipe) {
  const std::string kernel = "debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
  tree_.Remove("rootfs/" + kernel);
  ASSERT_EQ(mkfifo((tree_.rootfs() + "/" + kernel).c_str(), 0600), 0);
  EXPECT_THAT(Resolve("boot/" + kernel),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("regular")));
  tree_.Remove("rootfs/" + kernel);
  tree_.MakeFolder("rootfs/" + kernel);
  EXPECT_THAT(Resolve("boot/" + kernel), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(PathResolverTest, ATreeThatIsMountedAnewIsSeen) {
  tree_.Remove("rootfs");
  const std::string path = "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
  EXPECT_THAT(Resolve(path), StatusIs(absl::StatusCode::kUnavailable));
  tree_.AddKernel("debian/bookworm", "6.1.0-25-amd64");
  EXPECT_THAT(Resolve(path), IsOk());
}

TEST_F(PathResolverTest, NoDescriptorStaysOpen) {
  Configure({});
  const int before = OpenDescriptors();
  for (int i = 0; i < 50; ++i) {
    for (const std::string path :
         {"boot/debian/bookworm/vmlinuz", "boot/debian/bookworm/etc/shadow", "ipxe.efi",
          "../secret", "autopxe-bc2411b01ade", "boot.ipxe"}) {
      Resolve(path).IgnoreError();
    }
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(PathResolverTest, AHostsMenuHasItsDecision) {
  Configure({{"bc:24:11:b0:1a:de", "debian/bookworm/latest/overlayfs"}});
  const auto resolved = Resolve("autopxe-BC2411B01ADE");
  ASSERT_THAT(resolved, IsOk());
  EXPECT_EQ(resolved->path, "autopxe-bc2411b01ade");
  EXPECT_EQ(resolved->result, "menu");
  EXPECT_EQ(resolved->host, Parsed<MacAddress>("bc:24:11:b0:1a:de"));
  EXPECT_FALSE(resolved->cacheable);
  EXPECT_THAT(resolved->content->text(),
              AllOf(StartsWith("#!ipxe\n"), HasSubstr("172.25.2.11"),
                    HasSubstr("debian/bookworm/latest/overlayfs"),
                    HasSubstr("boot/debian/bookworm/boot/vmlinuz-6.1.0-26-amd64")));
}

// Faults, case 32.
TEST_F(PathResolverTest, EverySpellingOfAMacGetsTheSameMenuAndAnUnknownHostAnother) {
  Configure({{"bc:24:11:b0:1a:de", "local"}});
  const auto expected = Resolve("autopxe-bc2411b01ade");
  ASSERT_THAT(expected, IsOk());
  for (const std::string mac : {"BC2411B01ADE", "bC2411B01aDe", "bc:24:11:b0:1a:de",
                                "BC-24-11-B0-1A-DE", "bc24.11b0.1ade"}) {
    const auto resolved = Resolve("autopxe-" + mac);
    ASSERT_THAT(resolved, IsOk()) << mac;
    EXPECT_EQ(resolved->content->text(), expected->content->text()) << mac;
  }
  const auto unknown = Resolve("autopxe-bc2411b01adf");
  ASSERT_THAT(unknown, IsOk());
  EXPECT_NE(unknown->content->text(), expected->content->text());
  EXPECT_THAT(unknown->content->text(), HasSubstr("debian/stable/latest/overlayfs"));
}

TEST_F(PathResolverTest, AnIgnoredHostGetsNoAnswerByAnyPathOfItsMenu) {
  Configure({{"bc:24:11:b0:1a:de", "ignore"}});
  for (const std::string path : {"autopxe-bc2411b01ade", "autopxe-BC2411B01ADE",
                                 "/autopxe-bc2411b01ade", "autopxe-bc2411b01ade.poll"}) {
    EXPECT_THAT(Resolve(path),
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("bc:24:11:b0:1a:de")));
  }
}

TEST_F(PathResolverTest, AnAgentWithoutAConfigurationSaysSo) {
  const auto resolved = Resolve("autopxe-bc2411b01ade");
  ASSERT_THAT(resolved, IsOk());
  EXPECT_EQ(resolved->result, "unconfigured");
  EXPECT_FALSE(resolved->cacheable);
  EXPECT_THAT(resolved->content->text(), StartsWith("#!ipxe\n"));
  Configure({});
  EXPECT_THAT(Resolve("autopxe-bc2411b01ade")->result, "menu");
}

TEST_F(PathResolverTest, APollIsTheSameByNameAndByQuery) {
  Configure({{"bc:24:11:b0:1a:de", "debian/bookworm/latest/overlayfs"}});
  const auto by_name = Resolve("autopxe-bc2411b01ade.poll");
  ContentRequest request = Request("autopxe-bc2411b01ade");
  const auto start = resolver_->Resolve(request);
  request.query = {{"stage", "poll"}};
  const auto by_query = resolver_->Resolve(request);
  ASSERT_THAT(by_name, IsOk());
  ASSERT_THAT(by_query, IsOk());
  EXPECT_EQ(by_name->content->text(), by_query->content->text());
  EXPECT_EQ(by_query->path, "autopxe-bc2411b01ade.poll");
  EXPECT_NE(start->content->text(), by_query->content->text());
}

// Faults, case 31.
TEST_F(PathResolverTest, HostileQueriesAddNothingToAScript) {
  Configure({{"bc:24:11:b0:1a:de", "menu"}});
  ContentRequest request = Request("autopxe-bc2411b01ade", Transport::kHttp);
  const auto expected = resolver_->Resolve(request);
  ASSERT_THAT(expected, IsOk());
  for (const std::string value : {"x\nshell", "${uuid}", "a || shell", "a && shell", "# x", "\"",
                                  "caf\xc3\xa9", "x y", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    for (const char* name : {"stage", "platform", "buildarch", "uuid", "serial", "other"}) {
      request.query = {{name, value}};
      const auto resolved = resolver_->Resolve(request);
      ASSERT_THAT(resolved, IsOk());
      EXPECT_EQ(resolved->content->text(), expected->content->text()) << name << "=" << value;
    }
  }
}

TEST_F(PathResolverTest, BothNamesOfTheStartScriptGiveItForTheTransport) {
  for (const std::string path : {"boot.ipxe", "/boot.ipxe", "autoexec.ipxe"}) {
    for (const Transport transport : {Transport::kTftp, Transport::kHttp}) {
      const ContentRequest request = Request(path, transport);
      const auto resolved = resolver_->Resolve(request);
      ASSERT_THAT(resolved, IsOk());
      EXPECT_EQ(resolved->result, "start-script");
      EXPECT_EQ(resolved->path, "boot.ipxe");
      EXPECT_FALSE(resolved->cacheable);
      EXPECT_EQ(resolved->content->text(), RenderStartScript({.id = Parsed<AgentId>("a1"),
                                                              .rootfs_folder = tree_.rootfs(),
                                                              .http_port = 8080,
                                                              .tftp_port = 69},
                                                             transport, request.asked_at));
    }
  }
}

TEST_F(PathResolverTest, ALoaderThatIpxeAsksForIsTheStartScript) {
  // The last one is not there: DHCP may name a loader of another server.
  for (const std::string path : {"undionly.kpxe", "/ipxe.efi", "snponly.efi"}) {
    ContentRequest request = Request(path);
    request.from_ipxe = true;
    const auto resolved = resolver_->Resolve(request);
    ASSERT_THAT(resolved, IsOk()) << path;
    EXPECT_EQ(resolved->result, "start-script");
    EXPECT_THAT(resolved->content->text(), StartsWith("#!ipxe\n"));
    EXPECT_FALSE(resolved->cacheable);
  }
  // Only a loader is: everything else is for iPXE what it is for others.
  ContentRequest request = Request("notes.txt");
  request.from_ipxe = true;
  EXPECT_THAT(resolver_->Resolve(request), StatusIs(absl::StatusCode::kNotFound));
  request = Request("boot/debian/bookworm/vmlinuz");
  request.from_ipxe = true;
  EXPECT_EQ(resolver_->Resolve(request)->result, "kernel");
}

TEST_F(PathResolverTest, ASettingGivesIpxeTheLoaderItself) {
  Reopen(false);
  ContentRequest request = Request("undionly.kpxe");
  request.from_ipxe = true;
  const auto resolved = resolver_->Resolve(request);
  ASSERT_THAT(resolved, IsOk());
  EXPECT_EQ(resolved->result, "loader");
  EXPECT_EQ(Bytes(*resolved->content), "bios ipxe");
  request.path = "snponly.efi";
  EXPECT_THAT(resolver_->Resolve(request), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace autopxe::agent
