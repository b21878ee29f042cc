#include "agent/content/menu_cache.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "boot/sample.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

class MenuCacheTest : public ::testing::Test {
 protected:
  MenuCacheTest()
      : snapshot_(sample_.Build()),
        catalog_(std::make_shared<const Catalog>(sample_.catalog)),
        cache_(sample_.agent) {}

  // A change that leads from `snapshot_` to the next revision, and changes nothing yet.
  Change NextChange() const {
    const RevisionId base = snapshot_->revision().id;
    Change change{.base = base, .revision = snapshot_->revision()};
    ++change.revision.id.number;
    return change;
  }

  std::shared_ptr<const Snapshot> After(const Change& change) const {
    const auto next = Apply(*snapshot_, change);
    EXPECT_THAT(next, IsOk());
    return *next;
  }

  Sample sample_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<const Catalog> catalog_;
  MenuCache cache_;
};

TEST_F(MenuCacheTest, TheMenuIsRenderedOnceForWhatSaysTheSame) {
  const auto menu = cache_.Current(*snapshot_, catalog_);
  EXPECT_EQ(menu->labels.text(),
            RenderSharedMenu(*snapshot_, *catalog_, sample_.agent).labels.text());
  EXPECT_EQ(cache_.Current(*snapshot_, catalog_), menu);
}

TEST_F(MenuCacheTest, AnAssignmentAndAGroupThrowNothingAway) {
  const auto menu = cache_.Current(*snapshot_, catalog_);
  Change change = NextChange();
  Host host = *sample_.hosts.front();
  host.distro = Distro::Local();
  change.hosts.push_back(std::make_shared<const Host>(host));
  change.groups.push_back(
      std::make_shared<const Group>(Group{.name = *GroupName::Parse("rack1"),
                                          .selector = *Selector::Parse("rack=1"),
                                          .distro = Distro::Local()}));
  EXPECT_EQ(cache_.Current(*After(change), catalog_), menu);
}

TEST_F(MenuCacheTest, WhateverTheMenuIsMadeOfIsSeenAtOnce) {
  const auto menu = cache_.Current(*snapshot_, catalog_);

  Change settings = NextChange();
  settings.settings = snapshot_->settings();
  settings.settings->rootfs_path_prefix = *RootfsPathPrefix::Parse("/elsewhere");
  EXPECT_THAT(cache_.Current(*After(settings), catalog_)->labels.text(), HasSubstr("/elsewhere/"));

  Change own = NextChange();
  AgentSettings for_agent = SettingsFor(sample_.agent.id.text());
  for_agent.rootfs_path_prefix = *RootfsPathPrefix::Parse("/here");
  own.agent_settings.push_back(for_agent);
  EXPECT_THAT(cache_.Current(*After(own), catalog_)->labels.text(), HasSubstr("/here/"));

  Change profile = NextChange();
  profile.profiles.push_back(
      {*ProfileName::Parse("rescue"), *CommandLineTemplate::Parse("single")});
  EXPECT_THAT(cache_.Current(*After(profile), catalog_)->labels.text(),
              HasSubstr(":profile/rescue\n"));

  sample_.DeclareChain("netboot", "http://boot.example/menu.ipxe");
  EXPECT_THAT(cache_.Current(*sample_.Build(), catalog_)->labels.text(),
              HasSubstr(":declared/netboot\n"));

  const auto other = cache_.Current(*snapshot_, std::make_shared<const Catalog>());
  EXPECT_THAT(other->labels.text(), HasSubstr("no kernel to offer"));
  EXPECT_EQ(cache_.Current(*snapshot_, catalog_)->labels.text(), menu->labels.text());
}

TEST_F(MenuCacheTest, ThreadsThatAskAtOnceGetOneMenu) {
  std::vector<std::shared_ptr<const SharedMenu>> menus(8);
  std::vector<std::thread> threads;
  for (auto& menu : menus) {
    threads.emplace_back([&] { menu = cache_.Current(*snapshot_, catalog_); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(menus, Each(menus.front()));
}

TEST_F(MenuCacheTest, TheMenuDoesNotKeepHostsAlive) {
  const std::weak_ptr<const Snapshot> snapshot = snapshot_;
  cache_.Current(*snapshot_, catalog_);
  snapshot_ = nullptr;
  EXPECT_EQ(snapshot.lock(), nullptr);
}

}  // namespace
}  // namespace autopxe::agent
