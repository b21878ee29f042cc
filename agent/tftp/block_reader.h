#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "agent/content/content.h"
#include "agent/content/recent_chunks.h"
#include "agent/tftp/netascii.h"
#include "agent/tftp/packet.h"

namespace autopxe::agent::tftp {

// How many bytes a transfer has; unset if telling would take reading it all (netascii).
absl::optional<uint64_t> TransferSize(const Content& content, Mode mode);

// Reads a content in blocks, as TFTP's mode wants them. Blocks come in order; those that are not
// forgotten can be read again.
class BlockReader {
 public:
  // `chunks` must outlive it. REQUIRES: block_size > 0.
  BlockReader(std::shared_ptr<const Content> content, Mode mode, size_t block_size,
              RecentChunks& chunks);

  // How far apart the packets are that Read() fills.
  size_t packet_bytes() const { return kDataHeaderBytes + block_size_; }

  // Reads up to `count` blocks from `first` on, counted from 0, as DATA packets one behind the
  // other into `packets`: each block behind kDataHeaderBytes bytes, which are left alone. Ends with
  // the last block, which is shorter than a whole one, and empty if the content fills whole ones.
  // Returns the length of the blocks together.
  // REQUIRES: packets.size() >= count * packet_bytes(); `first` is at most one more than the
  // highest that was read, and is not forgotten. Errors: DATA_LOSS if the file was written to,
  // which is looked at before the last block is given out; the system's.
  absl::StatusOr<uint64_t> Read(uint64_t first, uint64_t count, absl::Span<char> packets);

  // The blocks before `index` will not be read again.
  void Forget(uint64_t index);

 private:
  absl::StatusOr<uint64_t> ReadOctets(uint64_t first, uint64_t count, absl::Span<char> packets);
  absl::StatusOr<size_t> ReadNetascii(uint64_t index, absl::Span<char> block);

  const std::shared_ptr<const Content> content_;
  const Mode mode_;
  const size_t block_size_;
  RecentChunks& chunks_;

  // Netascii only: where the blocks from first_ on begin in the source, up to the next that was not
  // read yet.
  uint64_t first_ = 0;
  std::vector<NetasciiPosition> positions_;
};

}  // namespace autopxe::agent::tftp
