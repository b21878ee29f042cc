#pragma once

#include <cstdint>
#include <random>

namespace autopxe::bench {

// Which packets are lost: always the same ones for one seed.
class Loss {
 public:
  // `probability`: from 0 to 1, of each packet.
  Loss(double probability, uint64_t seed) : lost_(probability), random_(seed) {}

  // Whether the next packet is lost; counts it.
  bool Drops() {
    if (lost_.p() == 0 || !lost_(random_)) return false;
    ++dropped_;
    return true;
  }

  uint64_t dropped() const { return dropped_; }

 private:
  std::bernoulli_distribution lost_;
  std::mt19937_64 random_;
  uint64_t dropped_ = 0;
};

}  // namespace autopxe::bench
