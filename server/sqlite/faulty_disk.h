#pragma once

#include <cstdint>

namespace autopxe::server {

// For tests: a disk under every database of this process that fails when it is told to. It heals
// with the object. One at a time.
class FaultyDisk {
 public:
  FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;
  ~FaultyDisk();

  // The next `count` of these fail with an error of input and output.
  void FailSyncs(int count);
  void FailWrites(int count);
  // The next `count` writes find that the file system has become read-only.
  void RefuseWrites(int count);
  // The next `count` writes find the disk full.
  void FillFor(int count);

  // How many times a file was synced, failed times counted.
  int64_t syncs() const;
};

}  // namespace autopxe::server
