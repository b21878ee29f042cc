#include "ctl/table.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "ctl/terminal_text.h"

namespace autopxe::ctl {

Table::Table(std::vector<std::string> headers) { lines_.push_back(std::move(headers)); }

void Table::Add(std::vector<std::string> cells) {
  if (cells.size() != lines_.front().size()) abort();
  for (std::string& cell : cells) cell = cell.empty() ? "-" : TerminalText(cell);
  lines_.push_back(std::move(cells));
}

std::string Table::Format() const {
  std::vector<size_t> widths(lines_.front().size(), 0);
  for (const auto& line : lines_) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines_) {
    for (size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size()) text.append(widths[i] - line[i].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace autopxe::ctl
