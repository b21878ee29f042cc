// A line of the journal: as it is, and as one whose checksum is right, which no fuzzer guesses.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/journal/journal_line.h"
#include "common/digest/sha256.h"
#include "tests/fuzz/require.h"

namespace autopxe::agent {
namespace {

void CheckLine(absl::string_view line) {
  const absl::StatusOr<JournalFact> fact = ParseJournalLine(line);
  if (!fact.ok()) return;
  Require(FormatJournalLine(*fact) == absl::StrCat(line, "\n"), "nothing is left out of account");
}

}  // namespace
}  // namespace autopxe::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const absl::string_view line(reinterpret_cast<const char*>(bytes), size);
  autopxe::agent::CheckLine(line);
  autopxe::agent::CheckLine(
      absl::StrCat(line, " ", absl::BytesToHexString(autopxe::Sha256Of(line).substr(0, 8))));
  return 0;
}
