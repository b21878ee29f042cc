#include "common/runtime/freed_memory.h"

#include <malloc.h>

namespace autopxe {

bool ReturnFreedMemory(size_t least) {
  const struct mallinfo2 heap = mallinfo2();
  // Zero under a sanitizer, whose allocator is another.
  if (heap.fordblks <= least || heap.fordblks <= heap.uordblks) return false;
  return malloc_trim(0) == 1;
}

FreedMemory::FreedMemory(Options options) : options_(options), thread_([this] { Run(); }) {}

FreedMemory::~FreedMemory() {
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  thread_.join();
}

void FreedMemory::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&ending_), options_.interval)) return;
    }
    ReturnFreedMemory(options_.least);
  }
}

}  // namespace autopxe
