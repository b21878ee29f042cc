#include "server/sqlite/simulated_disk.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace autopxe::server {
namespace {

constexpr size_t kSector = 512;

struct Operation {
  bool truncates;
  size_t offset;      // Or the size to truncate to.
  std::string bytes;  // To write.
};

// One name in a folder.
struct File {
  std::optional<std::string> durable;  // Nothing: after a power failure it is not there.
  // It was made anew, and neither that nor anything in it was synced.
  bool is_new = false;
  bool is_deleted = false;
  std::vector<Operation> unsynced;
  std::set<sqlite3_file*> writers;  // Those that are open.
  size_t most_writers = 0;
};

std::recursive_mutex mutex;  // Guards what follows.
std::mt19937 chance;
std::map<std::string, File> files;
std::map<sqlite3_file*, std::string> open_files;
int64_t operations_left = -1;  // Negative: no end.
int failing_syncs = 0;

sqlite3_vfs* real_vfs = nullptr;
// The same functions in every table of methods that the real one has, but for those that lock and
// close.
const sqlite3_io_methods* real = nullptr;
std::map<const sqlite3_io_methods*, int (*)(sqlite3_file*)> real_closes;  // By our own table.

// Whether the power is there for one more operation.
bool TakeOperation() {
  if (operations_left == 0) return false;
  if (operations_left > 0) --operations_left;
  return true;
}

void Apply(const Operation& operation, std::string& content) {
  if (operation.truncates) {
    content.resize(std::min(content.size(), operation.offset));
    return;
  }
  content.resize(std::max(content.size(), operation.offset + operation.bytes.size()));
  content.replace(operation.offset, operation.bytes.size(), operation.bytes);
}

// What may be on the disk of operations that were not synced.
std::vector<Operation> SomeOf(const std::vector<Operation>& all) {
  switch (chance() % 4) {
    case 0:
      return {};
    case 1:
      return all;
    case 2:
      return {all.begin(), all.begin() + static_cast<int>(chance() % (all.size() + 1))};
  }
  std::vector<Operation> some;
  for (const Operation& operation : all) {
    if (operation.truncates) {
      if (chance() % 2 == 0) some.push_back(operation);
      continue;
    }
    for (size_t begin = 0; begin < operation.bytes.size();) {
      const size_t offset = operation.offset + begin;
      const size_t size = std::min(kSector - offset % kSector, operation.bytes.size() - begin);
      if (chance() % 2 == 0) some.push_back({false, offset, operation.bytes.substr(begin, size)});
      begin += size;
    }
  }
  return some;
}

void Settle(File& file, const std::vector<Operation>& operations) {
  if (file.is_new || !file.durable) file.durable.emplace();
  for (const Operation& operation : operations) Apply(operation, *file.durable);
  file.is_new = false;
  file.unsynced.clear();
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

File* Find(sqlite3_file* handle) {
  const auto found = open_files.find(handle);
  return found == open_files.end() ? nullptr : &files[found->second];
}

// By the name that SQLite gives it. REQUIRES: it has been opened.
const File& Known(const std::string& path) {
  return files.at(std::filesystem::weakly_canonical(path).string());
}

int Write(sqlite3_file* handle, const void* bytes, int size, sqlite3_int64 offset) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  File* const file = Find(handle);
  if (file == nullptr) return real->xWrite(handle, bytes, size, offset);
  if (!TakeOperation()) return SQLITE_IOERR_WRITE;
  file->unsynced.push_back(
      {false, static_cast<size_t>(offset), std::string(static_cast<const char*>(bytes), size)});
  file->writers.insert(handle);
  file->most_writers = std::max(file->most_writers, file->writers.size());
  return real->xWrite(handle, bytes, size, offset);
}

int Truncate(sqlite3_file* handle, sqlite3_int64 size) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  File* const file = Find(handle);
  if (file == nullptr) return real->xTruncate(handle, size);
  if (!TakeOperation()) return SQLITE_IOERR_TRUNCATE;
  file->unsynced.push_back({true, static_cast<size_t>(size), ""});
  return real->xTruncate(handle, size);
}

int Sync(sqlite3_file* handle, int flags) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  File* const file = Find(handle);
  if (file == nullptr) return real->xSync(handle, flags);
  if (!TakeOperation()) return SQLITE_IOERR_FSYNC;
  if (failing_syncs > 0) {
    --failing_syncs;
    Settle(*file, SomeOf(file->unsynced));
    return SQLITE_IOERR_FSYNC;
  }
  // SQLite syncs the folder with the first sync of a log.
  Settle(*file, std::vector<Operation>(file->unsynced));
  return SQLITE_OK;
}

int Close(sqlite3_file* handle) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (File* const file = Find(handle)) file->writers.erase(handle);
  open_files.erase(handle);
  return real_closes.at(handle->pMethods)(handle);
}

int Open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* handle, int flags, int* out_flags) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  const bool was_there = name != nullptr && std::filesystem::exists(name);
  const int code = real_vfs->xOpen(real_vfs, name, handle, flags, out_flags);
  if (code != SQLITE_OK) return code;
  static std::map<const sqlite3_io_methods*, sqlite3_io_methods> tables;
  if (real == nullptr) real = handle->pMethods;
  const auto [table, added] = tables.try_emplace(handle->pMethods, *handle->pMethods);
  if (added) {
    table->second.xWrite = Write;
    table->second.xTruncate = Truncate;
    table->second.xSync = Sync;
    table->second.xClose = Close;
    real_closes[&table->second] = table->first->xClose;
  }
  handle->pMethods = &table->second;
  if (name == nullptr) return code;
  open_files[handle] = name;
  const auto [file, is_first] = files.try_emplace(name);
  if (is_first && was_there) file->second.durable = ReadAll(name);
  if (!was_there) {
    file->second.is_new = true;
    file->second.is_deleted = false;
    file->second.unsynced.clear();
  }
  return code;
}

int Delete(sqlite3_vfs*, const char* name, int syncs_folder) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (!TakeOperation()) return SQLITE_IOERR_DELETE;
  File& file = files[name];
  if (file.is_new || syncs_folder != 0) file.durable.reset();
  file.is_new = false;
  file.is_deleted = true;
  file.unsynced.clear();
  return real_vfs->xDelete(real_vfs, name, 0);
}

sqlite3_vfs* SimulatedVfs() {
  static sqlite3_vfs vfs = [] {
    real_vfs = sqlite3_vfs_find(nullptr);
    sqlite3_vfs copy = *real_vfs;
    copy.zName = "simulated-disk";
    copy.pNext = nullptr;
    copy.xOpen = Open;
    copy.xDelete = Delete;
    return copy;
  }();
  return &vfs;
}

// What is found of one name after the power failed.
std::optional<std::string> AfterPowerFailure(File& file) {
  // That it was made, or deleted, was not synced: either way is possible.
  if ((file.is_new || file.is_deleted) && chance() % 2 == 0) return file.durable;
  if (file.is_deleted) return std::nullopt;
  Settle(file, SomeOf(file.unsynced));
  return file.durable;
}

}  // namespace

SimulatedDisk::SimulatedDisk(uint32_t seed) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  chance.seed(seed);
  files.clear();
  operations_left = -1;
  failing_syncs = 0;
  sqlite3_vfs_register(SimulatedVfs(), 1);
}

SimulatedDisk::~SimulatedDisk() { sqlite3_vfs_register(real_vfs, 1); }

void SimulatedDisk::CutPowerAfter(int64_t operations) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  operations_left = operations;
}

bool SimulatedDisk::has_power() const {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  return operations_left != 0;
}

void SimulatedDisk::FailSyncs(int count) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  failing_syncs = count;
}

void SimulatedDisk::RestorePower() {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  for (auto& [path, file] : files) {
    const std::optional<std::string> content = AfterPowerFailure(file);
    unlink((path + "-shm").c_str());
    unlink(path.c_str());
    if (content) std::ofstream(path, std::ios::binary) << *content;
  }
  files.clear();
  operations_left = -1;
  failing_syncs = 0;
}

size_t SimulatedDisk::unsynced(const std::string& path) const {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  return Known(path).unsynced.size();
}

int SimulatedDisk::most_writers(const std::string& path) const {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  return static_cast<int>(Known(path).most_writers);
}

}  // namespace autopxe::server
