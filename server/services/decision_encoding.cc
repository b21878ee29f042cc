#include "server/services/decision_encoding.h"

#include "common/wire/time_wire.h"

namespace autopxe::server {
namespace {

v1::DistroOrigin EncodeOrigin(DistroOrigin origin) {
  switch (origin) {
    case DistroOrigin::kNextBoot:
      return v1::DISTRO_ORIGIN_NEXT_BOOT;
    case DistroOrigin::kTimed:
      return v1::DISTRO_ORIGIN_TIMED;
    case DistroOrigin::kHost:
      return v1::DISTRO_ORIGIN_HOST;
    case DistroOrigin::kGroup:
      return v1::DISTRO_ORIGIN_GROUP;
    case DistroOrigin::kAgentDefault:
      return v1::DISTRO_ORIGIN_AGENT_DEFAULT;
    case DistroOrigin::kDefault:
      return v1::DISTRO_ORIGIN_DEFAULT;
    case DistroOrigin::kUnknownHosts:
      return v1::DISTRO_ORIGIN_UNKNOWN_HOSTS;
    case DistroOrigin::kNothing:
      return v1::DISTRO_ORIGIN_NOTHING;
  }
  return v1::DISTRO_ORIGIN_UNSPECIFIED;
}

v1::Outcome EncodeOutcome(Outcome outcome) {
  switch (outcome) {
    case Outcome::kBoot:
      return v1::OUTCOME_BOOT;
    case Outcome::kLocal:
      return v1::OUTCOME_LOCAL;
    case Outcome::kMenu:
      return v1::OUTCOME_MENU;
    case Outcome::kWait:
      return v1::OUTCOME_WAIT;
    case Outcome::kIgnore:
      return v1::OUTCOME_IGNORE;
    case Outcome::kMissing:
      return v1::OUTCOME_MISSING;
  }
  return v1::OUTCOME_UNSPECIFIED;
}

}  // namespace

v1::VariableOrigin EncodeOrigin(VariableOrigin origin) {
  switch (origin) {
    case VariableOrigin::kGlobal:
      return v1::VARIABLE_ORIGIN_GLOBAL;
    case VariableOrigin::kAgent:
      return v1::VARIABLE_ORIGIN_AGENT;
    case VariableOrigin::kGroup:
      return v1::VARIABLE_ORIGIN_GROUP;
    case VariableOrigin::kHost:
      return v1::VARIABLE_ORIGIN_HOST;
    case VariableOrigin::kBuiltIn:
      return v1::VARIABLE_ORIGIN_BUILT_IN;
  }
  return v1::VARIABLE_ORIGIN_UNSPECIFIED;
}

v1::Decision EncodeDecision(const Decision& decision, const MacAddress& mac, const AgentId& agent) {
  v1::Decision result;
  result.set_host(decision.host);
  result.set_mac(mac.Format());
  result.set_known(decision.known);
  result.set_agent_id(agent.text());
  result.set_distro(decision.distro.Format());
  result.set_distro_origin(EncodeOrigin(decision.distro_origin));
  result.set_group(decision.distro_group);
  if (decision.distro_origin == DistroOrigin::kTimed) {
    *result.mutable_until() = ToProto(decision.timed_until);
  }
  result.set_outcome(EncodeOutcome(decision.outcome));
  result.set_missing(decision.missing);
  result.set_kernel_version(decision.kernel_version);
  result.set_command_line(decision.command_line);
  return result;
}

v1::Decision EncodeChosen(const ChosenDistro& chosen, const MacAddress& mac, const Host* host) {
  v1::Decision result;
  result.set_mac(mac.Format());
  result.set_host(host != nullptr ? host->name.text() : result.mac());
  result.set_known(host != nullptr);
  result.set_distro(chosen.distro.Format());
  result.set_distro_origin(EncodeOrigin(chosen.origin));
  result.set_group(chosen.group);
  if (chosen.origin == DistroOrigin::kTimed) *result.mutable_until() = ToProto(host->timed->until);
  return result;
}

}  // namespace autopxe::server
