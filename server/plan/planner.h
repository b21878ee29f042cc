#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/model/mutation.h"
#include "common/model/snapshot.h"
#include "common/status/problem.h"
#include "server/plan/catalogs.h"
#include "server/plan/distro_check.h"
#include "server/plan/overlay.h"
#include "server/plan/plan.h"
#include "server/plan/template_owner.h"
#include "server/plan/variable_check.h"

namespace autopxe::server {

// More closest matches would hide the message.
inline constexpr size_t kMaxSuggestions = 3;

// One batch on its way through.
class Planner {
 public:
  // The arguments are BuildPlan's, and must outlive it.
  Planner(const Snapshot& snapshot, const Catalogs& catalogs, HostId next_host_id, absl::Time now)
      : snapshot_(snapshot),
        catalogs_(catalogs),
        now_(now),
        overlay_(snapshot, next_host_id, now),
        distro_check_(catalogs) {}

  std::variant<Plan, Refusal> Build(const Batch& batch);

 private:
  void CheckEtag(const ExpectedEtag& expected);

  // Takes `mac` away from the host that has it, if that isn't `receiver` and a mutation that is
  // still to come takes it away anyway: so hosts can swap their MACs.
  void TakeEarly(const MacAddress& mac, absl::optional<HostId> receiver);
  // The host's MACs, ascending, with those that were taken so and are still to be taken away.
  std::vector<MacAddress> WithTakenEarly(const Host& host) const;
  // Notes each MAC that was taken so and that no mutation then took away.
  void CheckTakenEarly();

  void Take(const Assign& assign);
  void Take(const Unassign& unassign);
  void Take(const CreateHost& create);
  void Take(const UpdateHost& update);
  void Take(const DeleteHost& remove);
  void Take(const UseNextBoot& use);
  void Take(const SetGroup& set);
  void Take(const DeleteGroup& remove);
  void Take(const SetProfile& set);
  void Take(const DeleteProfile& remove);
  void Take(const DeclareDistro& declare);
  void Take(const DeleteDeclaredDistro& remove);
  void Take(const UpdateSettings& update);
  void Take(const UpdateAgentSettings& update);

  // Whether a distro can be set: notes a problem, or a warning if it is allowed to be missing; of
  // `host`, if it is one that is to boot it.
  bool CheckDistro(DistroCheck& check, const Distro& distro, bool allow_missing,
                   absl::string_view field, const HostName* host = nullptr);
  // The check for what the hosts of one agent boot: by what it offers itself if it has told.
  DistroCheck& DistroCheckOf(const AgentId& agent);
  // Notes what is wrong with what updates of settings have in common.
  template <typename Update>
  void CheckCommonSettings(DistroCheck& check, const Update& update);
  // Takes the same over into `values`; `whose` follows "it was not set".
  template <typename Update, typename Values>
  void TakeCommonSettings(const Update& update, const std::string& whose, Values& values);
  void WarnIfUnknown(const AgentId& agent);
  // Notes what is wrong with a term.
  void CheckTerm(const Assign& assign);
  // `host` with the assignment.
  Host Assigned(Host host, const Assign& assign) const;
  // Notes what is wrong with the name that a host with these MACs is to have.
  void CheckName(const HostName& name, const std::vector<MacAddress>& macs, const Host* itself);
  // Notes what other hosts have of these MACs.
  void CheckMacs(const std::vector<MacAddress>& macs, const Host* itself);
  // Notes what is wrong with a template; whether nothing is.
  bool CheckOwnTemplate(const TemplateOwner& owner, const CommandLineTemplate& command_line);
  // Notes what is wrong with variables to set and to remove.
  void NoteVariables(const std::map<VariableName, VariableValue>& set,
                     const std::vector<VariableName>& unset);
  // Sets and removes variables; `whose` follows "it was not set", but for those of `host`. Notes a
  // problem if there are then more than `at_most`.
  void TakeVariables(const std::map<VariableName, VariableValue>& set,
                     const std::vector<VariableName>& unset, const std::string& whose,
                     size_t at_most, const HostName* host,
                     std::map<VariableName, VariableValue>& variables);
  // Notes each locked host that would boot something else in `after`.
  void CheckLocks(const Change& change, const Snapshot& after);
  // Notes each variable that a template needs and that hosts lack in `after`: a problem, unless
  // `force`, if the batch sets the template and it can reach no host that gets it, or if the batch
  // takes the variable from all that boot with it; else a warning.
  void CheckUnsetVariables(const Snapshot& after, bool force);
  // Notes each variable that hosts lack by `change`, but for those told of already: a problem,
  // unless `force`, if the batch takes it from all that boot with the template; else a warning.
  void CheckLackedVariables(const Change& change, const Snapshot& after, bool force);
  // Whether a host that could boot with the template got the variable before the batch.
  bool ReachedSomebody(const TemplateOwner& owner, const std::string& variable) const;
  // Warns of each group whose selector the batch sets and that matches no host in `after`; of a
  // bounded number where there are many hosts.
  void WarnOfEmptyGroups(const Snapshot& after);
  // What takes a variable away.
  struct Loss {
    int position;  // Of the mutation.
    std::string field;
    std::string value;
  };
  void RefuseLoss(const Loss& loss, const UnsetVariable& unset);
  // The host, or null with a problem noted.
  const Host* RequireHost(const HostReference& reference);
  void Refuse(Reason reason, absl::string_view field, std::string value, std::string message,
              std::vector<std::string> suggestions = {});
  void Warn(std::string warning);
  // Warns of something that may be so for many hosts, in one sentence: `what` for host "cn01"; and
  // then `advice`, the same for each, if there is any.
  void WarnOfHost(std::string what, const HostName& host, std::string advice = "");
  // All that deserves attention: a bounded number of sentences.
  std::vector<std::string> TakeWarnings();
  // A message for all problems.
  Refusal BuildRefusal();

  const Snapshot& snapshot_;
  const Catalogs& catalogs_;
  const absl::Time now_;
  Overlay overlay_;
  DistroCheck distro_check_;
  std::map<AgentId, DistroCheck> agent_checks_;
  const Batch* batch_ = nullptr;
  int position_ = -1;  // Of the mutation that is being taken.
  // Positions of the mutations that take a MAC away; gathered when first asked for.
  absl::optional<std::map<MacAddress, std::vector<int>>> losses_;
  // What TakeEarly took from whom, and where it is to be taken away.
  std::map<std::pair<HostId, MacAddress>, int> taken_early_;
  std::vector<Problem> problems_;
  std::vector<std::string> warnings_;
  std::set<std::string> warned_;
  struct HostWarning {
    std::vector<std::string> hosts;
    std::string advice;
  };
  std::map<std::string, HostWarning> host_warnings_;  // By what is so for the hosts.
  std::vector<std::string> locked_;  // Hosts that CheckLocks found, also those of no problem.
  std::map<TemplateOwner, int> set_owners_;  // With the position of what set it last.
  std::set<GroupName> set_selectors_;
  std::map<std::string, Loss> unset_variables_;  // Not those of lost_variables_.
  // Of hosts' own, and of groups whose selector changes: who lacks them CheckLackedVariables sees.
  std::map<std::string, Loss> lost_variables_;
  std::set<HostId> used_next_boots_;
  int suggestions_left_ = 20;  // Comparing with every host's name is dear.
};

// "mac "52:54:00:12:34:56"", "host "web01"".
std::string Subject(const HostReference& reference);

}  // namespace autopxe::server
