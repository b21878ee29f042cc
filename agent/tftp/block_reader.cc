#include "agent/tftp/block_reader.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "common/status/status_macros.h"

namespace autopxe::agent::tftp {

absl::optional<uint64_t> TransferSize(const Content& content, Mode mode) {
  if (mode == Mode::kNetascii) return absl::nullopt;
  return content.size();
}

BlockReader::BlockReader(std::shared_ptr<const Content> content, Mode mode, size_t block_size,
                         RecentChunks& chunks)
    : content_(std::move(content)), mode_(mode), block_size_(block_size), chunks_(chunks) {
  if (mode_ == Mode::kNetascii) positions_.emplace_back();
}

absl::StatusOr<uint64_t> BlockReader::Read(uint64_t first, uint64_t count,
                                           absl::Span<char> packets) {
  uint64_t bytes = 0;
  if (mode_ == Mode::kOctet) {
    ASSIGN_OR_RETURN(bytes, ReadOctets(first, count, packets));
  } else {
    for (uint64_t i = 0; i < count && bytes == i * block_size_; ++i) {
      ASSIGN_OR_RETURN(
          const size_t block,
          ReadNetascii(first + i,
                       packets.subspan(i * packet_bytes() + kDataHeaderBytes, block_size_)));
      bytes += block;
    }
  }
  if (bytes < count * block_size_) RETURN_IF_ERROR(content_->CheckUnchanged());
  return bytes;
}

absl::StatusOr<uint64_t> BlockReader::ReadOctets(uint64_t first, uint64_t count,
                                                 absl::Span<char> packets) {
  absl::InlinedVector<absl::Span<char>, 16> blocks;
  blocks.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    blocks.push_back(packets.subspan(i * packet_bytes() + kDataHeaderBytes, block_size_));
  }
  return chunks_.Read(*content_, first * block_size_, blocks);
}

absl::StatusOr<size_t> BlockReader::ReadNetascii(uint64_t index, absl::Span<char> block) {
  assert(index >= first_ && index - first_ < positions_.size());
  NetasciiPosition position = positions_[index - first_];
  std::array<char, 4096> source;
  size_t written = 0;
  while (written < block.size()) {
    const uint64_t left = content_->size() - std::min(position.offset, content_->size());
    // No more than the block can take: what is left over would be read twice.
    size_t wanted = std::min<uint64_t>({left, source.size(), block.size() - written});
    if (wanted > 0) {
      ASSIGN_OR_RETURN(
          wanted, content_->ReadAt(position.offset, absl::MakeSpan(source).subspan(0, wanted)));
    }
    const size_t encoded =
        EncodeNetascii(absl::string_view(source.data(), wanted), block.subspan(written), position);
    if (encoded == 0) break;
    written += encoded;
  }
  if (index - first_ + 1 == positions_.size()) positions_.push_back(position);
  return written;
}

void BlockReader::Forget(uint64_t index) {
  // The last position is that of a block nobody has read, and stays.
  if (index <= first_ || positions_.size() <= 1) return;
  const uint64_t count = std::min<uint64_t>(index - first_, positions_.size() - 1);
  positions_.erase(positions_.begin(), positions_.begin() + static_cast<ptrdiff_t>(count));
  first_ += count;
}

}  // namespace autopxe::agent::tftp
