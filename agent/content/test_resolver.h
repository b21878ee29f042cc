#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "agent/catalog/live_catalog.h"
#include "agent/catalog/test_tree.h"
#include "agent/content/content.h"
#include "agent/content/path_resolver.h"
#include "agent/view/view.h"
#include "common/model/snapshot.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {

template <typename Value>
Value Parsed(absl::string_view text) {
  return *Value::Parse(text);
}

inline std::string Bytes(const Content& content) {
  std::string bytes(content.size(), '?');
  EXPECT_THAT(content.ReadAt(0, absl::MakeSpan(bytes.data(), bytes.size())),
              IsOkAndHolds(bytes.size()));
  return bytes;
}

// For tests: a resolver over a small tree, with the configuration that it is given.
class PathResolverTest : public ::testing::Test {
 protected:
  PathResolverTest() : catalog_(tree_.folders()) {
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
    tree_.Write("files/memtest/mt86plus", "memory test");
    tree_.Write("files/installer/linux", "installer");
    tree_.Write("files/.token", "hidden");
    tree_.Write("secret", "outside");
    EXPECT_THAT(catalog_.Rescan(), IsOk());
    Reopen(true);
  }

  void Reopen(bool start_script_for_ipxe) {
    auto resolver =
        PathResolver::Open({.agent = {.id = Parsed<AgentId>("a1"),
                                      .rootfs_folder = tree_.rootfs(),
                                      .http_port = 8080,
                                      .tftp_port = 69},
                            .folders = tree_.folders(),
                            .start_script_for_ipxe = start_script_for_ipxe,
                            .catalog_doubted = [this] { ++doubts_; },
                            .next_boot_used = [this](const UsedNextBoot& used,
                                                     const MacAddress&) { used_.push_back(used); },
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
  std::vector<UsedNextBoot> used_;  // What the resolver has told of.
  int doubts_ = 0;                  // How often the resolver has doubted the catalog.
  std::unique_ptr<PathResolver> resolver_;
};

}  // namespace autopxe::agent
