#include "server/services/verdict.h"

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/boot_files.h"
#include "common/model/age_text.h"
#include "common/model/name.h"
#include "common/model/quote.h"

namespace autopxe::server {
namespace {

std::string WordsOf(const ExplainedAgent& agent) {
  return absl::StrCat("agent ", Quote(agent.entry.id.text()));
}

constexpr char kSeeThatItRuns[] = "see that it runs and reaches this server";

Finding JudgeMissing(const Snapshot& snapshot, const v1::Decision& decision,
                     const ExplainedAgent& agent) {
  const std::string assign = absl::StrCat("autopxectl assign ", decision.host(), " DISTRO");
  bool lacks_kernel = agent.catalog->KernelCount() == 0;
  if (lacks_kernel && !absl::StrContains(decision.distro(), '/')) {
    // A declared one needs none of the kernels that agents find.
    const absl::StatusOr<DistroName> name = DistroName::Parse(decision.distro());
    const auto declared = name.ok() ? snapshot.FindDeclaredDistro(*name) : nullptr;
    if (declared == nullptr || FindMissingFile(*declared, *agent.catalog) != nullptr) {
      return {v1::VERDICT_BAD,
              absl::StrCat("declare it, or put its files into the folder of files of ",
                           WordsOf(agent), ", or assign something else: ", assign)};
    }
    lacks_kernel = false;  // It is a variable.
  }
  if (!lacks_kernel) {
    return {v1::VERDICT_BAD,
            absl::StrCat("see to what is missing, or assign what is there: ", assign)};
  }
  const std::string& folder = agent.context.rootfs_folder;
  return {v1::VERDICT_BAD, absl::StrCat(WordsOf(agent), " offers no kernel at all: put a release ",
                                        "into its rootfs folder", folder.empty() ? "" : " ", folder,
                                        ", or assign what needs none: ", assign)};
}

Finding JudgeDecision(const Snapshot& snapshot, const v1::Decision& decision,
                      const ExplainedAgent& agent) {
  switch (decision.outcome()) {
    case v1::OUTCOME_UNSPECIFIED:
      return {v1::VERDICT_DOUBTFUL,
              absl::StrCat(
                  WordsOf(agent), " has not told yet what it offers, so nobody knows ",
                  "whether it can boot ", decision.distro(), ": ",
                  agent.entry.watches == 0 ? kSeeThatItRuns : "wait a moment, and explain again")};
    case v1::OUTCOME_MISSING:
      return JudgeMissing(snapshot, decision, agent);
    default:
      break;
  }
  const bool is_unmeant =
      decision.distro_origin() == v1::DISTRO_ORIGIN_NOTHING ||
      (decision.distro_origin() == v1::DISTRO_ORIGIN_DEFAULT && !decision.known());
  if (!is_unmeant) return {};
  return {v1::VERDICT_DOUBTFUL, absl::StrCat("assign what it is to boot: autopxectl assign ",
                                             decision.host(), " DISTRO")};
}

// "revision 16, and not 17, by which this is said".
std::string RevisionsOf(const Snapshot& snapshot, const ExplainedAgent& agent) {
  return absl::StrCat("revision ", agent.entry.status->applied.number, ", and not ",
                      snapshot.revision().id.number, ", by which this is said");
}

Finding JudgeAway(const Snapshot& snapshot, const ExplainedAgent& agent, absl::Time now) {
  const std::string since = absl::StrCat(WordsOf(agent), " is not connected, last heard of ",
                                         FormatAge(now - agent.entry.last_seen), " ago");
  const std::string has =
      agent.lag == 0 ? ", when it had this revision; hosts boot this if it still serves them: "
                     : absl::StrCat(" with ", RevisionsOf(snapshot, agent),
                                    "; hosts boot what it knew then: ");
  return {v1::VERDICT_DOUBTFUL, absl::StrCat(since, has, kSeeThatItRuns)};
}

Finding JudgeEmpty(const ExplainedAgent& agent, absl::Time now) {
  const std::string has_none = absl::StrCat(WordsOf(agent), " has no configuration yet");
  if (agent.entry.watches > 0) {
    return {v1::VERDICT_BAD, absl::StrCat(has_none, ": wait a moment, and explain again")};
  }
  return {v1::VERDICT_BAD,
          absl::StrCat(has_none, ", last heard of ", FormatAge(now - agent.entry.last_seen),
                       " ago: ", kSeeThatItRuns)};
}

// How what the agent serves stands to this configuration.
Finding JudgeState(const Snapshot& snapshot, const ExplainedAgent& agent, absl::Time now) {
  switch (agent.condition.state) {
    case v1::AGENT_STATE_EMPTY:
      return JudgeEmpty(agent, now);
    case v1::AGENT_STATE_FOREIGN:
      return {
          v1::VERDICT_DOUBTFUL,
          absl::StrCat(WordsOf(agent), " serves revision ", agent.entry.status->applied.Format(),
                       ", which is not this server's: see autopxectl agent list")};
    case v1::AGENT_STATE_AWAY:
      return JudgeAway(snapshot, agent, now);
    case v1::AGENT_STATE_BEHIND:
      return {v1::VERDICT_DOUBTFUL,
              absl::StrCat(WordsOf(agent), " has ", RevisionsOf(snapshot, agent),
                           ": wait a moment, and explain again")};
    default:
      return {};
  }
}

// What the agent says of itself, and of whom it is said.
Finding JudgeReports(const ExplainedAgent& agent) {
  Finding finding;
  if (agent.entry.watches > 1) {
    finding = Join(finding, {v1::VERDICT_DOUBTFUL,
                             absl::StrCat(agent.entry.watches, " agents run under the id ",
                                          Quote(agent.entry.id.text()),
                                          ", and this is of whichever reported last: give each an ",
                                          "id of its own")});
  }
  if (!agent.entry.status.has_value()) return finding;
  for (const std::string& problem : agent.entry.status->problems) {
    finding = Join(finding, {v1::VERDICT_DOUBTFUL,
                             absl::StrCat("see to what ", WordsOf(agent), " reports: ", problem)});
  }
  return finding;
}

}  // namespace

Finding Join(const Finding& one, const Finding& other) {
  const bool is_one_graver = one.verdict >= other.verdict;
  const Finding& first = is_one_graver ? one : other;
  const Finding& second = is_one_graver ? other : one;
  if (first.advice.empty() || second.advice.empty()) {
    return {first.verdict, absl::StrCat(first.advice, second.advice)};
  }
  return {first.verdict, absl::StrCat(first.advice, "; besides, ", second.advice)};
}

Finding JudgeBoot(const Snapshot& snapshot, const v1::Decision& decision,
                  const ExplainedAgent& agent, absl::Time now) {
  return Join(Join(JudgeDecision(snapshot, decision, agent), JudgeState(snapshot, agent, now)),
              JudgeReports(agent));
}

}  // namespace autopxe::server
