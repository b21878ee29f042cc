#include "common/model/age_text.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace autopxe {

std::string FormatAge(absl::Duration age) {
  const int64_t seconds = absl::ToInt64Seconds(age);
  if (seconds <= 0) return "0s";
  const int64_t minutes = seconds / 60;
  if (minutes == 0) return absl::StrCat(seconds, "s");
  const int64_t hours = minutes / 60;
  if (hours == 0) return absl::StrCat(minutes, "m", seconds % 60, "s");
  const int64_t days = hours / 24;
  if (days == 0) return absl::StrCat(hours, "h", minutes % 60, "m");
  return absl::StrCat(days, "d", hours % 24, "h");
}

}  // namespace autopxe
