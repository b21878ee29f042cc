// HTTP's three forms of a date.
#include <cstddef>
#include <cstdint>

#include "agent/http/http_date.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const auto date =
      autopxe::agent::ParseHttpDate({reinterpret_cast<const char*>(bytes), size}, now);
  if (!date.has_value()) return 0;
  // IMF-fixdate has room for four digits of a year.
  const int64_t year = absl::ToCivilYear(*date, absl::UTCTimeZone()).year();
  if (year < 1000 || year > 9999) return 0;
  autopxe::Require(
      autopxe::agent::ParseHttpDate(autopxe::agent::FormatHttpDate(*date), now) == date,
      "a date that is written again is the same");
  return 0;
}
