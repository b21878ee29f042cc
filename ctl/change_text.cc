#include "ctl/change_text.h"

#include "absl/strings/str_cat.h"
#include "ctl/difference_fold.h"
#include "ctl/terminal_text.h"

namespace autopxe::ctl {
namespace {

std::string ValueText(const std::string& value) {
  return value.empty() ? "(none)" : TerminalText(value);
}

}  // namespace

std::string ChangeText(const v1::ApplyResponse& response, bool is_dry_run) {
  std::string text;
  for (const FoldedDifference& difference : FoldDifferences(response.differences())) {
    absl::StrAppend(&text, TerminalText(difference.subject), ": ", TerminalText(difference.field),
                    ": ", ValueText(difference.before), " -> ", ValueText(difference.after), "\n");
  }
  const std::string revision = absl::StrCat("revision ", response.revision().id().number(), "\n");
  if (is_dry_run) {
    absl::StrAppend(
        &text,
        response.differences().empty() ? "nothing would change; " : "nothing was changed yet; ",
        revision);
  } else if (response.replayed()) {
    absl::StrAppend(&text, "done before; ", revision);
  } else if (response.differences().empty()) {
    absl::StrAppend(&text, "it was so already; ", revision);
  } else {
    text += revision;
  }
  return text;
}

}  // namespace autopxe::ctl
