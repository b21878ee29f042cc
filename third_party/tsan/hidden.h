#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace autopxe::tsan {

// The library's function whose name one of the program's has taken. A member function is called
// like a free one with `this` first.
template <typename Function>
Function* Hidden(const char* symbol) {
  void* function = dlsym(RTLD_NEXT, symbol);
  if (function == nullptr) {
    std::fprintf(stderr, "third_party/tsan: no library has %s\n", symbol);
    std::abort();
  }
  return reinterpret_cast<Function*>(function);
}

}  // namespace autopxe::tsan
