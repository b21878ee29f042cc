#include "common/runtime/freed_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace autopxe {
namespace {

// What the process has of its own: memory that is no file's. In bytes; 0 if that can't be told.
size_t PrivateBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t size = 0;
  size_t resident = 0;
  size_t shared = 0;
  statm >> size >> resident >> shared;
  if (!statm || resident < shared) return 0;
  return (resident - shared) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

bool ReturnFreedMemory(size_t least) {
  const struct mallinfo2 heap = mallinfo2();
  // What has been given back still counts as free in `heap`; only the system knows.
  const size_t used = heap.uordblks + heap.hblkhd;
  const size_t held = PrivateBytes();
  if (used == 0 || held < 2 * used || held - used <= least) return false;
  return malloc_trim(0) == 1;
}

FreedMemory::FreedMemory(Options options) : options_(options), thread_([this] { Run(); }) {}

FreedMemory::~FreedMemory() {
  end_.Notify();
  thread_.join();
}

void FreedMemory::Run() {
  while (!end_.WaitFor(options_.interval)) ReturnFreedMemory(options_.least);
}

}  // namespace autopxe
