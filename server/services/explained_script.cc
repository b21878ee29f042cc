#include "server/services/explained_script.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "boot/boot.h"
#include "common/model/age_text.h"
#include "common/model/quote.h"

namespace autopxe::server {
namespace {

std::string WordsOf(const ExplainedAgent& agent) {
  return absl::StrCat("agent ", Quote(agent.entry.id.text()));
}

// Whether the answer holds what the agent offers.
bool HoldsCatalog(Outcome outcome) {
  return outcome == Outcome::kBoot || outcome == Outcome::kMenu || outcome == Outcome::kMissing;
}

// The lines of `script` that are others in `other`, quoted.
std::vector<std::string> DifferentLines(absl::string_view script, absl::string_view other) {
  const std::vector<absl::string_view> lines = absl::StrSplit(script, '\n');
  const std::vector<absl::string_view> others = absl::StrSplit(other, '\n');
  std::vector<std::string> different;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i >= others.size() || lines[i] != others[i]) different.push_back(Quote(lines[i]));
  }
  return different;
}

// The address is not known: asks once more at another one, and tells what depends on it.
void AddAddressDoubt(const Snapshot& snapshot, const ExplainedAgent& agent,
                     const HostQuestion& question, absl::Time now, ExplainedScript& explained) {
  const HostFacts elsewhere = BuildHostFacts(question, IpAddress::FromV4({198, 51, 100, 1}));
  const BootAnswer other =
      Boot(snapshot, CatalogOrNothing(agent.catalog.get()), agent.context, elsewhere, now);
  const std::vector<std::string> lines = DifferentLines(explained.script, other.script);
  if (lines.empty()) return;
  explained.doubts.push_back(absl::StrCat(
      "the address in ", absl::StrJoin(lines, ", "),
      explained.decision.command_line == other.decision.command_line ? ""
                                                                     : " and in the command line",
      " is the one at which the host asks ", WordsOf(agent),
      ", which advertises none and does not listen on a single one: ", StandInAddress().Format(),
      " stands for it. Say which one it is (--asked-at), or give the agent --advertise"));
}

// An agent of an earlier version, or one that has reported no status.
void AddUnsaidDoubts(const Snapshot& snapshot, const ExplainedAgent& agent, bool by_http,
                     ExplainedScript& explained) {
  const AgentContext& context = agent.context;
  if (context.tftp_port == 0 || (!by_http && context.http_port == 0)) {
    explained.doubts.push_back(absl::StrCat(
        WordsOf(agent), " has not said its ports: where the script names it by an address, that ",
        "is left out here"));
  }
  const AgentSettings* const own = snapshot.FindAgentSettings(context.id);
  const bool has_prefix = snapshot.settings().rootfs_path_prefix.has_value() ||
                          (own != nullptr && own->rootfs_path_prefix.has_value());
  if (context.rootfs_folder.empty() && !has_prefix && HoldsCatalog(explained.decision.outcome)) {
    explained.doubts.push_back(absl::StrCat(
        WordsOf(agent), " has not said its rootfs folder, which rootfs-path begins with where no ",
        "rootfs-path-prefix is set"));
  }
}

void AddRevisionDoubt(const Snapshot& snapshot, const ExplainedAgent& agent,
                      ExplainedScript& explained) {
  if (agent.condition.state == v1::AGENT_STATE_EMPTY) {
    explained.doubts.push_back(
        absl::StrCat(WordsOf(agent), " has no configuration yet, and tells hosts so until it has"));
  } else if (agent.lag != 0) {
    explained.doubts.push_back(absl::StrCat("it is that of revision ",
                                            snapshot.revision().id.number, ", and ", WordsOf(agent),
                                            " has ", agent.entry.status->applied.number));
  }
}

void AddCatalogDoubt(const ExplainedAgent& agent, absl::Time now, ExplainedScript& explained) {
  if (!HoldsCatalog(explained.decision.outcome)) return;
  if (agent.catalog == nullptr) {
    explained.script.clear();
    explained.doubts.push_back(
        absl::StrCat(WordsOf(agent),
                     " has not told yet what it offers, so that its menu and its script are "
                     "not known"));
  } else if (agent.entry.watches == 0) {
    explained.doubts.push_back(
        absl::StrCat(WordsOf(agent), " may offer something else by now: it was last heard of ",
                     FormatAge(now - agent.entry.last_seen), " ago"));
  }
}

// An agent tells of a next boot that was used up when it next reaches the server.
void AddNextBootDoubt(const ExplainedAgent& agent, absl::Time now, ExplainedScript& explained) {
  if (explained.decision.distro_origin != DistroOrigin::kNextBoot) return;
  if (agent.entry.watches > 0) return;
  explained.doubts.push_back(absl::StrCat(
      WordsOf(agent), " may have let the host use its next boot up without having told: it was ",
      "last heard of ", FormatAge(now - agent.entry.last_seen), " ago"));
}

}  // namespace

ExplainedScript BuildExplainedScript(const Snapshot& snapshot, const ExplainedAgent& agent,
                                     const HostQuestion& question, absl::Time now) {
  const absl::optional<IpAddress> address = FindAskedAddress(agent.entry, question);
  BootAnswer answer = Boot(snapshot, CatalogOrNothing(agent.catalog.get()), agent.context,
                           BuildHostFacts(question, address.value_or(StandInAddress())), now);
  ExplainedScript explained{
      .decision = std::move(answer.decision), .script = std::move(answer.script), .doubts = {}};
  AddRevisionDoubt(snapshot, agent, explained);
  if (explained.decision.outcome == Outcome::kIgnore) return explained;
  if (!address.has_value()) AddAddressDoubt(snapshot, agent, question, now, explained);
  AddUnsaidDoubts(snapshot, agent, question.by_http, explained);
  AddCatalogDoubt(agent, now, explained);
  AddNextBootDoubt(agent, now, explained);
  return explained;
}

}  // namespace autopxe::server
