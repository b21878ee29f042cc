#include "server/services/explanation.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "boot/boot_files.h"
#include "boot/command_line.h"
#include "boot/command_line_words.h"
#include "boot/resolution.h"
#include "common/model/quote.h"
#include "common/wire/revision_wire.h"
#include "common/wire/time_wire.h"
#include "server/services/decision_encoding.h"
#include "server/services/explained_script.h"
#include "server/services/verdict.h"

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

// Where what a reference became comes from.
v1::DecisionVariable EncodeReference(const ResolvedReference& reference, const Decision& decision) {
  v1::DecisionVariable variable;
  variable.set_name(reference.name);
  variable.set_value(reference.value);
  switch (reference.source) {
    case ResolvedReference::Source::kIpxe:
      variable.set_origin(v1::VARIABLE_ORIGIN_IPXE);
      break;
    case ResolvedReference::Source::kDefault:
      variable.set_origin(v1::VARIABLE_ORIGIN_TEMPLATE);
      break;
    case ResolvedReference::Source::kVariable: {
      const Decision::Variable& found = decision.variables.at(reference.name);
      variable.set_origin(EncodeOrigin(found.origin));
      variable.set_group(found.group);
      break;
    }
  }
  return variable;
}

// Each once, also those that no word shows since they are empty.
void AddVariables(const CommandLineTemplate& command_line,
                  absl::FunctionRef<const std::string*(absl::string_view)> value_of,
                  const Decision& decision, v1::ExplainResponse& response) {
  std::map<std::pair<std::string, std::string>, v1::DecisionVariable> variables;
  for (const CommandLineTemplate::Piece& piece : command_line.pieces()) {
    if (!piece.is_reference || IsLeftToIpxe(piece.text)) continue;
    const ResolvedReference reference = ResolveReference(piece, value_of);
    variables.emplace(std::make_pair(reference.name, reference.value),
                      EncodeReference(reference, decision));
  }
  for (auto& [name, variable] : variables) *response.add_variables() = std::move(variable);
}

// In front of the path by which a next boot's kernel is asked for, which uses it up.
std::string OncePath(const Decision& decision, const std::string& mac) {
  if (decision.distro_origin != DistroOrigin::kNextBoot) return "";
  return absl::StrCat("next/", absl::StrReplaceAll(mac, {{":", "-"}}), "/", decision.next_token,
                      "/");
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
    for (const ResolvedReference& reference : word.references) {
      *added.add_references() = EncodeReference(reference, decision);
    }
  }
  AddVariables(command_line, value_of, decision, response);
}

// REQUIRES: the outcome is kBoot, of a kernel of a catalog.
void AddKernel(const Snapshot& snapshot, const Catalog& catalog, const Decision& decision,
               v1::ExplainResponse& response) {
  const Distro& distro = decision.distro;
  AddCommandLine(snapshot.FindProfile(*ProfileName::Parse(distro.profile()))->command_line,
                 decision, response);
  const CatalogRelease& release = *catalog.FindRelease(distro.name(), distro.release());
  const CatalogKernel& kernel = *release.FindKernel(distro.kernel());
  const auto add_file = [&](const char* role, const std::string& once, const std::string& path,
                            int64_t size) {
    v1::BootFile& file = *response.add_files();
    file.set_role(role);
    file.set_path(absl::StrCat("/", once, BootFilePath(distro.name(), release, path)));
    file.set_size(size);
  };
  add_file("kernel", OncePath(decision, response.decision().mac()), kernel.kernel_path,
           kernel.kernel_size);
  add_file("initrd", "", kernel.initrd_path, kernel.initrd_size);
}

// What is booted of a declared distro. The kernel, or what is chained, is what uses a next boot up;
// of a URL the agent is told by a path of its own.
void AddDeclared(const DeclaredDistro& declared, const Catalog& catalog, const Decision& decision,
                 v1::ExplainResponse& response) {
  const std::string once = OncePath(decision, response.decision().mac());
  const auto add_file = [&](const char* role, const BootFile& file, absl::string_view before) {
    v1::BootFile& added = *response.add_files();
    added.set_role(role);
    if (file.is_url()) {
      added.set_path(file.text());
      return;
    }
    added.set_path(absl::StrCat("/", before, BootFilePath(file)));
    const CatalogFile* const catalogued = catalog.FindFile(file.text());
    if (catalogued != nullptr) added.set_size(catalogued->size);
  };
  if (const auto* chain = std::get_if<DeclaredChain>(&declared.boot)) {
    add_file("chain", chain->target, once);
    return;
  }
  const auto& kernel = std::get<DeclaredKernel>(declared.boot);
  AddCommandLine(kernel.arguments, decision, response);
  add_file("kernel", kernel.kernel, once);
  for (const BootFile& initrd : kernel.initrds) add_file("initrd", initrd, "");
}

// A next boot that was one too many is over, but explains what was seen.
void AddUsedTwice(const std::vector<NextBootUse>& uses, v1::ExplainResponse& response) {
  if (uses.empty()) return;
  std::vector<std::string> places;
  for (const NextBootUse& use : uses) {
    places.push_back(
        absl::StrCat("at agent ", Quote(use.agent.text()), " at ", TimeText(use.time)));
  }
  const std::string& distro = uses.front().distro;
  response.add_sentences(absl::StrCat(
      "it used one next boot", distro.empty() ? "" : absl::StrCat(" of ", distro), " ", uses.size(),
      " times, since these agents had not heard of each other: ", absl::StrJoin(places, ", ")));
}

// How the agent stands, and by which revision this is said.
void AddAgent(const Snapshot& snapshot, const ExplainedAgent& agent, absl::Time now,
              v1::ExplainResponse& response) {
  const AgentRegistry::Entry& entry = agent.entry;
  response.set_agent_state(agent.condition.state);
  response.set_agent_connected(entry.watches > 0);
  *response.mutable_agent_last_seen() = ToProto(entry.last_seen);
  response.set_has_catalog(agent.catalog != nullptr);
  if (entry.catalog_at.has_value()) *response.mutable_catalog_time() = ToProto(*entry.catalog_at);
  *response.mutable_agent_revision() =
      ToProto(entry.status.has_value() ? entry.status->applied : RevisionId());
  *response.mutable_revision() = ToProto(snapshot.revision().id);
  *response.mutable_time() = ToProto(now);
}

}  // namespace

v1::ExplainResponse BuildExplanation(const Snapshot& snapshot, const ExplainedAgent& agent,
                                     const HostQuestion& question,
                                     const std::vector<NextBootUse>& used_twice, absl::Time now) {
  v1::ExplainResponse response;
  const AgentId& id = agent.entry.id;
  ExplainedScript script = BuildExplainedScript(snapshot, agent, question, now);
  const Decision& decision = script.decision;
  *response.mutable_decision() =
      BuildDecision(snapshot, agent.entry, agent.catalog.get(), question, now);
  response.set_script(std::move(script.script));
  for (std::string& doubt : script.doubts) response.add_script_doubts(std::move(doubt));
  response.set_asked_at(
      FindAskedAddress(agent.entry, question).value_or(StandInAddress()).Format());
  AddAgent(snapshot, agent, now, response);

  const std::shared_ptr<const Host> host = snapshot.FindHost(question.mac);
  const ChosenDistro chosen = ChooseDistro(snapshot, &id, host.get(), now);
  const std::string subject = absl::StrCat(decision.known ? "host " : "mac ", Quote(decision.host));
  response.add_sentences(absl::StrCat(subject, " boots ", decision.distro.Format(), ": ",
                                      Why(snapshot, id, host.get(), chosen)));
  if (host != nullptr) AddPassedOver(snapshot, id, *host, chosen, now, response);
  AddUsedTwice(used_twice, response);
  if (decision.outcome == Outcome::kBoot && decision.declared != nullptr) {
    AddDeclared(*decision.declared, CatalogOrNothing(agent.catalog.get()), decision, response);
  } else if (decision.outcome == Outcome::kBoot) {
    AddKernel(snapshot, *agent.catalog, decision, response);
  }
  const std::vector<std::string>& reasons = agent.condition.reasons;
  for (auto reason = reasons.rbegin(); reason != reasons.rend(); ++reason) {
    response.add_sentences(absl::StrCat("agent ", Quote(id.text()), ": ", *reason));
  }
  if (!response.decision().missing().empty()) response.add_sentences(decision.missing);

  const Finding finding = JudgeBoot(snapshot, response.decision(), agent, now);
  response.set_verdict(finding.verdict);
  response.set_advice(finding.advice);
  return response;
}

}  // namespace autopxe::server
