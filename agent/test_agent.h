#pragma once

#include <stdio.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/agent.h"
#include "agent/config.h"
#include "agent/sync/snapshot_file.h"
#include "common/model/snapshot.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {

constexpr char kNoServer[] = "127.0.0.1:1";

// What curl prints.
inline std::string Fetch(const std::string& url, int seconds = 10) {
  FILE* const curl =
      popen(absl::StrCat("curl --silent --max-time ", seconds, " '", url, "'").c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer;
  while (const size_t count = fread(buffer.data(), 1, buffer.size(), curl)) {
    text.append(buffer.data(), count);
  }
  pclose(curl);
  return text;
}

// bc:24:11:b0:1a:de is assigned debian/bookworm/latest/overlayfs.
inline std::shared_ptr<const Snapshot> SnapshotAt(int64_t number,
                                                  const std::string& nfs_server = "172.25.2.11") {
  Revision revision;
  revision.id = {number, 7};
  Settings settings;
  settings.variables.emplace(*VariableName::Parse("nfs-server"), *VariableValue::Parse(nfs_server));
  const Profile profile{*ProfileName::Parse("overlayfs"),
                        *CommandLineTemplate::Parse("nfsroot=${nfs-server}:${rootfs-path} rootovl"),
                        1};
  const MacAddress mac = *MacAddress::Parse("bc2411b01ade");
  const auto host = std::make_shared<const Host>(
      Host{.id = HostId{1},
           .name = NameByMac(mac),
           .macs = {mac},
           .distro = *Distro::Parse("debian/bookworm/latest/overlayfs")});
  return *Snapshot::Create(revision, settings, {profile}, {host});
}

// For tests: an agent over a small tree, and a state folder of its own.
class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    std::string folder = absl::StrCat(testing::TempDir(), "/agentXXXXXX");
    folder_ = mkdtemp(folder.data());
    std::filesystem::create_directories(folder_ + "/loaders");
    std::filesystem::create_directories(folder_ + "/files");
    std::ofstream(folder_ + "/loaders/undionly.kpxe") << "loader";
    AddRelease("bookworm");
  }
  ~AgentTest() override { std::filesystem::remove_all(folder_); }

  void AddRelease(const std::string& release) {
    const std::string boot = absl::StrCat(folder_, "/rootfs/debian/", release, "/boot");
    std::filesystem::create_directories(boot);
    std::ofstream(boot + "/vmlinuz-6.1.0-25-amd64") << "kernel of " << release;
    std::ofstream(boot + "/initrd.img-6.1.0-25-amd64") << "initrd";
    // Installed long ago, and not just being written.
    for (const char* file : {"/vmlinuz-6.1.0-25-amd64", "/initrd.img-6.1.0-25-amd64"}) {
      std::filesystem::last_write_time(
          boot + file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    }
  }

  Config BuildConfig(const std::string& server = kNoServer) const {
    const IpEndpoint any = *IpEndpoint::Parse("127.0.0.1:0");
    return {.id = *AgentId::Parse("lab"),
            .server = server,
            .rootfs_folder = folder_ + "/rootfs",
            .loaders_folder = folder_ + "/loaders",
            .files_folder = folder_ + "/files",
            .state_folder = folder_ + "/state",
            .tftp_listen = {any},
            .http_listen = {any},
            .advertise = absl::nullopt};
  }

  static std::string ByHttp(const Agent& agent, const std::string& path) {
    return Fetch(absl::StrCat("http://", agent.http_endpoints().front().Format(), "/", path));
  }
  static std::string ByTftp(const Agent& agent, const std::string& path) {
    return Fetch(absl::StrCat("tftp://", agent.tftp_endpoints().front().Format(), "/", path));
  }

  void SaveView(const std::shared_ptr<const Snapshot>& snapshot) {
    auto file = SnapshotFile::Open(folder_ + "/state");
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->Save({snapshot, absl::FromUnixSeconds(1'700'000'000)}), IsOk());
  }

  std::string folder_;
};

}  // namespace autopxe::agent
