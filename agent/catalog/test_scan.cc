#include "agent/catalog/test_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"

namespace autopxe::agent {

TreeChanges Everything() {
  TreeChanges changes;
  changes.everything = true;
  return changes;
}

LookTime Now(absl::Duration later) {
  return {.wall = absl::Now() + later, .monotonic = absl::Seconds(100) + later};
}

Scan ScanOf(const TestTree& tree) {
  auto scan = Scanner(tree.folders(), nullptr).Run(Everything(), Now());
  EXPECT_THAT(scan, IsOk());
  return *std::move(scan);
}

std::vector<std::string> Listed(const Catalog& catalog) {
  std::vector<std::string> lines;
  for (const CatalogDistro& distro : catalog.distros) {
    for (const CatalogRelease& release : distro.releases) {
      for (const CatalogKernel& kernel : release.kernels) {
        lines.push_back(absl::StrCat(distro.name, "/", release.name,
                                     release.alias_of.empty() ? "" : "->", release.alias_of, "/",
                                     kernel.name, "=", kernel.version, " ", kernel.kernel_path, " ",
                                     kernel.initrd_path));
      }
    }
  }
  return lines;
}

std::vector<std::string> Warned(const Scan& scan) {
  std::vector<std::string> lines;
  for (const ScanWarning& warning : scan.warnings) {
    lines.push_back(
        absl::StrCat(warning.path, ": ", warning.reason, warning.is_kept ? " (kept)" : ""));
  }
  return lines;
}

std::string BzImage(size_t size) {
  std::string bytes(size, '\0');
  const auto put = [&](size_t offset, size_t number, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      bytes[offset + i] = static_cast<char>(number >> (8 * i) & 0xff);
    }
  };
  bytes.replace(0x202, 4, "HdrS");
  put(0x206, 0x20f, 2);
  put(0x1f1, 1, 1);
  put(0x1f4, (size - 1024) / 16, 4);
  put(0x236, 1, 2);
  return bytes;
}

void WithDescriptors(int count, absl::FunctionRef<void()> call) {
  // The holes among the open ones are filled, so that numbers count.
  int highest = 0;
  std::vector<int> fillers;
  DIR* const open_ones = opendir("/proc/self/fd");
  while (const dirent* found = readdir(open_ones)) highest = std::max(highest, atoi(found->d_name));
  closedir(open_ones);
  do {
    fillers.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  } while (fillers.back() < highest);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = static_cast<rlim_t>(fillers.back() + 1 + count);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  call();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  for (const int fd : fillers) close(fd);
}

void WithoutPrivileges(absl::FunctionRef<void()> call) {
  // Capabilities are a thread's own.
  std::thread([&] {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    ASSERT_EQ(syscall(SYS_capset, &header, none), 0);
    call();
  }).join();
}

}  // namespace autopxe::agent
