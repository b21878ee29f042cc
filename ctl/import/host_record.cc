#include "ctl/import/host_record.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/model/host.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe::ctl {
namespace {

class Reader {
 public:
  explicit Reader(const HostTable& table) { result_.problems = table.problems; }

  void Read(const HostRow& row) {
    record_ = HostRecord{.place = row.place};
    bool is_good = true;
    for (const HostCell& cell : row.cells) {
      const absl::Status status = Take(cell);
      if (status.ok()) continue;
      is_good = false;
      Refuse(cell.place, absl::StrCat(cell.field, ": ", status.message()));
    }
    if (!is_good) return;
    if (record_.macs.size() > kMaxMacsPerHost) {
      return Refuse(row.place, absl::StrCat("macs: ", record_.macs.size(), " of them: at most ",
                                            kMaxMacsPerHost, " are taken"));
    }
    if (!record_.name.has_value() && record_.macs.empty()) {
      return Refuse(row.place, "expected a name or a MAC");
    }
    result_.records.push_back(std::move(record_));
  }

  HostRecords Finish() { return std::move(result_); }

 private:
  void Refuse(const Place& place, std::string message) {
    result_.problems.push_back({place, std::move(message)});
  }

  absl::Status Take(const HostCell& cell) {
    absl::string_view field = cell.field;
    if (field == "name") return TakeName(cell);
    if (field == kMacsField) return TakeMacs(cell);
    if (absl::ConsumePrefix(&field, kLabelField)) {
      ASSIGN_OR_RETURN(LabelKey key, LabelKey::Parse(field));
      ASSIGN_OR_RETURN(LabelValue value, LabelValue::Parse(cell.text));
      record_.labels.insert_or_assign(std::move(key), std::move(value));
    } else if (absl::ConsumePrefix(&field, kVariableField)) {
      ASSIGN_OR_RETURN(VariableName name, VariableName::Parse(field));
      ASSIGN_OR_RETURN(VariableValue value, VariableValue::Parse(cell.text));
      record_.variables.insert_or_assign(std::move(name), std::move(value));
    } else if (field == "distro") {
      ASSIGN_OR_RETURN(record_.distro, Distro::Parse(cell.text));
    } else if (field == "note") {
      ASSIGN_OR_RETURN(record_.note, Note::Parse(cell.text));
    } else {
      return CheckHostField(cell.field);
    }
    return absl::OkStatus();
  }

  absl::Status TakeName(const HostCell& cell) {
    ASSIGN_OR_RETURN(HostReference reference, ParseHostReference(cell.text));
    if (const auto* mac = std::get_if<MacAddress>(&reference); mac != nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quote(cell.text), " is a MAC: leave the name empty, and name it in macs"));
    }
    record_.name = std::get<HostName>(std::move(reference));
    return CheckIsNew(record_.name->text(), cell.place);
  }

  absl::Status TakeMacs(const HostCell& cell) {
    for (const absl::string_view text :
         absl::StrSplit(cell.text, absl::ByAnyChar("; \t"), absl::SkipEmpty())) {
      ASSIGN_OR_RETURN(const MacAddress mac, MacAddress::Parse(text));
      RETURN_IF_ERROR(CheckIsNew(mac.Format(), cell.place));
      record_.macs.push_back(mac);
    }
    return absl::OkStatus();
  }

  // A name or a MAC that two hosts of the file claim is a slip.
  absl::Status CheckIsNew(const std::string& name, const Place& place) {
    const auto [found, is_new] = places_.try_emplace(name, place);
    if (is_new) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(Quote(name), " stands in line ",
                                                   found->second.line, ", column ",
                                                   found->second.column, " already"));
  }

  HostRecords result_;
  HostRecord record_;
  std::map<std::string, Place> places_;  // Of names and MACs.
};

}  // namespace

absl::Status CheckHostField(absl::string_view field) {
  absl::string_view rest = field;
  if (absl::ConsumePrefix(&rest, kLabelField)) return LabelKey::Parse(rest).status();
  if (absl::ConsumePrefix(&rest, kVariableField)) return VariableName::Parse(rest).status();
  for (const absl::string_view known : {"name", kMacsField, "distro", "note"}) {
    if (field == known) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "column ", Quote(field), ": expected name, macs, distro, note, label.KEY or var.NAME"));
}

HostRecords ReadHostRecords(const HostTable& table) {
  Reader reader(table);
  for (const HostRow& row : table.rows) reader.Read(row);
  HostRecords result = reader.Finish();
  std::stable_sort(
      result.problems.begin(), result.problems.end(),
      [](const ImportProblem& a, const ImportProblem& b) { return a.place.line < b.place.line; });
  return result;
}

}  // namespace autopxe::ctl
