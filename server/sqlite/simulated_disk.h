#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace autopxe::server {

// For tests: a disk under every database of this process that keeps what was synced apart from what
// was only written, and whose power can fail. One at a time. The databases lie in real files, which
// hold what the process sees.
class SimulatedDisk {
 public:
  explicit SimulatedDisk(uint32_t seed);
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;
  ~SimulatedDisk();

  // `operations` (writes, truncations, syncs, deletions) from now the power fails: whatever comes
  // then fails, and leaves nothing.
  void CutPowerAfter(int64_t operations);

  // False once the power has failed.
  bool has_power() const;

  // The next `count` syncs fail. As with Linux's page cache, each part of what should have been
  // synced is then on the disk or lost, whatever a later sync says.
  void FailSyncs(int count);

  // Gives the files the content that the disk has after the power failed (be it right now): what
  // was synced, and of what was written since nothing, all, the first so many writes, or any of
  // their sectors of 512 bytes. A file whose creation or deletion was not synced may be there or
  // not. REQUIRES: no database is open.
  void RestorePower();

  // How many writes and truncations of a file that a database has opened have not been synced.
  size_t unsynced(const std::string& path) const;

  // The most connections that were open at once and had each written to the file at `path`.
  int most_writers(const std::string& path) const;
};

}  // namespace autopxe::server
