#include "agent/journal/journal_line.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "common/digest/sha256.h"
#include "common/model/quote.h"

namespace autopxe::agent {
namespace {

constexpr absl::string_view kUsed = "used";
constexpr absl::string_view kReported = "reported";

// Against a damaged disk, and not against an enemy: the first 8 bytes of SHA-256.
std::string Checksum(absl::string_view words) {
  return absl::BytesToHexString(Sha256Of(words).substr(0, 8));
}

std::string Words(absl::string_view kind, const UsedNextBoot& used) {
  return absl::StrCat(kind, " ", static_cast<int64_t>(used.host), " ", used.token);
}

std::string Words(const JournalFact& fact) {
  if (const auto* report = std::get_if<JournalReport>(&fact)) return Words(kReported, report->used);
  const auto& use = std::get<JournalUse>(fact);
  return absl::StrCat(Words(kUsed, use.used), " ", use.mac.Format(), " ",
                      absl::ToUnixMicros(use.time));
}

absl::optional<JournalFact> ParseWords(const std::vector<absl::string_view>& words) {
  int64_t host;
  int64_t token;
  if (words.size() < 3 || !absl::SimpleAtoi(words[1], &host) || host <= 0 ||
      !absl::SimpleAtoi(words[2], &token) || token <= 0) {
    return absl::nullopt;
  }
  const UsedNextBoot used{.host = HostId{host}, .token = token};
  if (words[0] == kReported && words.size() == 3) return JournalReport{used};
  int64_t micros;
  if (words[0] != kUsed || words.size() != 5 || !absl::SimpleAtoi(words[4], &micros)) {
    return absl::nullopt;
  }
  const absl::StatusOr<MacAddress> mac = MacAddress::Parse(words[3]);
  if (!mac.ok()) return absl::nullopt;
  return JournalUse{.used = used, .mac = *mac, .time = absl::FromUnixMicros(micros)};
}

}  // namespace

std::string FormatJournalLine(const JournalFact& fact) {
  const std::string words = Words(fact);
  return absl::StrCat(words, " ", Checksum(words), "\n");
}

absl::StatusOr<JournalFact> ParseJournalLine(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line.substr(0, line.rfind(' ')), ' ');
  const absl::optional<JournalFact> fact = ParseWords(words);
  // Written again it must be the same: nothing is left out of account.
  if (!fact.has_value() || FormatJournalLine(*fact) != absl::StrCat(line, "\n")) {
    return absl::DataLossError(absl::StrCat("not a line of a journal: ", Quote(line)));
  }
  return *fact;
}

}  // namespace autopxe::agent
