#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ctl/import/host_table.h"

namespace autopxe::ctl {

struct CsvField {
  Place place;  // Of its first octet: the quote of a quoted one.
  std::string text;
};

struct CsvRecord {
  std::vector<CsvField> fields;  // One at least.
};

struct CsvFile {
  std::vector<CsvRecord> records;
  std::vector<ImportProblem> problems;
};

// Reads CSV as RFC 4180 has it: fields between commas, or between quotes, where a quote is doubled
// and commas and line breaks are text. Lines end in CRLF or LF. A byte order mark and blank lines
// are skipped. What is wrong within a record is told, and the next line is read on.
CsvFile ParseCsv(absl::string_view text);

}  // namespace autopxe::ctl
