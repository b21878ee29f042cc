#pragma once

#include <cstddef>
#include <thread>

#include "absl/time/time.h"
#include "common/runtime/wakeup.h"

namespace autopxe {

// Gives back to the system what malloc keeps of freed memory, if that is more than `least` bytes
// and more than what is in use: glibc returns only what lies at the end of an arena, so a process
// stays as large as its largest moment was. Returns whether it did. Takes about a tenth of a second
// for a gigabyte; other threads' allocations wait meanwhile.
bool ReturnFreedMemory(size_t least);

// Does that at intervals, on a thread of its own.
class FreedMemory {
 public:
  struct Options {
    absl::Duration interval = absl::Seconds(10);
    size_t least = 32 << 20;  // In bytes: not worth the while below.
  };

  explicit FreedMemory(Options options);
  FreedMemory() : FreedMemory(Options()) {}
  ~FreedMemory();
  FreedMemory(const FreedMemory&) = delete;
  FreedMemory& operator=(const FreedMemory&) = delete;

 private:
  // Until end_ is notified.
  void Run();

  const Options options_;
  Wakeup end_;
  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace autopxe
