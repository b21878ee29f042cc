#include "server/sqlite/faulty_disk.h"

#include <sqlite3.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>

namespace autopxe::server {
namespace {

std::atomic<int> failing_syncs{0};
std::atomic<int> failing_writes{0};
std::atomic<int> full_writes{0};
std::atomic<int> refused_writes{0};
std::atomic<int64_t> sync_count{0};

sqlite3_vfs* real_vfs = nullptr;
// The same in every table of methods that the real one has: those differ in how they lock.
int (*real_sync)(sqlite3_file*, int) = nullptr;
int (*real_write)(sqlite3_file*, const void*, int, sqlite3_int64) = nullptr;

bool TakeOne(std::atomic<int>& count) {
  int left = count.load();
  while (left > 0 && !count.compare_exchange_weak(left, left - 1)) {
  }
  return left > 0;
}

int Sync(sqlite3_file* file, int flags) {
  ++sync_count;
  return TakeOne(failing_syncs) ? SQLITE_IOERR_FSYNC : real_sync(file, flags);
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (TakeOne(failing_writes)) {
    errno = EIO;
    return SQLITE_IOERR_WRITE;
  }
  if (TakeOne(refused_writes)) {
    errno = EROFS;
    return SQLITE_IOERR_WRITE;
  }
  if (TakeOne(full_writes)) return SQLITE_FULL;
  return real_write(file, bytes, size, offset);
}

// A table of methods with Sync and Write of ours.
const sqlite3_io_methods* Faulty(const sqlite3_io_methods* real) {
  static std::mutex mutex;
  static std::map<const sqlite3_io_methods*, sqlite3_io_methods> tables;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto [table, added] = tables.try_emplace(real, *real);
  if (added) {
    if (real_sync == nullptr) {
      real_sync = real->xSync;
      real_write = real->xWrite;
    }
    table->second.xSync = Sync;
    table->second.xWrite = Write;
  }
  return &table->second;
}

int Open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (code == SQLITE_OK) file->pMethods = Faulty(file->pMethods);
  return code;
}

sqlite3_vfs* FaultyVfs() {
  static sqlite3_vfs vfs = [] {
    real_vfs = sqlite3_vfs_find(nullptr);
    sqlite3_vfs copy = *real_vfs;
    copy.zName = "faulty-disk";
    copy.pNext = nullptr;
    copy.xOpen = Open;
    return copy;
  }();
  return &vfs;
}

}  // namespace

FaultyDisk::FaultyDisk() { sqlite3_vfs_register(FaultyVfs(), 1); }

FaultyDisk::~FaultyDisk() {
  failing_syncs = 0;
  failing_writes = 0;
  full_writes = 0;
  refused_writes = 0;
  sqlite3_vfs_register(real_vfs, 1);
}

void FaultyDisk::FailSyncs(int count) { failing_syncs = count; }
void FaultyDisk::FailWrites(int count) { failing_writes = count; }
void FaultyDisk::RefuseWrites(int count) { refused_writes = count; }
void FaultyDisk::FillFor(int count) { full_writes = count; }
int64_t FaultyDisk::syncs() const { return sync_count; }

}  // namespace autopxe::server
