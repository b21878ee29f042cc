// Makes thread sanitizer see absl's synchronisation.
//
// Debian's libabsl is not instrumented, so that to tsan a Mutex orders nothing and everything that
// one guards is a race. The functions below are defined in the program itself and so take the place
// of libabsl's, for our objects and for gRPC's libraries alike; each tells tsan what is about to
// happen and calls the one that it hides.

#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <cstdlib>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "third_party/tsan/hidden.h"

// The linker's: where the program's own code begins and ends.
extern "C" const char __executable_start;
extern "C" const char etext;

namespace {

using ::autopxe::tsan::Hidden;

// How much tsan is told of a call.
enum class Told {
  // Everything: tsan then looks for locks taken in both orders, too. Between __tsan_mutex_pre_* and
  // __tsan_mutex_post_* it looks away from the calling thread, which is right inside libabsl; it
  // means that accesses of a Condition's function are never reported.
  kAll,
  // The order alone, for calls by libraries: tsan has seen neither how gRPC made its mutex nor how
  // it hands it from thread to thread, and would report both.
  kOrder,
  // Nothing: libabsl's functions call one another through the names that ours have taken, and the
  // outermost call has said it all.
  kNothing,
};

thread_local bool inside = false;

Told OfCallBy(const void* return_address) {
  if (inside) return Told::kNothing;
  return return_address >= &__executable_start && return_address < &etext ? Told::kAll
                                                                          : Told::kOrder;
}

// The mutexes that a thread holds and tsan was told all of. A return address does not say how one
// was acquired: a library's last call is a jump, which returns to our code.
class HeldMutexes {
 public:
  void Add(const absl::Mutex* mutex, unsigned flags) {
    if (size_ == kMost) {
      std::fprintf(stderr, "third_party/tsan: a thread holds more than %d mutexes\n", kMost);
      std::abort();
    }
    held_[size_++] = {mutex, flags};
  }
  // False when it is none of them.
  bool Remove(const absl::Mutex* mutex, unsigned* flags) {
    for (int i = size_ - 1; i >= 0; --i) {
      if (held_[i].mutex != mutex) continue;
      *flags = held_[i].flags;
      held_[i] = held_[--size_];
      return true;
    }
    return false;
  }

 private:
  static constexpr int kMost = 64;
  struct Held {
    const absl::Mutex* mutex;
    unsigned flags;
  };
  Held held_[kMost];
  int size_;
};

// Without a destructor: mutexes are used until the last moment of a thread.
thread_local constinit HeldMutexes held_mutexes = {};

// While it lives the calling thread is inside libabsl and acquires `mutex`.
class Acquiring {
 public:
  Acquiring(absl::Mutex* mutex, unsigned flags, const void* return_address)
      : Acquiring(mutex, flags, OfCallBy(return_address)) {}
  Acquiring(absl::Mutex* mutex, unsigned flags, Told told)
      : mutex_(mutex), flags_(flags), told_(told) {
    if (told_ == Told::kAll) __tsan_mutex_pre_lock(mutex_, flags_);
    if (told_ != Told::kNothing) inside = true;
  }
  ~Acquiring() {
    if (told_ == Told::kNothing) return;
    inside = false;
    const bool acquired = (flags_ & __tsan_mutex_try_lock_failed) == 0;
    if (told_ == Told::kAll) {
      __tsan_mutex_post_lock(mutex_, flags_, 0);
      if (acquired) held_mutexes.Add(mutex_, flags_ & __tsan_mutex_read_lock);
    } else if (acquired) {
      __tsan_acquire(mutex_);
    }
  }
  Acquiring(const Acquiring&) = delete;
  Acquiring& operator=(const Acquiring&) = delete;

  // For a try: what came of it.
  bool Tried(bool acquired) {
    if (!acquired) flags_ |= __tsan_mutex_try_lock_failed;
    return acquired;
  }

 private:
  absl::Mutex* const mutex_;
  unsigned flags_;
  const Told told_;
};

// While it lives the calling thread is inside libabsl and has released `mutex`, which may be gone
// before the call returns.
class Releasing {
 public:
  explicit Releasing(absl::Mutex* mutex) : mutex_(mutex) {
    if (inside) {
      told_ = Told::kNothing;
    } else if (held_mutexes.Remove(mutex_, &flags_)) {
      told_ = Told::kAll;
      __tsan_mutex_pre_unlock(mutex_, flags_);
    } else {
      told_ = Told::kOrder;
      __tsan_release(mutex_);
    }
    if (told_ != Told::kNothing) inside = true;
  }
  ~Releasing() {
    if (told_ == Told::kNothing) return;
    inside = false;
    if (told_ == Told::kAll) __tsan_mutex_post_unlock(mutex_, flags_);
  }
  Releasing(const Releasing&) = delete;
  Releasing& operator=(const Releasing&) = delete;

  unsigned flags() const { return flags_; }
  Told told() const { return told_; }

 private:
  absl::Mutex* const mutex_;
  unsigned flags_ = 0;
  Told told_;
};

// While it lives the calling thread waits: it releases `mutex` and acquires it again, also when the
// time is up.
class Waiting {
 public:
  explicit Waiting(absl::Mutex* mutex) : Waiting(mutex, Released(mutex)) {}

 private:
  struct Before {
    unsigned flags;
    Told told;
  };

  static Before Released(absl::Mutex* mutex) {
    const Releasing releasing(mutex);
    return {releasing.flags(), releasing.told()};
  }

  Waiting(absl::Mutex* mutex, Before before) : acquiring_(mutex, before.flags, before.told) {}

  const Acquiring acquiring_;
};

// Notification and BlockingCounter are a Mutex and then an atomic, which libabsl also reads and
// writes without the mutex.
template <typename T>
void* AtomicOf(const T* object) {
  return reinterpret_cast<char*>(const_cast<T*>(object)) + sizeof(absl::Mutex);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

Mutex::~Mutex() {
  static const auto hidden = Hidden<void(Mutex*)>("_ZN4absl7debian35MutexD1Ev");
  if (OfCallBy(__builtin_return_address(0)) == Told::kAll) {
    __tsan_mutex_destroy(this, __tsan_mutex_not_static);
  }
  hidden(this);
}

void Mutex::Lock() {
  static const auto hidden = Hidden<void(Mutex*)>("_ZN4absl7debian35Mutex4LockEv");
  const Acquiring acquiring(this, 0, __builtin_return_address(0));
  hidden(this);
}

void Mutex::Unlock() {
  static const auto hidden = Hidden<void(Mutex*)>("_ZN4absl7debian35Mutex6UnlockEv");
  const Releasing releasing(this);
  hidden(this);
}

bool Mutex::TryLock() {
  static const auto hidden = Hidden<bool(Mutex*)>("_ZN4absl7debian35Mutex7TryLockEv");
  Acquiring acquiring(this, __tsan_mutex_try_lock, __builtin_return_address(0));
  return acquiring.Tried(hidden(this));
}

void Mutex::ReaderLock() {
  static const auto hidden = Hidden<void(Mutex*)>("_ZN4absl7debian35Mutex10ReaderLockEv");
  const Acquiring acquiring(this, __tsan_mutex_read_lock, __builtin_return_address(0));
  hidden(this);
}

void Mutex::ReaderUnlock() {
  static const auto hidden = Hidden<void(Mutex*)>("_ZN4absl7debian35Mutex12ReaderUnlockEv");
  const Releasing releasing(this);
  hidden(this);
}

bool Mutex::ReaderTryLock() {
  static const auto hidden = Hidden<bool(Mutex*)>("_ZN4absl7debian35Mutex13ReaderTryLockEv");
  Acquiring acquiring(this, __tsan_mutex_read_lock | __tsan_mutex_try_lock,
                      __builtin_return_address(0));
  return acquiring.Tried(hidden(this));
}

void Mutex::Await(const Condition& condition) {
  static const auto hidden =
      Hidden<void(Mutex*, const Condition&)>("_ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE");
  const Waiting waiting(this);
  hidden(this, condition);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  static const auto hidden = Hidden<bool(Mutex*, const Condition&, Duration)>(
      "_ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  const Waiting waiting(this);
  return hidden(this, condition, timeout);
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  static const auto hidden = Hidden<bool(Mutex*, const Condition&, Time)>(
      "_ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  const Waiting waiting(this);
  return hidden(this, condition, deadline);
}

void Mutex::LockWhen(const Condition& condition) {
  static const auto hidden =
      Hidden<void(Mutex*, const Condition&)>("_ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE");
  const Acquiring acquiring(this, 0, __builtin_return_address(0));
  hidden(this, condition);
}

bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  static const auto hidden = Hidden<bool(Mutex*, const Condition&, Duration)>(
      "_ZN4absl7debian35Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  const Acquiring acquiring(this, 0, __builtin_return_address(0));
  return hidden(this, condition, timeout);
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  static const auto hidden = Hidden<bool(Mutex*, const Condition&, Time)>(
      "_ZN4absl7debian35Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  const Acquiring acquiring(this, 0, __builtin_return_address(0));
  return hidden(this, condition, deadline);
}

void Mutex::ReaderLockWhen(const Condition& condition) {
  static const auto hidden = Hidden<void(Mutex*, const Condition&)>(
      "_ZN4absl7debian35Mutex14ReaderLockWhenERKNS0_9ConditionE");
  const Acquiring acquiring(this, __tsan_mutex_read_lock, __builtin_return_address(0));
  hidden(this, condition);
}

bool Mutex::ReaderLockWhenWithTimeout(const Condition& condition, Duration timeout) {
  static const auto hidden = Hidden<bool(Mutex*, const Condition&, Duration)>(
      "_ZN4absl7debian35Mutex25ReaderLockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  const Acquiring acquiring(this, __tsan_mutex_read_lock, __builtin_return_address(0));
  return hidden(this, condition, timeout);
}

bool Mutex::ReaderLockWhenWithDeadline(const Condition& condition, Time deadline) {
  static const auto hidden = Hidden<bool(Mutex*, const Condition&, Time)>(
      "_ZN4absl7debian35Mutex26ReaderLockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  const Acquiring acquiring(this, __tsan_mutex_read_lock, __builtin_return_address(0));
  return hidden(this, condition, deadline);
}

void CondVar::Wait(Mutex* mutex) {
  static const auto hidden =
      Hidden<void(CondVar*, Mutex*)>("_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE");
  const Waiting waiting(mutex);
  hidden(this, mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static const auto hidden = Hidden<bool(CondVar*, Mutex*, Duration)>(
      "_ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  const Waiting waiting(mutex);
  return hidden(this, mutex, timeout);
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static const auto hidden = Hidden<bool(CondVar*, Mutex*, Time)>(
      "_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  const Waiting waiting(mutex);
  return hidden(this, mutex, deadline);
}

void Notification::Notify() {
  static const auto hidden = Hidden<void(Notification*)>("_ZN4absl7debian312Notification6NotifyEv");
  __tsan_release(AtomicOf(this));
  hidden(this);
}

void Notification::WaitForNotification() const {
  static const auto hidden =
      Hidden<void(const Notification*)>("_ZNK4absl7debian312Notification19WaitForNotificationEv");
  hidden(this);
  __tsan_acquire(AtomicOf(this));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static const auto hidden = Hidden<bool(const Notification*, Duration)>(
      "_ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE");
  const bool notified = hidden(this, timeout);
  if (notified) __tsan_acquire(AtomicOf(this));
  return notified;
}

bool Notification::WaitForNotificationWithDeadline(Time deadline) const {
  static const auto hidden = Hidden<bool(const Notification*, Time)>(
      "_ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE");
  const bool notified = hidden(this, deadline);
  if (notified) __tsan_acquire(AtomicOf(this));
  return notified;
}

bool BlockingCounter::DecrementCount() {
  static const auto hidden =
      Hidden<bool(BlockingCounter*)>("_ZN4absl7debian315BlockingCounter14DecrementCountEv");
  __tsan_release(AtomicOf(this));
  return hidden(this);
}

void BlockingCounter::Wait() {
  static const auto hidden =
      Hidden<void(BlockingCounter*)>("_ZN4absl7debian315BlockingCounter4WaitEv");
  hidden(this);
  __tsan_acquire(AtomicOf(this));
}

ABSL_NAMESPACE_END
}  // namespace absl
