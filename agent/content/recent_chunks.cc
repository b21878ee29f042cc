#include "agent/content/recent_chunks.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/types/optional.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// A chunk that nobody has read to its end is kept for whoever is at it, until there were so many
// reads of others for each chunk: its readers have gone.
constexpr uint64_t kReadsForAChunk = 64;

size_t Total(absl::Span<const absl::Span<char>> parts) {
  size_t total = 0;
  for (const absl::Span<char>& part : parts) total += part.size();
  return total;
}

}  // namespace

absl::StatusOr<size_t> RecentChunks::Read(const Content& content, uint64_t offset,
                                          absl::Span<const absl::Span<char>> parts) {
  const absl::optional<FileIdentity> file = content.Identity();
  const uint64_t end = std::min<uint64_t>(content.size(), offset + Total(parts));
  if (!file.has_value() || offset >= end) return content.ReadAt(offset, parts);

  ++reads_;
  // Of the bytes from `offset` to `end`, in order.
  absl::InlinedVector<absl::Span<const char>, 2> pieces;
  absl::InlinedVector<std::shared_ptr<const std::string>, 2> kept;
  for (uint64_t at = offset; at < end;) {
    const uint64_t index = at / chunk_bytes_;
    const uint64_t begin = index * chunk_bytes_;
    const uint64_t length = std::min(end, begin + chunk_bytes_) - at;
    ASSIGN_OR_RETURN(std::shared_ptr<const std::string> bytes,
                     Find(content, {*file, index}, length));
    if (bytes == nullptr) return content.ReadAt(offset, parts);
    pieces.push_back(absl::MakeConstSpan(*bytes).subspan(at - begin, length));
    kept.push_back(std::move(bytes));
    at += length;
  }

  auto piece = pieces.begin();
  for (absl::Span<char> part : parts) {
    while (!part.empty() && piece != pieces.end()) {
      const size_t length = std::min(part.size(), piece->size());
      std::copy_n(piece->begin(), length, part.begin());
      part.remove_prefix(length);
      piece->remove_prefix(length);
      if (piece->empty()) ++piece;
    }
  }
  return static_cast<size_t>(end - offset);
}

absl::StatusOr<std::shared_ptr<const std::string>> RecentChunks::Find(const Content& content,
                                                                      const Key& key,
                                                                      uint64_t to_take) {
  const auto place = places_.find(key);
  if (place != places_.end()) {
    const auto chunk = place->second;
    chunk->taken += to_take;
    chunk->used_at = reads_;
    chunks_.splice(chunks_.begin(), chunks_, chunk);
    return chunk->bytes;
  }
  if (chunks_.size() >= max_chunks_ && !MakeRoom()) return nullptr;
  const uint64_t begin = key.index * chunk_bytes_;
  std::string bytes(std::min<uint64_t>(chunk_bytes_, content.size() - begin), '\0');
  RETURN_IF_ERROR(content.ReadAt(begin, absl::MakeSpan(bytes.data(), bytes.size())).status());
  // What others are to be given under this identity had it when it was read.
  RETURN_IF_ERROR(content.CheckUnchanged());
  chunks_.push_front({.key = key,
                      .bytes = std::make_shared<const std::string>(std::move(bytes)),
                      .taken = to_take,
                      .used_at = reads_});
  places_.emplace(key, chunks_.begin());
  return chunks_.front().bytes;
}

bool RecentChunks::MakeRoom() {
  const Chunk& oldest = chunks_.back();
  const bool is_done = oldest.taken >= oldest.bytes->size() ||
                       reads_ - oldest.used_at >= kReadsForAChunk * max_chunks_;
  if (!is_done) return false;
  places_.erase(oldest.key);
  chunks_.pop_back();
  return true;
}

void RecentChunks::Clear() {
  places_.clear();
  chunks_.clear();
}

}  // namespace autopxe::agent
