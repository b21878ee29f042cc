// A time of day that is an hour ahead of the kernel's, for the program that this is preloaded into.
// A wait that ends at a time of day then takes an hour longer than it should, as it does where a
// clock is set back by an hour.

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += 3600;
  return static_cast<int>(result);
}
