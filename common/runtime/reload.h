#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/runtime/program_options.h"

namespace autopxe {

// The values that a daemon runs with, and what a newly read configuration makes of them.
class OptionsInForce {
 public:
  explicit OptionsInForce(std::vector<OptionValue> values);

  // From now on the values of `wanted` that take effect on a reload are in force; the others are
  // not, and are named again by the next reload. Logs a line for each value that differs, with the
  // old and the new one and whether it takes a restart, and one for the whole.
  void Reload(const std::vector<OptionValue>& wanted);

 private:
  std::vector<OptionValue> values_;
};

// The line for a configuration that can't be used, so that the one in force stays.
void LogRefusedReload(const absl::Status& error);

}  // namespace autopxe
