#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "autopxe/v1/configuration.pb.h"
#include "tests/model/expected.h"

namespace autopxe::tests {

// Numbers that are the same for the same seed, with every compiler.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  // 0 to `below` - 1.
  int Below(int below) { return static_cast<int>(engine_() % static_cast<uint64_t>(below)); }
  bool OneIn(int n) { return Below(n) == 0; }

  template <typename T>
  const T& Of(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(Below(static_cast<int>(choices.size())))];
  }

 private:
  std::mt19937_64 engine_;
};

// MACs that hosts here have or could have.
const std::vector<std::string>& SomeMacs();

// Terms end after so many of these seconds, so that time which passes in such steps meets their
// ends.
inline constexpr int64_t kTimeStep = 1'800;

// A batch of one to three mutations, which is accepted more often than not; without a request id.
// `expected`: for etags that are right, or nearly so. `now`: seconds of Unix time.
v1::ApplyRequest RandomRequest(Random& random, const Expected& expected, int64_t now);

}  // namespace autopxe::tests
