#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "agent/content/content.h"
#include "agent/tftp/netascii.h"
#include "agent/tftp/packet.h"

namespace autopxe::agent::tftp {

// How many bytes a transfer has; unset if telling would take reading it all (netascii).
absl::optional<uint64_t> TransferSize(const Content& content, Mode mode);

// Reads a content in blocks, as TFTP's mode wants them. Blocks come in order; those that are not
// forgotten can be read again.
class BlockReader {
 public:
  // REQUIRES: block_size > 0.
  BlockReader(std::shared_ptr<const Content> content, Mode mode, size_t block_size);

  // Reads block `index`, counted from 0, into `buffer`, which has room for a whole one. Returns its
  // length: less than a whole block only at the end, and 0 there if the content fills whole ones.
  // REQUIRES: `index` is at most one more than the highest that was read, and is not forgotten.
  // Errors: DATA_LOSS if the file was written to, which is looked at before the last block is given
  // out; the system's.
  absl::StatusOr<size_t> Read(uint64_t index, absl::Span<char> buffer);

  // The blocks before `index` will not be read again.
  void Forget(uint64_t index);

 private:
  absl::StatusOr<size_t> ReadOctets(uint64_t index, absl::Span<char> block);
  absl::StatusOr<size_t> ReadNetascii(uint64_t index, absl::Span<char> block);

  const std::shared_ptr<const Content> content_;
  const Mode mode_;
  const size_t block_size_;

  // Netascii only: where the blocks from first_ on begin in the source, up to the next that was not
  // read yet.
  uint64_t first_ = 0;
  std::deque<NetasciiPosition> positions_ = {NetasciiPosition()};
};

}  // namespace autopxe::agent::tftp
