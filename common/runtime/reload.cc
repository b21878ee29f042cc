#include "common/runtime/reload.h"

#include <algorithm>
#include <utility>

#include "common/runtime/log_line.h"

namespace autopxe {

OptionsInForce::OptionsInForce(std::vector<OptionValue> values) : values_(std::move(values)) {}

void OptionsInForce::Reload(const std::vector<OptionValue>& wanted) {
  int changed = 0;
  int need_restart = 0;
  for (const OptionValue& value : wanted) {
    const auto in_force =
        std::find_if(values_.begin(), values_.end(),
                     [&](const OptionValue& candidate) { return candidate.name == value.name; });
    if (in_force == values_.end() || in_force->text == value.text) continue;
    LogLine line("option-changed");
    line.Add("option", value.name).Add("old", in_force->text).Add("new", value.text);
    if (value.takes_effect == TakesEffect::kOnReload) {
      ++changed;
      in_force->text = value.text;
      line.Add("effect", "now").Info();
    } else {
      ++need_restart;
      line.Add("effect", "at-restart").Warn();
    }
  }
  LogLine("reload")
      .Add("result", "ok")
      .Add("changed", changed)
      .Add("need_restart", need_restart)
      .Info();
}

void LogRefusedReload(const absl::Status& error) {
  LogLine("reload").Add("result", "refused").Add("error", std::string(error.message())).Warn();
}

}  // namespace autopxe
