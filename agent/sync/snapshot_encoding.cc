#include "agent/sync/snapshot_encoding.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "autopxe/v1/agent.pb.h"
#include "common/digest/sha256.h"
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
  absl::string_view bytes;
  // What DecodePart makes of it.
  bool is_whole = false;
  v1::SnapshotPart rest = {};  // Without its hosts.
  absl::StatusOr<std::vector<std::shared_ptr<const Host>>> hosts = absl::UnknownError("");
};

void DecodePart(PartArena& arena, EncodedPart& encoded) {
  v1::SnapshotPart& part = arena.Begin();
  encoded.is_whole =
      part.ParseFromArray(encoded.bytes.data(), static_cast<int>(encoded.bytes.size()));
  if (!encoded.is_whole) return;
  encoded.hosts = HostsFromProto(part);
  part.clear_hosts();
  encoded.rest = part;
}

// On as many threads as are worth it: an agent serves nobody until it has done this.
void DecodeParts(std::vector<EncodedPart>& encoded) {
  constexpr size_t kPartsForAThread = 20;
  constexpr size_t kMostThreads = 4;
  std::atomic<size_t> next = 0;
  const auto decode = [&] {
    PartArena arena;
    for (size_t i = next++; i < encoded.size(); i = next++) DecodePart(arena, encoded[i]);
  };
  const size_t threads = std::min({encoded.size() / kPartsForAThread, kMostThreads,
                                   static_cast<size_t>(std::thread::hardware_concurrency())});
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(decode);
  decode();
  for (std::thread& other : others) other.join();
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
  // The checksum first: a version that a flipped bit made is no version.
  if (Sha256Of(checked) != all.substr(checked.size())) return Damaged("its checksum is wrong");
  if (version != kVersion) {
    return absl::UnimplementedError(
        absl::StrCat("snapshot of format version ", version, ", expected ", kVersion));
  }
  absl::string_view parts = bytes.substr(0, bytes.size() - kChecksumSize);
  if (length != parts.size()) return Damaged("its length is wrong");

  std::vector<EncodedPart> encoded;
  while (!parts.empty()) {
    if (parts.size() < sizeof(uint32_t)) return Damaged("a part is cut");
    const uint32_t size = TakeNumber<uint32_t>(&parts);
    if (size > parts.size()) return Damaged("a part is cut");
    encoded.push_back({.bytes = parts.substr(0, size)});
    parts.remove_prefix(size);
  }
  DecodeParts(encoded);

  SnapshotAssembler assembler;
  absl::optional<std::shared_ptr<const Snapshot>> snapshot;
  for (EncodedPart& part : encoded) {
    if (snapshot.has_value()) return Damaged("parts behind the last one");
    if (!part.is_whole) return Damaged("a part is cut");
    auto added = assembler.Add(part.rest, std::move(part.hosts));
    if (!added.ok()) return Damaged(added.status().message());
    snapshot = *std::move(added);
  }
  if (!snapshot.has_value()) return Damaged("its last part is missing");
  return StoredSnapshot{*std::move(snapshot), absl::FromUnixMicros(saved_at)};
}

}  // namespace autopxe::agent
