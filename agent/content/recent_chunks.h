#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "agent/content/content.h"

namespace autopxe::agent {

// What was read of files not long ago, in chunks, for those who send the same file at the same
// time, and for one who reads it in small pieces. Never more than so many chunks: with more readers
// at different places than that, those who find no room read what they need for themselves. Belongs
// to one thread.
//
// A chunk is kept under the file's identity, so that a file that is replaced or written to is
// another one from then on; whoever reads the old one still finds that out by CheckUnchanged().
class RecentChunks {
 public:
  // REQUIRES: both > 0.
  explicit RecentChunks(size_t max_chunks = 64, size_t chunk_bytes = 64 * 1024)
      : max_chunks_(max_chunks), chunk_bytes_(chunk_bytes) {}

  // As content.ReadAt().
  absl::StatusOr<size_t> Read(const Content& content, uint64_t offset,
                              absl::Span<const absl::Span<char>> parts);

  // Gives the memory back.
  void Clear();

  // How many are kept.
  size_t size() const { return chunks_.size(); }

 private:
  struct Key {
    FileIdentity file;
    uint64_t index = 0;

    friend bool operator==(const Key&, const Key&) = default;

    template <typename H>
    friend H AbslHashValue(H hash, const Key& key) {
      return H::combine(std::move(hash), key.file, key.index);
    }
  };
  struct Chunk {
    Key key;
    std::shared_ptr<const std::string> bytes;
    uint64_t taken = 0;    // Bytes that were read from it, by all together.
    uint64_t used_at = 0;  // In reads_.
  };

  // Null if there is no room for it.
  absl::StatusOr<std::shared_ptr<const std::string>> Find(const Content& content, const Key& key,
                                                          uint64_t to_take);
  bool MakeRoom();

  const size_t max_chunks_;
  const size_t chunk_bytes_;
  uint64_t reads_ = 0;
  std::list<Chunk> chunks_;  // The one that was used last first.
  absl::flat_hash_map<Key, std::list<Chunk>::iterator> places_;
};

}  // namespace autopxe::agent
