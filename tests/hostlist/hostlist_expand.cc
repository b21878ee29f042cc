// Reads hostlists, one a line, and answers each with a line: "ok", its names joined by blanks, and
// their folded form; or "refused" and the message; between tabs.

#include <iostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "common/model/hostlist.h"

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const absl::StatusOr<autopxe::Hostlist> hostlist = autopxe::Hostlist::Parse(line);
    if (hostlist.ok()) {
      std::cout << "ok\t" << absl::StrJoin(hostlist->names(), " ") << '\t' << hostlist->Format();
    } else {
      std::cout << "refused\t" << hostlist.status().message();
    }
    std::cout << '\n';
  }
}
