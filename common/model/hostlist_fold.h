#pragma once

#include <string>
#include <vector>

namespace autopxe {

// What Hostlist::Format writes. REQUIRES: no name twice.
std::string FoldNames(const std::vector<std::string>& names);

}  // namespace autopxe
