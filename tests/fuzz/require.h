#pragma once

#include <cstdio>
#include <cstdlib>

namespace autopxe {

// Ends the process, which is how a fuzz target says that it has found something.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace autopxe
