#pragma once

#include <cstdlib>

#include "absl/strings/numbers.h"

namespace autopxe {

// How many of its rounds a test that draws at random goes through: AUTOPXE_ROUNDS if that is set
// to a number, a quarter of `all` under a sanitizer, where each takes several times as long, and
// else all. tools/soak.sh goes through all of them under the sanitizers, too.
inline int TestRounds(int all) {
  const char* const text = std::getenv("AUTOPXE_ROUNDS");
  int rounds = 0;
  if (text != nullptr && absl::SimpleAtoi(text, &rounds)) return rounds;
  const bool is_short = std::getenv("AUTOPXE_TEST_SANITIZED") != nullptr &&
                        std::getenv("AUTOPXE_TEST_ALL_ROUNDS") == nullptr;
  return is_short ? (all + 3) / 4 : all;
}

}  // namespace autopxe
