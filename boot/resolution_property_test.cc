#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boot/boot.h"
#include "boot/sample.h"
#include "boot/variables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// A configuration in plain texts, and the rules read off the design: next-boot assignment, timed
// one, standing one, groups by descending priority then name, the agent's default, the global one.
// Variables merge in the reverse order. Shares nothing with the resolver but the values' texts.
struct PlainGroup {
  std::string name, distro, label_key, label_value;
  bool negated;
  int priority;
  std::map<std::string, std::string> variables;
};

struct PlainHost {
  std::string mac, standing, timed, next;
  bool timed_is_over = false;
  std::map<std::string, std::string> labels, variables;
};

struct PlainModel {
  std::string agent_default, global_default, unknown_hosts;
  std::map<std::string, std::string> global_variables, agent_variables;
  std::vector<PlainGroup> groups;
  std::vector<PlainHost> hosts;
};

bool IsIn(const PlainHost& host, const PlainGroup& group) {
  const auto found = host.labels.find(group.label_key);
  const bool has = found != host.labels.end() && found->second == group.label_value;
  return group.negated ? !has : has;
}

// Those that a host is in, the one that wins first.
std::vector<PlainGroup> GroupsOf(const PlainModel& model, const PlainHost& host) {
  std::vector<PlainGroup> in;
  for (const PlainGroup& group : model.groups) {
    if (IsIn(host, group)) in.push_back(group);
  }
  std::sort(in.begin(), in.end(), [](const PlainGroup& a, const PlainGroup& b) {
    return std::make_tuple(-a.priority, a.name) < std::make_tuple(-b.priority, b.name);
  });
  return in;
}

std::string NaiveDistro(const PlainModel& model, const PlainHost* host) {
  if (host != nullptr) {
    if (!host->next.empty()) return host->next;
    if (!host->timed.empty() && !host->timed_is_over) return host->timed;
    if (!host->standing.empty()) return host->standing;
    for (const PlainGroup& group : GroupsOf(model, *host)) {
      if (!group.distro.empty()) return group.distro;
    }
  } else if (!model.unknown_hosts.empty()) {
    return model.unknown_hosts;
  }
  if (!model.agent_default.empty()) return model.agent_default;
  if (!model.global_default.empty()) return model.global_default;
  return "menu";
}

std::map<std::string, std::string> NaiveVariables(const PlainModel& model, const PlainHost* host) {
  std::map<std::string, std::string> merged = model.global_variables;
  for (const auto& [name, value] : model.agent_variables) merged[name] = value;
  if (host == nullptr) return merged;
  std::vector<PlainGroup> groups = GroupsOf(model, *host);
  std::reverse(groups.begin(), groups.end());
  for (const PlainGroup& group : groups) {
    for (const auto& [name, value] : group.variables) merged[name] = value;
  }
  for (const auto& [name, value] : host->variables) merged[name] = value;
  return merged;
}

class RandomModel {
 public:
  explicit RandomModel(unsigned seed) : random_(seed) {}

  PlainModel Next() {
    PlainModel model;
    model.agent_default = MaybeDistro();
    model.global_default = MaybeDistro();
    model.unknown_hosts = MaybeDistro();
    model.global_variables = Variables();
    model.agent_variables = Variables();
    for (int i = Pick(8); i > 0; --i) {
      model.groups.push_back({absl::StrCat("g", i), MaybeDistro(), absl::StrCat("k", Pick(3)),
                              absl::StrCat("x", Pick(3)), Pick(3) == 0, Pick(3) - 1, Variables()});
    }
    for (int i = Pick(6); i > 0; --i) {
      PlainHost host{.mac = absl::StrCat("52:54:00:00:00:0", i),
                     .standing = MaybeDistro(),
                     .timed = MaybeDistro(),
                     .next = Pick(3) == 0 ? "local" : "",
                     .timed_is_over = Pick(2) == 0,
                     .labels = {},
                     .variables = Variables()};
      for (int k = 0; k < 3; ++k) {
        if (Pick(2) == 0) host.labels[absl::StrCat("k", k)] = absl::StrCat("x", Pick(3));
      }
      model.hosts.push_back(std::move(host));
    }
    return model;
  }

 private:
  int Pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  std::string MaybeDistro() {
    const char* const distros[] = {"",
                                   "",
                                   "local",
                                   "wait",
                                   "menu",
                                   "ignore",
                                   "debian/bookworm/latest/overlayfs",
                                   "debian/bookworm/latest/nfsrw",
                                   "memtest"};
    return distros[Pick(9)];
  }

  std::map<std::string, std::string> Variables() {
    std::map<std::string, std::string> variables;
    for (int i = Pick(3); i > 0; --i) {
      variables[absl::StrCat("v", Pick(4))] = absl::StrCat(Pick(100));
    }
    return variables;
  }

  std::mt19937 random_;
};

absl::optional<Distro> DistroOf(const std::string& text) {
  if (text.empty()) return absl::nullopt;
  return Distro::Parse(text).value();
}

std::shared_ptr<const Snapshot> Build(const PlainModel& model) {
  Settings settings;
  settings.default_distro = DistroOf(model.global_default);
  settings.unknown_hosts = DistroOf(model.unknown_hosts);
  settings.variables = VariablesOf(model.global_variables);
  AgentSettings own = SettingsFor("lab");
  own.default_distro = DistroOf(model.agent_default);
  own.variables = VariablesOf(model.agent_variables);
  Snapshot::Groups groups;
  for (const PlainGroup& group : model.groups) {
    groups.push_back(std::make_shared<const Group>(
        Group{.name = GroupName::Parse(group.name).value(),
              .selector = Selector::Parse(absl::StrCat(group.label_key, group.negated ? "!=" : "=",
                                                       group.label_value))
                              .value(),
              .priority = group.priority,
              .distro = DistroOf(group.distro),
              .variables = VariablesOf(group.variables)}));
  }
  std::vector<std::shared_ptr<const Host>> hosts;
  for (const PlainHost& plain : model.hosts) {
    const MacAddress mac = MacAddress::Parse(plain.mac).value();
    Host host{.id = HostId{static_cast<int64_t>(hosts.size()) + 1},
              .name = NameByMac(mac),
              .macs = {mac},
              .distro = DistroOf(plain.standing),
              .variables = VariablesOf(plain.variables)};
    if (!plain.timed.empty()) {
      host.timed = TimedAssignment{*DistroOf(plain.timed),
                                   plain.timed_is_over ? kNow : kNow + absl::Microseconds(1)};
    }
    if (!plain.next.empty()) host.next = NextBoot{*DistroOf(plain.next), 7};
    for (const auto& [key, value] : plain.labels) {
      host.labels.emplace(LabelKey::Parse(key).value(), LabelValue::Parse(value).value());
    }
    hosts.push_back(std::make_shared<const Host>(std::move(host)));
  }
  return Snapshot::Create(Revision(), settings, {}, hosts, {own}, groups).value();
}

TEST(ResolutionPropertyTest, RandomConfigurationsAreDecidedAsTheRulesSay) {
  const Sample sample;
  RandomModel random(20261128);
  for (int round = 0; round < 3'000; ++round) {
    const PlainModel model = random.Next();
    const std::shared_ptr<const Snapshot> snapshot = Build(model);
    std::vector<const PlainHost*> hosts = {nullptr};
    for (const PlainHost& host : model.hosts) hosts.push_back(&host);
    for (const PlainHost* const host : hosts) {
      const HostFacts facts =
          FactsOf(host == nullptr ? "52:54:00:00:00:ff" : host->mac, Transport::kHttp);
      const Decision decision = Decide(*snapshot, sample.catalog, sample.agent, facts, kNow);
      EXPECT_EQ(decision.distro.Format(), NaiveDistro(model, host)) << "round " << round;
      std::map<std::string, std::string> variables;
      for (const auto& [name, variable] : decision.variables) {
        if (variable.origin != VariableOrigin::kBuiltIn) variables[name] = variable.value;
      }
      EXPECT_EQ(variables, NaiveVariables(model, host)) << "round " << round;
    }
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace autopxe
