#include "server/plan/counted_move.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/agent_settings.h"
#include "common/model/host.h"
#include "common/model/mac_address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const AgentId kLab = *AgentId::Parse("lab");

class CountedMoveTest : public testing::Test {
 protected:
  void AddHost(absl::string_view distro) {
    const int number = static_cast<int>(hosts_.size()) + 1;
    hosts_.push_back(std::make_shared<const Host>(
        Host{.id = HostId(number),
             .name = *HostName::Parse(absl::StrCat("h", number)),
             .macs = {*MacAddress::Parse(absl::StrCat("5254000000", 10 + number))},
             .distro = distro.empty() ? absl::optional<Distro>() : *Distro::Parse(distro),
             .etag = 1}));
  }

  std::vector<CountedMove> Count(std::vector<KernelMove> moves) {
    return CountHosts(**Snapshot::Create(Revision(), settings_, {}, hosts_, agent_settings_), kLab,
                      std::move(moves));
  }

  Settings settings_;
  std::vector<AgentSettings> agent_settings_;
  std::vector<std::shared_ptr<const Host>> hosts_;
  const KernelMove latest_ = {"debian", "bookworm", "latest", "25", "28"};
  const KernelMove previous_ = {"debian", "bookworm", "previous", "24", "25"};
};

TEST_F(CountedMoveTest, HostsCountByTheirAssignmentWhateverTheProfile) {
  AddHost("debian/bookworm/latest/nfs");
  AddHost("debian/bookworm/latest/overlayfs");
  AddHost("debian/bookworm/previous/nfs");
  AddHost("debian/bookworm/25/nfs");
  AddHost("debian/trixie/latest/nfs");
  AddHost("local");
  AddHost("");
  EXPECT_THAT(Count({latest_, previous_}),
              ElementsAre(CountedMove{latest_, 2}, CountedMove{previous_, 1}));
}

TEST_F(CountedMoveTest, HostsWithoutAnAssignmentCountByTheDefault) {
  settings_.default_distro = *Distro::Parse("debian/bookworm/latest/nfs");
  AddHost("");
  AddHost("");
  AddHost("wait");
  EXPECT_THAT(Count({latest_}), ElementsAre(CountedMove{latest_, 2}));
}

TEST_F(CountedMoveTest, TheAgentsOwnDefaultCountsBeforeTheServers) {
  settings_.default_distro = *Distro::Parse("debian/bookworm/previous/nfs");
  AgentSettings other{.agent = *AgentId::Parse("other"), .default_distro = Distro::Local()};
  AgentSettings own{.agent = kLab, .default_distro = *Distro::Parse("debian/bookworm/latest/nfs")};
  agent_settings_ = {other, own};
  AddHost("");
  EXPECT_THAT(Count({latest_, previous_}),
              ElementsAre(CountedMove{latest_, 1}, CountedMove{previous_, 0}));
}

TEST_F(CountedMoveTest, NothingMovedIsNothingToCount) {
  AddHost("");
  EXPECT_THAT(Count({}), IsEmpty());
}

}  // namespace
}  // namespace autopxe::server
