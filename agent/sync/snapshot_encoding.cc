#include "agent/sync/snapshot_encoding.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/types/optional.h"
#include "autopxe/v1/agent.pb.h"
#include "common/digest/sha256.h"
#include "common/status/status_macros.h"
#include "common/wire/snapshot_wire.h"

namespace autopxe::agent {
namespace {

constexpr absl::string_view kMagic = "APXESNAP";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderSize = 8 + 4 + 8 + 8;
constexpr size_t kChecksumSize = 32;

template <typename Number>
void AppendNumber(Number value, std::string* bytes) {
  for (size_t i = 0; i < sizeof(Number); ++i) {
    *bytes += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff);
  }
}

// REQUIRES: `bytes` holds that many.
template <typename Number>
Number TakeNumber(absl::string_view* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(Number); ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>((*bytes)[i])) << (8 * i);
  }
  bytes->remove_prefix(sizeof(Number));
  return static_cast<Number>(value);
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("damaged snapshot: ", what));
}

struct EncodedPart {
  explicit EncodedPart(absl::string_view encoded) : bytes(encoded) {}

  const absl::string_view bytes;
  // What is made of it, which others see once it is decoded.
  bool is_whole = false;
  v1::SnapshotPart rest;  // Without its hosts.
  absl::StatusOr<std::vector<std::shared_ptr<const Host>>> hosts = absl::UnknownError("");
  absl::Notification decoded;
};

// Errors: DATA_LOSS if `bytes` end within a part.
absl::Status Split(absl::string_view bytes, std::deque<EncodedPart>& parts) {
  while (!bytes.empty()) {
    if (bytes.size() < sizeof(uint32_t)) return Damaged("a part is cut");
    const uint32_t size = TakeNumber<uint32_t>(&bytes);
    // Each has a revision at least, so that zeros in a damaged file are not millions of parts.
    if (size == 0 || size > INT32_MAX) return Damaged("a part has no such size");
    if (size > bytes.size()) return Damaged("a part is cut");
    parts.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return absl::OkStatus();
}

void DecodePart(PartArena& arena, EncodedPart& encoded) {
  v1::SnapshotPart& part = arena.Begin();
  encoded.is_whole =
      part.ParseFromArray(encoded.bytes.data(), static_cast<int>(encoded.bytes.size()));
  if (encoded.is_whole) {
    encoded.hosts = HostsFromProto(part);
    part.clear_hosts();
    encoded.rest = part;
  }
  encoded.decoded.Notify();
}

// Decodes parts, in their order, on as many threads as are worth it: an agent serves nobody until
// it has done this. The caller's thread is one of them. What is not decoded when this goes, never
// is.
class Decoding {
 public:
  // `parts` must outlive this.
  explicit Decoding(std::deque<EncodedPart>& parts) : parts_(parts) {
    constexpr size_t kPartsForAThread = 10;
    constexpr size_t kMostThreads = 4;
    const size_t threads = std::min({parts.size() / kPartsForAThread, kMostThreads,
                                     static_cast<size_t>(std::thread::hardware_concurrency())});
    for (size_t i = 1; i < threads; ++i) {
      try {
        others_.emplace_back([this] {
          PartArena arena;
          while (DecodeNext(arena)) continue;
        });
      } catch (const std::system_error&) {
        // No thread is left (RLIMIT_NPROC, a container's pids.max): it takes longer without.
        return;
      }
    }
  }
  ~Decoding() {
    next_ = parts_.size();
    for (std::thread& other : others_) other.join();
  }

  // Returns when `part` is decoded, and decodes others rather than wait for it.
  void Await(const EncodedPart& part) {
    while (!part.decoded.HasBeenNotified() && DecodeNext(arena_)) continue;
    part.decoded.WaitForNotification();
  }

 private:
  // Whether there was one.
  bool DecodeNext(PartArena& arena) {
    const size_t next = next_++;
    if (next >= parts_.size()) return false;
    DecodePart(arena, parts_[next]);
    return true;
  }

  std::deque<EncodedPart>& parts_;
  std::atomic<size_t> next_ = 0;
  PartArena arena_;  // The caller's.
  std::vector<std::thread> others_;
};

// Errors: DATA_LOSS.
absl::StatusOr<std::shared_ptr<const Snapshot>> Assemble(std::deque<EncodedPart>& parts,
                                                         Decoding& decoding) {
  absl::optional<SnapshotAssembler> assembler;
  absl::optional<std::shared_ptr<const Snapshot>> snapshot;
  for (EncodedPart& part : parts) {
    if (snapshot.has_value()) return Damaged("parts behind the last one");
    decoding.Await(part);
    if (!part.is_whole) return Damaged("a part is cut");
    // All but the last have as many hosts as the first.
    if (!assembler.has_value()) {
      assembler.emplace(part.hosts.ok() ? part.hosts->size() * parts.size() : 0);
    }
    auto added = assembler->Add(part.rest, std::move(part.hosts));
    if (!added.ok()) return Damaged(added.status().message());
    snapshot = *std::move(added);
  }
  if (!snapshot.has_value()) return Damaged("its last part is missing");
  return *std::move(snapshot);
}

}  // namespace

std::string EncodeSnapshot(const StoredSnapshot& stored) {
  std::string parts;
  ForEachPart(*stored.snapshot, [&](const v1::SnapshotPart& part) {
    AppendNumber(static_cast<uint32_t>(part.ByteSizeLong()), &parts);
    part.AppendToString(&parts);
  });
  std::string bytes;
  bytes.reserve(kHeaderSize + parts.size() + kChecksumSize);
  bytes += std::string(kMagic);
  AppendNumber(kVersion, &bytes);
  AppendNumber(absl::ToUnixMicros(stored.saved_at), &bytes);
  AppendNumber(static_cast<uint64_t>(parts.size()), &bytes);
  bytes += parts;
  bytes += Sha256Of(bytes);
  return bytes;
}

absl::StatusOr<StoredSnapshot> DecodeSnapshot(absl::string_view bytes) {
  const absl::string_view all = bytes;
  if (all.size() < kHeaderSize + kChecksumSize) {
    return Damaged(absl::StrCat("only ", all.size(), " bytes"));
  }
  if (all.substr(0, kMagic.size()) != kMagic) return Damaged("does not begin as one does");
  bytes.remove_prefix(kMagic.size());
  const uint32_t version = TakeNumber<uint32_t>(&bytes);
  const int64_t saved_at = TakeNumber<int64_t>(&bytes);
  const uint64_t length = TakeNumber<uint64_t>(&bytes);
  const absl::string_view checked = all.substr(0, all.size() - kChecksumSize);
  absl::string_view encoded = bytes.substr(0, bytes.size() - kChecksumSize);
  std::deque<EncodedPart> parts;
  absl::Status split;
  if (version != kVersion) {
    split = absl::UnimplementedError(
        absl::StrCat("snapshot of format version ", version, ", expected ", kVersion));
  } else if (length != encoded.size()) {
    split = Damaged("its length is wrong");
  } else {
    split = Split(encoded, parts);
  }
  // Decoding begins meanwhile, but the checksum has the first word: a version that a flipped bit
  // made is no version.
  Decoding decoding(parts);
  if (Sha256Of(checked) != all.substr(checked.size())) return Damaged("its checksum is wrong");
  RETURN_IF_ERROR(split);
  ASSIGN_OR_RETURN(std::shared_ptr<const Snapshot> snapshot, Assemble(parts, decoding));
  return StoredSnapshot{std::move(snapshot), absl::FromUnixMicros(saved_at)};
}

}  // namespace autopxe::agent
