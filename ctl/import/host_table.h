#pragma once

#include <string>
#include <vector>

namespace autopxe::ctl {

// A place in a file, from 1; columns count octets.
struct Place {
  int line = 0;
  int column = 0;
};

// One value of a file of hosts.
struct HostCell {
  Place place;
  std::string field;  // See CheckHostField.
  std::string text;
};

// What a file says about one host.
struct HostRow {
  Place place;
  std::vector<HostCell> cells;
};

// What is wrong at a place of the file, in words that name the field.
struct ImportProblem {
  Place place;
  std::string message;
};

// A file of hosts as it was read, whatever its format: what is there, and what can't be read.
struct HostTable {
  std::vector<HostRow> rows;
  std::vector<ImportProblem> problems;
};

}  // namespace autopxe::ctl
