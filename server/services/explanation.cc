#include "server/services/explanation.h"

#include <map>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "boot/boot.h"
#include "boot/boot_files.h"
#include "boot/command_line.h"
#include "boot/command_line_words.h"
#include "boot/resolution.h"
#include "common/model/quote.h"
#include "server/services/decision_encoding.h"

namespace autopxe::server {
namespace {

std::string TimeText(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

std::string WordsOf(const Group& group) {
  return absl::StrCat("group ", Quote(group.name.text()), " (priority ", group.priority, ")");
}

// "group "gpu" (priority 10) says so": why a host gets a distro.
std::string Why(const Snapshot& snapshot, const AgentId& agent, const Host* host,
                const ChosenDistro& chosen) {
  switch (chosen.origin) {
    case DistroOrigin::kNextBoot:
      return "it is assigned to its next boot only";
    case DistroOrigin::kTimed:
      return absl::StrCat("it is assigned to it until ", TimeText(host->timed->until));
    case DistroOrigin::kHost:
      return "it is assigned to it";
    case DistroOrigin::kGroup:
      for (const std::shared_ptr<const Group>& group : snapshot.groups()) {
        if (group->name.text() == chosen.group) return absl::StrCat(WordsOf(*group), " says so");
      }
      break;
    case DistroOrigin::kAgentDefault:
      return absl::StrCat("nothing is assigned, and it is the default of agent ",
                          Quote(agent.text()));
    case DistroOrigin::kDefault:
      return "nothing is assigned, and it is the default";
    case DistroOrigin::kUnknownHosts:
      return "nobody has named it, and the setting unknown-hosts says so";
    case DistroOrigin::kNothing:
      return "nothing is assigned, and there is no default";
  }
  return "";
}

// Of a host that somebody has named: what else there is that would say what it boots.
void AddPassedOver(const Snapshot& snapshot, const AgentId& agent, const Host& host,
                   const ChosenDistro& chosen, absl::Time now, v1::ExplainResponse& response) {
  if (chosen.origin == DistroOrigin::kNextBoot || chosen.origin == DistroOrigin::kTimed) {
    Host then = host;
    then.next.reset();
    if (chosen.origin == DistroOrigin::kTimed) then.timed.reset();
    const ChosenDistro next = ChooseDistro(snapshot, &agent, &then, now);
    response.add_sentences(absl::StrCat("after that it boots ", next.distro.Format(), ": ",
                                        Why(snapshot, agent, &then, next)));
  }
  if (host.timed.has_value() && host.timed->until <= now) {
    response.add_sentences(absl::StrCat("its assignment to ", host.timed->distro.Format(),
                                        " ended at ", TimeText(host.timed->until)));
  }
  for (const std::shared_ptr<const Group>& group : snapshot.groups()) {
    if (!group->distro.has_value() || !group->selector.Matches(host.labels)) continue;
    if (chosen.origin == DistroOrigin::kGroup && group->name.text() == chosen.group) continue;
    response.add_sentences(absl::StrCat(WordsOf(*group), " says ", group->distro->Format(),
                                        ", but what is above wins"));
  }
  if (host.locked) {
    response.add_sentences("it is locked: what it boots is changed with --force only");
  }
}

// Where each word of the command line comes from that `command_line` becomes.
void AddCommandLine(const CommandLineTemplate& command_line, const Decision& decision,
                    v1::ExplainResponse& response) {
  const auto value_of = [&](absl::string_view name) -> const std::string* {
    const auto found = decision.variables.find(std::string(name));
    return found == decision.variables.end() ? nullptr : &found->second.value;
  };
  for (CommandLineWord& word : SplitCommandLine(command_line, value_of)) {
    v1::CommandLineWord& added = *response.add_command_line_words();
    added.set_text(std::move(word.text));
    added.set_template_text(std::move(word.template_text));
  }

  std::map<std::string, v1::DecisionVariable> variables;
  for (const CommandLineTemplate::Piece& piece : command_line.pieces()) {
    if (!piece.is_reference || IsLeftToIpxe(piece.text)) continue;
    const std::string& value = PieceText(piece, value_of);
    v1::DecisionVariable variable;
    variable.set_name(piece.text);
    variable.set_value(value);
    const auto found = decision.variables.find(piece.text);
    if (found == decision.variables.end() || found->second.value != value) {
      variable.set_origin(v1::VARIABLE_ORIGIN_TEMPLATE);
    } else {
      variable.set_origin(EncodeOrigin(found->second.origin));
      variable.set_group(found->second.group);
    }
    variables.emplace(piece.text, std::move(variable));
  }
  for (auto& [name, variable] : variables) *response.add_variables() = std::move(variable);
}

// REQUIRES: the outcome is kBoot, of a kernel of a catalog.
void AddKernel(const Snapshot& snapshot, const Catalog& catalog, const Decision& decision,
               v1::ExplainResponse& response) {
  const Distro& distro = decision.distro;
  AddCommandLine(snapshot.FindProfile(*ProfileName::Parse(distro.profile()))->command_line,
                 decision, response);
  const CatalogRelease& release = *catalog.FindRelease(distro.name(), distro.release());
  const CatalogKernel& kernel = *release.FindKernel(distro.kernel());
  const auto add_file = [&](const char* role, const std::string& path, int64_t size) {
    v1::BootFile& file = *response.add_files();
    file.set_role(role);
    file.set_path(absl::StrCat("/", BootFilePath(distro.name(), release, path)));
    file.set_size(size);
  };
  add_file("kernel", kernel.kernel_path, kernel.kernel_size);
  add_file("initrd", kernel.initrd_path, kernel.initrd_size);
}

// What is booted of a declared distro.
void AddDeclared(const DeclaredDistro& declared, const Catalog& catalog, const Decision& decision,
                 v1::ExplainResponse& response) {
  const auto add_file = [&](const char* role, const BootFile& file) {
    v1::BootFile& added = *response.add_files();
    added.set_role(role);
    if (file.is_url()) {
      added.set_path(file.text());
      return;
    }
    added.set_path(absl::StrCat("/", BootFilePath(file)));
    const CatalogFile* const catalogued = catalog.FindFile(file.text());
    if (catalogued != nullptr) added.set_size(catalogued->size);
  };
  if (const auto* chain = std::get_if<DeclaredChain>(&declared.boot)) {
    add_file("chain", chain->target);
    return;
  }
  const auto& kernel = std::get<DeclaredKernel>(declared.boot);
  AddCommandLine(kernel.arguments, decision, response);
  add_file("kernel", kernel.kernel);
  for (const BootFile& initrd : kernel.initrds) add_file("initrd", initrd);
}

// A verdict with what to do.
struct Finding {
  v1::Verdict verdict = v1::VERDICT_GOOD;
  std::string advice;
};

// What the agent's state says of whether it does as the server's configuration says.
Finding JudgeAgent(const AgentId& agent, v1::AgentState state) {
  const std::string who = absl::StrCat("agent ", Quote(agent.text()));
  switch (state) {
    case v1::AGENT_STATE_EMPTY:
      return {v1::VERDICT_BAD,
              absl::StrCat(who, " has no configuration yet: see that it reaches this server")};
    case v1::AGENT_STATE_FOREIGN:
      return {v1::VERDICT_DOUBTFUL,
              absl::StrCat(who,
                           " serves a configuration that is not this server's: see "
                           "autopxectl agent list")};
    case v1::AGENT_STATE_AWAY:
      return {v1::VERDICT_DOUBTFUL,
              absl::StrCat(who,
                           " is away, and hosts boot what it knew last: see that it runs "
                           "and reaches this server")};
    case v1::AGENT_STATE_BEHIND:
      return {v1::VERDICT_DOUBTFUL,
              absl::StrCat(who,
                           " does not serve the newest revision yet: wait a moment, and "
                           "explain again")};
    default:
      return {};
  }
}

Finding JudgeDecision(const Decision& decision) {
  const std::string assign = absl::StrCat("autopxectl assign ", decision.host, " DISTRO");
  if (decision.outcome == Outcome::kMissing) {
    return {v1::VERDICT_BAD,
            absl::StrCat("see to what is missing, or assign what is there: ", assign)};
  }
  if (decision.distro_origin == DistroOrigin::kNothing ||
      (decision.distro_origin == DistroOrigin::kDefault && !decision.known)) {
    return {v1::VERDICT_DOUBTFUL, absl::StrCat("assign what it is to boot: ", assign)};
  }
  return {};
}

}  // namespace

AgentContext BuildAgentContext(const AgentId& id, const AgentStatus* status) {
  AgentContext context{
      .id = id, .rootfs_folder = "", .advertise = {}, .http_port = 0, .tftp_port = 0};
  if (status == nullptr) return context;
  context.rootfs_folder = status->rootfs_folder;
  context.advertise = status->advertise;
  if (status->http_address.has_value()) context.http_port = status->http_address->port;
  if (status->tftp_address.has_value()) context.tftp_port = status->tftp_address->port;
  return context;
}

HostFacts BuildHostFacts(const MacAddress& mac, const AgentContext& agent,
                         const AgentStatus* status, bool by_http) {
  IpAddress asked_at = IpAddress::FromV4({0, 0, 0, 0});
  if (agent.advertise.has_value()) {
    asked_at = *agent.advertise;
  } else if (status != nullptr) {
    const absl::optional<IpEndpoint>& first = by_http ? status->http_address : status->tftp_address;
    const absl::optional<IpEndpoint>& other = by_http ? status->tftp_address : status->http_address;
    if (first.has_value()) {
      asked_at = first->address;
    } else if (other.has_value()) {
      asked_at = other->address;
    }
  }
  return {.mac = mac,
          .transport = by_http ? Transport::kHttp : Transport::kTftp,
          .stage = Stage::kStart,
          .asked_at = asked_at,
          .platform = Platform::kUnknown,
          .build_arch = ""};
}

v1::ExplainResponse BuildExplanation(const Snapshot& snapshot, const Catalog& catalog,
                                     const AgentContext& agent, const HostFacts& facts,
                                     const AgentCondition& condition, absl::Time now) {
  v1::ExplainResponse response;
  BootAnswer answer = Boot(snapshot, catalog, agent, facts, now);
  const Decision& decision = answer.decision;
  *response.mutable_decision() = EncodeDecision(decision, facts.mac, agent.id);
  response.set_script(std::move(answer.script));
  response.set_agent_state(condition.state);

  const std::shared_ptr<const Host> host = snapshot.FindHost(facts.mac);
  const ChosenDistro chosen = ChooseDistro(snapshot, &agent.id, host.get(), now);
  const std::string subject = absl::StrCat(decision.known ? "host " : "mac ", Quote(decision.host));
  response.add_sentences(absl::StrCat(subject, " boots ", decision.distro.Format(), ": ",
                                      Why(snapshot, agent.id, host.get(), chosen)));
  if (host != nullptr) AddPassedOver(snapshot, agent.id, *host, chosen, now, response);
  if (decision.outcome == Outcome::kBoot) {
    if (decision.declared != nullptr) {
      AddDeclared(*decision.declared, catalog, decision, response);
    } else {
      AddKernel(snapshot, catalog, decision, response);
    }
  }
  for (auto reason = condition.reasons.rbegin(); reason != condition.reasons.rend(); ++reason) {
    response.add_sentences(absl::StrCat("agent ", Quote(agent.id.text()), ": ", *reason));
  }
  if (!decision.missing.empty()) response.add_sentences(decision.missing);

  Finding finding = JudgeDecision(decision);
  const Finding of_agent = JudgeAgent(agent.id, condition.state);
  if (of_agent.verdict > finding.verdict) finding = of_agent;
  response.set_verdict(finding.verdict);
  response.set_advice(finding.advice);
  return response;
}

}  // namespace autopxe::server
