#include "ctl/import/host_csv.h"

#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "ctl/import/csv.h"
#include "ctl/import/host_record.h"

namespace autopxe::ctl {
namespace {

void CheckHeader(const CsvRecord& header, HostTable& table) {
  std::set<std::string> seen;
  for (const CsvField& field : header.fields) {
    const std::string name(absl::StripAsciiWhitespace(field.text));
    if (const absl::Status status = CheckHostField(name); !status.ok()) {
      table.problems.push_back({field.place, std::string(status.message())});
    } else if (!seen.insert(name).second) {
      table.problems.push_back(
          {field.place, absl::StrCat("column ", Quote(name), " stands twice")});
    }
  }
}

}  // namespace

HostTable ParseHostCsv(absl::string_view text) {
  CsvFile file = ParseCsv(text);
  HostTable table;
  table.problems = std::move(file.problems);
  if (file.records.empty()) {
    if (table.problems.empty()) {
      table.problems.push_back({{1, 1}, "expected a line that names the columns: name,macs,..."});
    }
    return table;
  }
  const CsvRecord& header = file.records.front();
  CheckHeader(header, table);
  // A column that nobody knows would be told for each line again.
  if (!table.problems.empty()) return table;
  for (size_t i = 1; i < file.records.size(); ++i) {
    const CsvRecord& record = file.records[i];
    const Place place = record.fields.front().place;
    if (record.fields.size() != header.fields.size()) {
      table.problems.push_back(
          {place, absl::StrCat("expected ", header.fields.size(),
                               " values, as in the first line, got ", record.fields.size())});
      continue;
    }
    HostRow row{place, {}};
    for (size_t column = 0; column < record.fields.size(); ++column) {
      const CsvField& field = record.fields[column];
      std::string value(absl::StripAsciiWhitespace(field.text));
      if (value.empty()) continue;
      row.cells.push_back({field.place,
                           std::string(absl::StripAsciiWhitespace(header.fields[column].text)),
                           std::move(value)});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace autopxe::ctl
