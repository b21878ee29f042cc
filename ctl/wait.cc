#include "ctl/wait.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/model/quote.h"
#include "common/runtime/clock.h"
#include "common/status/status_macros.h"

namespace autopxe::ctl {

std::string WhoLacks(const v1::ListAgentsResponse& agents, const v1::RevisionId& revision) {
  for (const v1::Agent& agent : agents.agents()) {
    if (!agent.connected()) continue;
    // A lag of -1: its revision's number says nothing, as it is another server's.
    const int64_t applied = agent.status().applied().number();
    if (agent.lag() >= 0 && applied >= revision.number()) continue;
    return absl::StrCat("agent ", Quote(agent.id()), " serves ",
                        agent.lag() < 0 ? "another server's revision " : "revision ", applied);
  }
  return "";
}

absl::Status WaitUntilServed(Client& client, const v1::RevisionId& revision, absl::Duration limit,
                             const std::function<void(absl::string_view)>& warn) {
  const SystemClock clock;
  const absl::Duration end = clock.Monotonic() + limit;
  absl::Duration pause = absl::Milliseconds(50);
  while (true) {
    ASSIGN_OR_RETURN(const v1::ListAgentsResponse agents, client.ListAgents());
    if (std::none_of(agents.agents().begin(), agents.agents().end(),
                     [](const v1::Agent& agent) { return agent.connected(); })) {
      warn("no agent is connected: nobody serves it yet");
      return absl::OkStatus();
    }
    const std::string who = WhoLacks(agents, revision);
    if (who.empty()) return absl::OkStatus();
    if (clock.Monotonic() >= end) {
      return absl::DeadlineExceededError(
          absl::StrCat("revision ", revision.number(), " is accepted, but after ",
                       absl::FormatDuration(limit), " ", who, "; see autopxectl agent list"));
    }
    absl::SleepFor(std::min(pause, std::max(end - clock.Monotonic(), absl::ZeroDuration())));
    pause = std::min(pause * 2, absl::Seconds(1));
  }
}

}  // namespace autopxe::ctl
