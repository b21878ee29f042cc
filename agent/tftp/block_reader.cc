#include "agent/tftp/block_reader.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "common/status/status_macros.h"

namespace autopxe::agent::tftp {

absl::optional<uint64_t> TransferSize(const Content& content, Mode mode) {
  if (mode == Mode::kNetascii) return absl::nullopt;
  return content.size();
}

BlockReader::BlockReader(std::shared_ptr<const Content> content, Mode mode, size_t block_size)
    : content_(std::move(content)), mode_(mode), block_size_(block_size) {}

absl::StatusOr<size_t> BlockReader::Read(uint64_t index, absl::Span<char> buffer) {
  const absl::Span<char> block = buffer.subspan(0, block_size_);
  ASSIGN_OR_RETURN(const size_t bytes,
                   mode_ == Mode::kOctet ? ReadOctets(index, block) : ReadNetascii(index, block));
  if (bytes < block_size_) RETURN_IF_ERROR(content_->CheckUnchanged());
  return bytes;
}

absl::StatusOr<size_t> BlockReader::ReadOctets(uint64_t index, absl::Span<char> block) {
  return content_->ReadAt(index * block_size_, block);
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
  while (first_ < index && positions_.size() > 1) {
    positions_.pop_front();
    ++first_;
  }
}

}  // namespace autopxe::agent::tftp
