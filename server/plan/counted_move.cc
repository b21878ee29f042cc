#include "server/plan/counted_move.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/model/agent_settings.h"
#include "common/model/distro.h"
#include "common/model/host.h"

namespace autopxe::server {
namespace {

// What hosts without an assignment boot at an agent.
const absl::optional<Distro>& DefaultDistro(const Snapshot& snapshot, const AgentId& agent) {
  const AgentSettings* const own = snapshot.FindAgentSettings(agent);
  if (own != nullptr && own->default_distro.has_value()) return own->default_distro;
  return snapshot.settings().default_distro;
}

}  // namespace

std::vector<CountedMove> CountHosts(const Snapshot& snapshot, const AgentId& agent,
                                    std::vector<KernelMove> moves) {
  std::vector<CountedMove> counted;
  if (moves.empty()) return counted;
  absl::flat_hash_map<std::string, int64_t> hosts;  // By the kernel's name, without a profile.
  for (const KernelMove& move : moves) hosts[move.Format()] = 0;
  const absl::optional<Distro>& fallback = DefaultDistro(snapshot, agent);
  snapshot.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    const absl::optional<Distro>& distro = host->distro.has_value() ? host->distro : fallback;
    if (!distro.has_value() || distro->kind() != Distro::Kind::kKernel) return;
    const auto found =
        hosts.find(absl::StrCat(distro->name(), "/", distro->release(), "/", distro->kernel()));
    if (found != hosts.end()) ++found->second;
  });
  counted.reserve(moves.size());
  for (KernelMove& move : moves) {
    const int64_t count = hosts.at(move.Format());
    counted.push_back({std::move(move), count});
  }
  return counted;
}

}  // namespace autopxe::server
