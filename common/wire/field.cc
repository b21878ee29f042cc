#include "common/wire/field.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe {
namespace {

constexpr char kFieldPayload[] = "autopxe/field";
constexpr char kValuePayload[] = "autopxe/value";

std::string PayloadText(const absl::Status& status, absl::string_view payload) {
  const absl::optional<absl::Cord> text = status.GetPayload(payload);
  return text.has_value() ? std::string(*text) : std::string();
}

}  // namespace

absl::Status AtField(absl::string_view field, absl::string_view value, const absl::Status& error) {
  absl::Status result(error.code(), absl::StrCat(field, ": ", error.message()));
  result.SetPayload(kFieldPayload, absl::Cord(field));
  result.SetPayload(kValuePayload, absl::Cord(value));
  return result;
}

absl::Status BadField(absl::string_view field, absl::string_view value, absl::string_view what) {
  return AtField(field, value, absl::InvalidArgumentError(absl::StrCat(Quote(value), ": ", what)));
}

absl::Status Within(absl::string_view outer, const absl::Status& error) {
  if (error.ok()) return error;
  absl::Status result(error.code(), absl::StrCat(outer, ".", error.message()));
  result.SetPayload(kFieldPayload,
                    absl::Cord(absl::StrCat(outer, ".", PayloadText(error, kFieldPayload))));
  result.SetPayload(kValuePayload, absl::Cord(PayloadText(error, kValuePayload)));
  return result;
}

std::string Element(absl::string_view field, int index) {
  return absl::StrCat(field, "[", index, "]");
}

Problem MalformedProblem(const absl::Status& error) {
  Problem problem;
  problem.reason = Reason::kMalformed;
  problem.field = PayloadText(error, kFieldPayload);
  problem.value = PayloadText(error, kValuePayload);
  problem.message = std::string(error.message());
  return problem;
}

TextMapEntries SortedEntries(const TextMap& map) {
  TextMapEntries entries;
  entries.reserve(map.size());
  for (const TextMap::value_type& entry : map) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  return entries;
}

absl::StatusOr<HostReference> ParseHostField(absl::string_view field, absl::string_view text) {
  absl::StatusOr<HostReference> reference = ParseHostReference(text);
  if (!reference.ok()) return AtField(field, text, reference.status());
  return reference;
}

absl::Status CheckAtLeast(absl::string_view field, int64_t number, int64_t min) {
  if (number >= min) return absl::OkStatus();
  return BadField(field, absl::StrCat(number), absl::StrCat("expected ", min, " or more"));
}

absl::Status CheckAtMost(absl::string_view field, size_t count, size_t max) {
  if (count <= max) return absl::OkStatus();
  return BadField(field, absl::StrCat(count), absl::StrCat("expected ", max, " at most"));
}

absl::Status CheckPrintable(absl::string_view field, absl::string_view text, size_t max) {
  if (text.size() > max) {
    return BadField(field, text,
                    absl::StrCat("expected ", max, " characters at most, got ", text.size()));
  }
  for (const char c : text) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) {
      return BadField(field, text, "expected printable ASCII only");
    }
  }
  return absl::OkStatus();
}

}  // namespace autopxe
