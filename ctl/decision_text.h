#pragma once

#include <string>

#include "autopxe/v1/decision.pb.h"

namespace autopxe::ctl {

// Words for people about what hosts would boot. As the server sent them: not yet for a terminal.

// Why a host boots its distro: "assignment", "group gpu", "default".
std::string DistroOriginText(const v1::Decision& decision);

// What happens at the boot: "boot", "missing: no kernel 6.1.0-9"; empty if nobody asked a catalog.
std::string OutcomeText(const v1::Decision& decision);

// Where a value comes from: "settings", "group gpu", "host"; for a template's default as
// WordOriginText.
std::string VariableOriginText(const v1::DecisionVariable& variable, const v1::Decision& decision);

// Where a word of the command line comes from: "profile", of a declared distro "distro"; or, if it
// uses variables, where they do: "nfs-server: group gpu; rootfs-path: built in".
std::string WordOriginText(const v1::CommandLineWord& word, const v1::ExplainResponse& explanation);

// All that `explanation` says, ready for a terminal: the verdict first, the script and what of it
// can differ last.
std::string ExplanationText(const v1::ExplainResponse& explanation);

}  // namespace autopxe::ctl
