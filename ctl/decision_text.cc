#include "ctl/decision_text.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/model/age_text.h"
#include "ctl/agent_state_text.h"
#include "ctl/table.h"
#include "ctl/terminal_text.h"
#include "ctl/time_text.h"

namespace autopxe::ctl {
namespace {

std::string VerdictText(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_GOOD:
      return "good";
    case v1::VERDICT_DOUBTFUL:
      return "doubtful";
    case v1::VERDICT_BAD:
      return "bad";
    default:
      return "unknown";  // Of a later server.
  }
}

// What the host does, for the line of the verdict.
std::string DeedText(const v1::Decision& decision) {
  switch (decision.outcome()) {
    case v1::OUTCOME_BOOT:
      return absl::StrCat("boots ", decision.distro());
    case v1::OUTCOME_LOCAL:
      return "boots its local disk";
    case v1::OUTCOME_MENU:
      return "shows the menu and stays there";
    case v1::OUTCOME_WAIT:
      return "waits until something is assigned";
    case v1::OUTCOME_IGNORE:
      return "is not answered";
    case v1::OUTCOME_MISSING:
      return absl::StrCat("can't boot ", decision.distro());
    default:
      return decision.distro().empty() ? "boots nothing"
                                       : absl::StrCat("would boot ", decision.distro());
  }
}

// The names of the variables that a template refers to: "${console:-ttyS0}" to "console".
std::vector<absl::string_view> ReferencesOf(absl::string_view text) {
  std::vector<absl::string_view> names;
  for (size_t begin = text.find("${"); begin != absl::string_view::npos; begin = text.find("${")) {
    text.remove_prefix(begin + 2);
    const size_t end = text.find('}');
    if (end == absl::string_view::npos) break;
    const absl::string_view reference = text.substr(0, end);
    const absl::string_view name = reference.substr(0, reference.find(":-"));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    text.remove_prefix(end + 1);
  }
  return names;
}

// A heading, then lines that are set off.
void AddPart(absl::string_view heading, absl::string_view lines, std::string& text) {
  absl::StrAppend(&text, "\n", heading, ":\n");
  for (const absl::string_view line : absl::StrSplit(absl::StripSuffix(lines, "\n"), '\n')) {
    absl::StrAppend(&text, line.empty() ? "" : "  ", line, "\n");
  }
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// By the server's clock, on both sides.
std::string AgeText(const v1::ExplainResponse& explanation,
                    const google::protobuf::Timestamp& then) {
  return FormatAge(TimeOf(explanation.time()) - TimeOf(then));
}

std::string CatalogText(const v1::ExplainResponse& explanation) {
  if (!explanation.has_catalog()) return "it has not told yet what it offers";
  if (!explanation.has_catalog_time()) {
    return "what it offers is as it told it before the server started";
  }
  return absl::StrCat("it told what it offers ", AgeText(explanation, explanation.catalog_time()),
                      " ago");
}

std::string AgentText(const v1::ExplainResponse& explanation) {
  std::string text = absl::StrCat(TerminalText(explanation.decision().agent_id()), " is ",
                                  AgentStateText(explanation.agent_state()), ": serves revision ",
                                  explanation.agent_revision().number(), ", the server has ",
                                  explanation.revision().number(), "\n");
  if (explanation.has_time()) {  // Else of an earlier server, which says nothing of the following.
    absl::StrAppend(&text,
                    explanation.agent_connected() ? "it is connected" : "it is not connected",
                    ", last heard of ", AgeText(explanation, explanation.agent_last_seen()),
                    " ago\n", CatalogText(explanation), "\n");
  }
  if (!explanation.agent_choice().empty()) {
    absl::StrAppend(&text, TerminalMessage(explanation.agent_choice()), "\n");
  }
  return text;
}

// What the host would boot at other agents.
std::string ElsewhereText(const v1::ExplainResponse& explanation) {
  Table table({"AGENT", "DISTRO", "BY", "OUTCOME", "COMMAND LINE"});
  for (const v1::Decision& decision : explanation.elsewhere()) {
    table.Add({decision.agent_id(), decision.distro(), DistroOriginText(decision),
               decision.outcome() == v1::OUTCOME_UNSPECIFIED ? "not known" : OutcomeText(decision),
               decision.command_line()});
  }
  std::string text = table.Format();
  if (const int more = explanation.agents_different() - explanation.elsewhere_size(); more > 0) {
    absl::StrAppend(&text, "and something else at ", more, " more\n");
  }
  if (explanation.agents_alike() > 0) {
    absl::StrAppend(&text, "the same as above at ", explanation.agents_alike(), " more\n");
  }
  return text;
}

// Who wrote the template of the command line: a declared distro has its own, and no '/' in its
// name.
absl::string_view TemplateOriginText(const v1::Decision& decision) {
  return absl::StrContains(decision.distro(), '/') ? "profile" : "distro";
}

std::string CommandLineText(const v1::ExplainResponse& explanation) {
  Table words({"WORD", "TEMPLATE", "ORIGIN"});
  for (const v1::CommandLineWord& word : explanation.command_line_words()) {
    words.Add({word.text(), word.template_text() == word.text() ? "" : word.template_text(),
               WordOriginText(word, explanation)});
  }
  return words.Format();
}

std::string VariablesText(const v1::ExplainResponse& explanation) {
  Table variables({"NAME", "VALUE", "ORIGIN"});
  for (const v1::DecisionVariable& variable : explanation.variables()) {
    variables.Add(
        {variable.name(), variable.value(), VariableOriginText(variable, explanation.decision())});
  }
  return variables.Format();
}

std::string FilesText(const v1::ExplainResponse& explanation) {
  Table files({"ROLE", "PATH", "OCTETS"});
  for (const v1::BootFile& file : explanation.files()) {
    // Of what another server has, nobody here knows the size.
    const bool is_url = absl::StrContains(file.path(), "://");
    files.Add({file.role(), file.path(), is_url ? "" : absl::StrCat(file.size())});
  }
  return files.Format();
}

std::string ScriptText(absl::string_view script) {
  std::string text;
  for (const absl::string_view line : absl::StrSplit(absl::StripSuffix(script, "\n"), '\n')) {
    absl::StrAppend(&text, TerminalMessage(line), "\n");
  }
  return text;
}

}  // namespace

std::string DistroOriginText(const v1::Decision& decision) {
  switch (decision.distro_origin()) {
    case v1::DISTRO_ORIGIN_NEXT_BOOT:
      return "next boot";
    case v1::DISTRO_ORIGIN_TIMED:
      return absl::StrCat("until ", TimeText(decision.until()));
    case v1::DISTRO_ORIGIN_HOST:
      return "assignment";
    case v1::DISTRO_ORIGIN_GROUP:
      return absl::StrCat("group ", decision.group());
    case v1::DISTRO_ORIGIN_AGENT_DEFAULT:
      return "agent's default";
    case v1::DISTRO_ORIGIN_DEFAULT:
      return "default";
    case v1::DISTRO_ORIGIN_UNKNOWN_HOSTS:
      return "unknown-hosts";
    case v1::DISTRO_ORIGIN_NOTHING:
      return "nothing";
    default:
      return "";  // Of a later server.
  }
}

std::string OutcomeText(const v1::Decision& decision) {
  switch (decision.outcome()) {
    case v1::OUTCOME_BOOT:
      return "boot";
    case v1::OUTCOME_LOCAL:
      return "local";
    case v1::OUTCOME_MENU:
      return "menu";
    case v1::OUTCOME_WAIT:
      return "wait";
    case v1::OUTCOME_IGNORE:
      return "ignore";
    case v1::OUTCOME_MISSING:
      return decision.missing().empty() ? "missing" : absl::StrCat("missing: ", decision.missing());
    default:
      return "";
  }
}

std::string VariableOriginText(const v1::DecisionVariable& variable, const v1::Decision& decision) {
  switch (variable.origin()) {
    case v1::VARIABLE_ORIGIN_GLOBAL:
      return "settings";
    case v1::VARIABLE_ORIGIN_AGENT:
      return "agent";
    case v1::VARIABLE_ORIGIN_GROUP:
      return absl::StrCat("group ", variable.group());
    case v1::VARIABLE_ORIGIN_HOST:
      return "host";
    case v1::VARIABLE_ORIGIN_BUILT_IN:
      return "built in";
    case v1::VARIABLE_ORIGIN_TEMPLATE:
      return absl::StrCat(TemplateOriginText(decision), "'s default");
    case v1::VARIABLE_ORIGIN_IPXE:
      return "left to iPXE";
    default:
      return "";
  }
}

std::string WordOriginText(const v1::CommandLineWord& word,
                           const v1::ExplainResponse& explanation) {
  std::vector<std::string> origins;
  for (const v1::DecisionVariable& reference : word.references()) {
    const std::string origin =
        absl::StrCat(reference.name(), ": ", VariableOriginText(reference, explanation.decision()));
    if (std::find(origins.begin(), origins.end(), origin) == origins.end()) {
      origins.push_back(origin);
    }
  }
  if (!origins.empty()) return absl::StrJoin(origins, "; ");
  // An earlier server says no more than the variables, by name.
  for (const absl::string_view name : ReferencesOf(word.template_text())) {
    const auto found =
        std::find_if(explanation.variables().begin(), explanation.variables().end(),
                     [&](const v1::DecisionVariable& variable) { return variable.name() == name; });
    origins.push_back(absl::StrCat(name, ": ",
                                   found == explanation.variables().end()
                                       ? "left to iPXE"
                                       : VariableOriginText(*found, explanation.decision())));
  }
  return origins.empty() ? std::string(TemplateOriginText(explanation.decision()))
                         : absl::StrJoin(origins, "; ");
}

std::string ExplanationText(const v1::ExplainResponse& explanation) {
  const v1::Decision& decision = explanation.decision();
  std::string text =
      absl::StrCat(VerdictText(explanation.verdict()), ": ", TerminalText(decision.host()), " ",
                   TerminalText(DeedText(decision)), "\n");
  if (!explanation.advice().empty()) {
    absl::StrAppend(&text, TerminalMessage(explanation.advice()), "\n");
  }
  std::string sentences;
  for (const std::string& sentence : explanation.sentences()) {
    absl::StrAppend(&sentences, TerminalMessage(sentence), "\n");
  }
  if (!sentences.empty()) AddPart("Why", sentences, text);
  if (!decision.distro().empty()) {
    AddPart("Distro",
            absl::StrCat(TerminalText(decision.distro()), ", by ",
                         TerminalText(DistroOriginText(decision))),
            text);
  }
  if (!decision.missing().empty()) AddPart("Missing", TerminalMessage(decision.missing()), text);
  if (!explanation.command_line_words().empty()) {
    AddPart("Command line, word by word", CommandLineText(explanation), text);
  }
  if (!explanation.variables().empty()) AddPart("Variables", VariablesText(explanation), text);
  if (!explanation.files().empty()) AddPart("Files", FilesText(explanation), text);
  if (!decision.agent_id().empty()) AddPart("Agent", AgentText(explanation), text);
  if (!explanation.elsewhere().empty()) AddPart("Elsewhere", ElsewhereText(explanation), text);
  if (!explanation.script().empty()) AddPart("Script", ScriptText(explanation.script()), text);
  std::string doubts;
  for (const std::string& doubt : explanation.script_doubts()) {
    absl::StrAppend(&doubts, TerminalMessage(doubt), "\n");
  }
  if (!doubts.empty()) AddPart("What of the script can differ", doubts, text);
  return text;
}

}  // namespace autopxe::ctl
