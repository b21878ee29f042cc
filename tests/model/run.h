#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace autopxe::tests {

// What came of one run.
struct RunResult {
  std::vector<std::string> steps;  // What was done, in order, for a person to read.
  std::string difference;  // What the last step brought to light; empty: all is as expected.
};

// Drives a server and one to three agents in `folder` by `steps` random steps, the same for the
// same seed, and compares them with the model whenever they have come to rest, at the end in any
// case.
RunResult RunSeed(uint64_t seed, int steps, const std::string& folder);

}  // namespace autopxe::tests
