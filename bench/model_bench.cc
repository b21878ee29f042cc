// How the cost of a boot's decision, of one assignment and of a whole configuration grows with the
// number of hosts. Prints a table; what matters is that the first two columns do not grow.
//
//   bazel run --config=opt //bench:model_bench

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/sync/snapshot_encoding.h"
#include "boot/boot.h"
#include "boot/sample.h"
#include "common/model/snapshot.h"
#include "common/wire/snapshot_wire.h"

namespace autopxe {
namespace {

constexpr int kGroups = 60;
constexpr int kRounds = 5;

absl::Duration CpuTime() {
  timespec now;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0) std::abort();
  return absl::DurationFromTimespec(now);
}

// The CPU time of one call: the median of some rounds of `calls`.
absl::Duration CostOf(int calls, absl::FunctionRef<void()> call) {
  std::vector<absl::Duration> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const absl::Duration begin = CpuTime();
    for (int i = 0; i < calls; ++i) call();
    rounds.push_back((CpuTime() - begin) / calls);
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[kRounds / 2];
}

// The CPU time of one call that makes something large; what it takes to free that is not counted.
template <typename Call>
absl::Duration CostOfOne(Call call) {
  std::vector<absl::Duration> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const absl::Duration begin = CpuTime();
    const auto made = call();
    rounds.push_back(CpuTime() - begin);
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[kRounds / 2];
}

MacAddress MacOf(int host) { return MacAddress::FromNumber(0x525400000000 + host); }

// A cluster: hosts in racks of 40, with labels, in sixty groups of which a host matches a few.
std::shared_ptr<const Snapshot> BuildCluster(int hosts) {
  Sample sample;
  Snapshot::Groups groups;
  for (int i = 0; i < kGroups; ++i) {
    Group group{.name = *GroupName::Parse(absl::StrCat("g", i)),
                .selector = *Selector::Parse(
                    i % 3 == 0 ? absl::StrCat("rack=r", i)
                               : absl::StrCat("gpu!=none,rack in (r", i, ",r", i + 1, ")")),
                .priority = i};
    if (i % 2 == 0) group.distro = *Distro::Parse("debian/bookworm/latest/nfsrw");
    group.variables = VariablesOf({{absl::StrCat("v", i % 5), absl::StrCat("x", i)}});
    groups.push_back(std::make_shared<const Group>(std::move(group)));
  }
  std::vector<std::shared_ptr<const Host>> all;
  for (int i = 0; i < hosts; ++i) {
    Host host{
        .id = HostId{i + 1},
        .name = *HostName::Parse(absl::StrCat("cn", i)),
        .macs = {MacOf(i)},
        .labels = {{*LabelKey::Parse("rack"),
                    *LabelValue::Parse(absl::StrCat("r", i / 40 % kGroups))},
                   {*LabelKey::Parse("gpu"), *LabelValue::Parse(i % 4 == 0 ? "a100" : "none")}},
        .variables = VariablesOf({{"console", absl::StrCat("ttyS", i % 4)},
                                  {"serial-number", absl::StrCat("CZJ", 1'000'000 + i)}}),
        .etag = 1};
    if (i % 3 == 0) host.distro = *Distro::Parse("debian/bookworm/latest/overlayfs");
    all.push_back(std::make_shared<const Host>(std::move(host)));
  }
  std::vector<Profile> profiles;
  for (const auto& [name, text] : sample.profiles) {
    profiles.push_back({*ProfileName::Parse(name), *CommandLineTemplate::Parse(text)});
  }
  return Snapshot::Create(Revision{{1, 1}}, sample.settings, std::move(profiles), all, {}, groups)
      .value();
}

void Measure(int hosts) {
  const Sample sample;
  const std::shared_ptr<const Snapshot> snapshot = BuildCluster(hosts);
  std::mt19937 random(1);
  const auto facts = [&] {
    HostFacts result = FactsOf("525400000000", Transport::kHttp);
    result.mac = MacOf(static_cast<int>(random() % static_cast<unsigned>(hosts)));
    return result;
  };
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);

  const absl::Duration decision = CostOf(20'000, [&] {
    if (Decide(*snapshot, sample.catalog, sample.agent, facts(), now).host.empty()) std::abort();
  });
  const absl::Duration script = CostOf(2'000, [&] {
    if (Boot(*snapshot, sample.catalog, sample.agent, facts(), now).script.empty()) std::abort();
  });
  const absl::Duration assign = CostOf(2'000, [&] {
    Host host =
        *snapshot->FindHost(MacOf(static_cast<int>(random() % static_cast<unsigned>(hosts))));
    host.distro = *Distro::Parse("debian/bookworm/latest/nfsrw");
    Change change;
    change.base = snapshot->revision().id;
    change.revision = Revision{{2, 2}};
    change.hosts = {std::make_shared<const Host>(std::move(host))};
    if (!Apply(*snapshot, change).ok()) std::abort();
  });
  const absl::Duration send = CostOfOne([&] { return ToProto(*snapshot); });
  const std::vector<v1::SnapshotPart> parts = ToProto(*snapshot);
  const absl::Duration receive = CostOfOne([&] {
    SnapshotAssembler assembler;
    absl::optional<std::shared_ptr<const Snapshot>> whole;
    for (const v1::SnapshotPart& part : parts) whole = assembler.Add(part).value();
    return whole;
  });
  const std::string file = agent::EncodeSnapshot({snapshot, now});
  const absl::Duration load = CostOfOne([&] { return agent::DecodeSnapshot(file).value(); });
  const absl::Duration save = CostOfOne([&] { return agent::EncodeSnapshot({snapshot, now}); });
  std::printf("%9d  %9.1f  %9.1f  %9.1f  %9.0f  %9.0f  %9.0f  %9.0f  %8.1f\n", hosts,
              absl::ToDoubleMicroseconds(decision), absl::ToDoubleMicroseconds(script),
              absl::ToDoubleMicroseconds(assign), absl::ToDoubleMilliseconds(send),
              absl::ToDoubleMilliseconds(receive), absl::ToDoubleMilliseconds(load),
              absl::ToDoubleMilliseconds(save), static_cast<double>(file.size()) / 1e6);
}

}  // namespace
}  // namespace autopxe

int main() {
  std::printf("CPU time, %d groups, each the median of %d rounds\n\n", autopxe::kGroups,
              autopxe::kRounds);
  std::printf(
      "    hosts   decision     script     assign       send    receive       load       save      "
      "file\n");
  std::printf(
      "                  us         us         us         ms         ms         ms         ms      "
      "  MB\n");
  for (const int hosts : {10, 5'000, 100'000}) autopxe::Measure(hosts);
}
