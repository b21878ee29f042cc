#pragma once

#include <vector>

namespace autopxe::bench {

// The value that `percent` of the values are not above (nearest rank); 0 if there are none.
// REQUIRES: `sorted` is; 0 < percent <= 100.
double Percentile(const std::vector<double>& sorted, double percent);

}  // namespace autopxe::bench
