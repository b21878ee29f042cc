// Snapshots and changes that are drawn at random, held against a snapshot that is too plain to be
// wrong.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/snapshot.h"
#include "common/model/test_snapshot.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

// The plainest snapshot that can be: every question is answered by looking at every host.
struct NaiveSnapshot {
  std::map<int64_t, std::shared_ptr<const Host>> hosts;

  std::shared_ptr<const Host> Find(const MacAddress& mac) const {
    for (const auto& [id, host] : hosts) {
      if (std::count(host->macs.begin(), host->macs.end(), mac) > 0) return host;
    }
    return nullptr;
  }
  std::shared_ptr<const Host> Find(const HostName& name) const {
    for (const auto& [id, host] : hosts) {
      if (host->name == name) return host;
    }
    return nullptr;
  }
  bool IsValid() const {
    std::set<HostName> names;
    std::set<MacAddress> macs;
    for (const auto& [id, host] : hosts) {
      if (!names.insert(host->name).second) return false;
      for (const MacAddress& mac : host->macs) {
        if (!macs.insert(mac).second) return false;
      }
    }
    return true;
  }
};

TEST(ApplyTest, AgreesWithANaiveSnapshotOverRandomChanges) {
  constexpr int kIds = 12;
  constexpr int kNames = 12;
  constexpr int kMacs = 24;
  std::mt19937 random(9);
  std::shared_ptr<const Snapshot> snapshot = Snapshot::Empty(RevisionOf(0));
  NaiveSnapshot naive;
  int accepted = 0;
  int refused = 0;
  for (int step = 0; step < 4000; ++step) {
    Change change = StepAfter(*snapshot);
    NaiveSnapshot next = naive;
    std::set<int64_t> touched;
    for (size_t count = random() % 3; count > 0; --count) {
      const int64_t id = 1 + random() % kIds;
      change.deleted_hosts.push_back(HostId{id});
      touched.insert(id);
      next.hosts.erase(id);
    }
    for (size_t count = random() % 4; count > 0; --count) {
      const int64_t id = 1 + random() % kIds;
      if (!touched.insert(id).second) continue;
      std::set<MacAddress> macs;
      for (size_t mac_count = 1 + random() % 2; mac_count > 0; --mac_count) {
        macs.insert(MacOf(random() % kMacs));
      }
      const auto host =
          MakeHost(id, absl::StrCat("h", random() % kNames), {macs.begin(), macs.end()}, step);
      change.hosts.push_back(host);
      next.hosts[id] = host;
    }

    const absl::StatusOr<std::shared_ptr<const Snapshot>> after = Apply(*snapshot, change);
    ASSERT_EQ(after.ok(), next.IsValid()) << after.status();
    if (!after.ok()) {
      ++refused;
    } else {
      ++accepted;
      // What was not touched is the same object.
      for (const auto& [id, host] : naive.hosts) {
        if (touched.count(id) == 0) {
          ASSERT_EQ((*after)->FindHost(HostId{id}), host);
        }
      }
      snapshot = *after;
      naive = std::move(next);
    }
    // Right after a refusal too: it must not have changed anything.
    ASSERT_EQ(snapshot->host_count(), naive.hosts.size());
    for (int64_t id = 1; id <= kIds; ++id) {
      const auto found = naive.hosts.find(id);
      ASSERT_EQ(snapshot->FindHost(HostId{id}),
                found == naive.hosts.end() ? nullptr : found->second);
    }
    for (int i = 0; i < kMacs; ++i) {
      ASSERT_EQ(snapshot->FindHost(MacOf(i)), naive.Find(MacOf(i)));
    }
    for (int i = 0; i < kNames; ++i) {
      const HostName name = NameOf(absl::StrCat("h", i));
      ASSERT_EQ(snapshot->FindHost(name), naive.Find(name));
    }
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace autopxe
