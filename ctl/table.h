#pragma once

#include <string>
#include <vector>

namespace autopxe::ctl {

// Columns for people: headers in capitals, two blanks between columns, no blanks at the ends of
// lines. Every cell goes through TerminalText; an empty one is shown as "-".
class Table {
 public:
  explicit Table(std::vector<std::string> headers);

  // REQUIRES: as many cells as headers.
  void Add(std::vector<std::string> cells);

  // Lines that each end in a newline: the headers, then the rows.
  std::string Format() const;

 private:
  std::vector<std::vector<std::string>> lines_;
};

}  // namespace autopxe::ctl
