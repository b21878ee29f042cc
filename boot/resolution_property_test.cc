#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/types/optional.h"
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
// Variables merge in the reverse order; a default stands for what is unset or empty. Shares nothing
// with the resolver but the values' texts.
struct PlainPiece {
  std::string text;  // Or, of a reference, its name.
  bool is_reference = false;
  absl::optional<std::string> default_text = absl::nullopt;
};
using PlainTemplate = std::vector<PlainPiece>;

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

// A kernel of two files or URLs with its arguments; without a kernel, what is chained.
struct PlainDeclared {
  std::string kernel, other;
  PlainTemplate arguments;
};

struct PlainModel {
  std::string agent_default, global_default, unknown_hosts;
  std::map<std::string, std::string> global_variables, agent_variables;
  std::map<std::string, PlainTemplate> profiles;
  std::map<std::string, PlainDeclared> declared;
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

// What the sample's agent and a host are to a template that boots `distro`.
std::map<std::string, std::string> NaiveBuiltIns(const std::string& mac,
                                                 const std::string& distro) {
  return {{"agent", "lab"},
          {"agent-address", "10.77.0.1"},
          {"bootif", "01-" + absl::StrReplaceAll(mac, {{":", "-"}})},
          {"distro", distro},
          {"host", mac},
          {"mac", mac}};
}

// What the sample's one kernel is besides.
const std::map<std::string, std::string>& NaiveKernelBuiltIns() {
  static const auto& built_ins =
      *new std::map<std::string, std::string>{{"arch", "unknown"},
                                              {"distro-name", "debian"},
                                              {"kernel", "6.1.0-25-amd64"},
                                              {"release", "bookworm"},
                                              {"rootfs-path", "/srv/rootfs/debian/bookworm"}};
  return built_ins;
}

// No value: it can't be used, since something is unset, or text and values make a reference.
absl::optional<std::string> NaiveCommandLine(const PlainTemplate& pieces,
                                             const std::map<std::string, std::string>& values) {
  const std::string left_to_ipxe = "\x01";
  std::string line;
  for (const PlainPiece& piece : pieces) {
    const auto value = values.find(piece.text);
    if (!piece.is_reference) {
      line += piece.text;
    } else if (piece.text == "uuid") {
      line += left_to_ipxe;
    } else if (value != values.end() && !(value->second.empty() && piece.default_text)) {
      line += value->second;
    } else if (piece.default_text) {
      line += *piece.default_text;
    } else {
      return absl::nullopt;
    }
  }
  if (absl::StrContains(line, "${") || line.size() > 1'900) return absl::nullopt;
  return absl::StrReplaceAll(line, {{left_to_ipxe, "${uuid}"}});
}

std::string TextOf(const PlainTemplate& pieces) {
  std::string text;
  for (const PlainPiece& piece : pieces) {
    absl::StrAppend(&text, piece.is_reference ? "${" : "", piece.text,
                    piece.default_text ? ":-" + *piece.default_text : "",
                    piece.is_reference ? "}" : "");
  }
  return text;
}

// All that is in the agent's folder of files.
constexpr char kFile[] = "d-i/linux";

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
    for (const char* profile : {"nfsrw", "overlayfs"}) {
      if (Pick(10) > 0) model.profiles[profile] = Template();
    }
    for (const char* name : {"chained", "memtest"}) {
      if (Pick(6) == 0) continue;
      PlainDeclared& declared = model.declared[name];
      declared.other = File();
      if (absl::string_view(name) == "chained") continue;
      declared.kernel = File();
      declared.arguments = Template();
    }
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
                                   "memtest",
                                   "chained"};
    return distros[Pick(10)];
  }

  std::string File() {
    const char* const files[] = {kFile, kFile, "http://mirror.example/f", "tftp://10.0.0.1/f",
                                 "d-i/not-there"};
    return files[Pick(5)];
  }

  std::map<std::string, std::string> Variables() {
    std::map<std::string, std::string> variables;
    const char* const odd[] = {"", "$", "{v1}", "a b", "x$"};
    for (int i = Pick(3); i > 0; --i) {
      variables[absl::StrCat("v", Pick(4))] = Pick(3) == 0 ? odd[Pick(5)] : absl::StrCat(Pick(100));
    }
    return variables;
  }

  PlainTemplate Template() {
    const char* const texts[] = {"rw", " ", "root=", "{b}", "$", "quiet splash"};
    const char* const names[] = {"agent",  "agent-address", "arch",   "bootif",
                                 "distro", "kernel",        "mac",    "host",
                                 "uuid",   "distro-name",   "release"};
    PlainTemplate pieces;
    for (int i = Pick(6); i > 0; --i) {
      // Of two texts beside each other the parser makes one.
      if (Pick(2) == 0 && (pieces.empty() || pieces.back().is_reference)) {
        pieces.push_back({.text = texts[Pick(6)]});
      } else if (Pick(4) == 0) {
        pieces.push_back(
            {.text = Pick(4) == 0 ? "rootfs-path" : names[Pick(11)], .is_reference = true});
      } else {
        pieces.push_back({.text = absl::StrCat("v", Pick(4)), .is_reference = true});
        if (Pick(3) > 0)
          pieces.back().default_text = Pick(3) == 0 ? "" : absl::StrCat("d", Pick(9));
      }
    }
    return pieces;
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
  std::vector<Profile> profiles;
  for (const auto& [name, pieces] : model.profiles) {
    profiles.push_back({.name = ProfileName::Parse(name).value(),
                        .command_line = CommandLineTemplate::Parse(TextOf(pieces)).value(),
                        .etag = 1});
  }
  Sample sample;
  for (const auto& [name, plain] : model.declared) {
    if (plain.kernel.empty()) {
      sample.DeclareChain(name, plain.other);
    } else {
      sample.DeclareKernel(name, plain.kernel, {plain.other}, TextOf(plain.arguments));
    }
  }
  return Snapshot::Create(Revision(), settings, profiles, hosts, {own}, groups, sample.declared)
      .value();
}

bool IsThere(const std::string& file) {
  return file.empty() || file == kFile || absl::StrContains(file, "://");
}

// The command line of `declared` where a host has these values; no value: it can't be booted.
absl::optional<std::string> NaiveBootOf(const PlainDeclared& declared,
                                        const std::map<std::string, std::string>& values) {
  if (!IsThere(declared.kernel) || !IsThere(declared.other)) return absl::nullopt;
  for (const PlainPiece& piece : declared.arguments) {
    if (piece.is_reference && NaiveKernelBuiltIns().count(piece.text) > 0) return absl::nullopt;
  }
  return NaiveCommandLine(declared.arguments, values);
}

// The command line that `mac` boots, which is empty of what is chained; no value: it boots nothing.
absl::optional<std::string> NaiveBoot(const PlainModel& model, const PlainHost* host,
                                      const std::string& mac) {
  const std::string distro = NaiveDistro(model, host);
  std::map<std::string, std::string> values = NaiveVariables(model, host);
  for (const auto& [name, value] : NaiveBuiltIns(mac, distro)) values[name] = value;
  const auto declared = model.declared.find(distro);
  if (declared != model.declared.end()) return NaiveBootOf(declared->second, values);
  const std::string kernel = "debian/bookworm/latest/";
  if (!absl::StartsWith(distro, kernel)) return absl::nullopt;
  const auto profile = model.profiles.find(distro.substr(kernel.size()));
  if (profile == model.profiles.end()) return absl::nullopt;
  for (const auto& [name, value] : NaiveKernelBuiltIns()) values[name] = value;
  return NaiveCommandLine(profile->second, values);
}

TEST(ResolutionPropertyTest, RandomConfigurationsAreDecidedAsTheRulesSay) {
  Sample sample;
  sample.SetFiles({kFile});
  RandomModel random(20261128);
  int booted = 0;
  int declared = 0;
  int chained = 0;
  for (int round = 0; round < 3'000; ++round) {
    const PlainModel model = random.Next();
    const std::shared_ptr<const Snapshot> snapshot = Build(model);
    std::vector<const PlainHost*> hosts = {nullptr};
    for (const PlainHost& host : model.hosts) hosts.push_back(&host);
    for (const PlainHost* const host : hosts) {
      const std::string mac = host == nullptr ? "52:54:00:00:00:ff" : host->mac;
      const HostFacts facts = FactsOf(mac, Transport::kHttp);
      const Decision decision = Decide(*snapshot, sample.catalog, sample.agent, facts, kNow);
      EXPECT_EQ(decision.distro.Format(), NaiveDistro(model, host)) << "round " << round;
      std::map<std::string, std::string> variables;
      for (const auto& [name, variable] : decision.variables) {
        if (variable.origin != VariableOrigin::kBuiltIn) variables[name] = variable.value;
      }
      EXPECT_EQ(variables, NaiveVariables(model, host)) << "round " << round;
      const absl::optional<std::string> line = NaiveBoot(model, host, mac);
      EXPECT_EQ(decision.outcome == Outcome::kBoot, line.has_value()) << "round " << round;
      EXPECT_EQ(decision.command_line, line.value_or("")) << "round " << round;
      if (!line.has_value()) continue;
      const std::string distro = NaiveDistro(model, host);
      ++(distro == "memtest" ? declared : distro == "chained" ? chained : booted);
      ASSERT_EQ(decision.declared != nullptr, model.declared.count(distro) > 0);
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(booted, 800);
  EXPECT_GT(declared, 50);
  EXPECT_GT(chained, 200);
}

}  // namespace
}  // namespace autopxe
