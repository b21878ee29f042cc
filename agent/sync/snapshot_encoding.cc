#include "agent/sync/snapshot_encoding.h"

#include <cstddef>
#include <cstdint>

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

}  // namespace

std::string EncodeSnapshot(const StoredSnapshot& stored) {
  std::string parts;
  for (const v1::SnapshotPart& part : ToProto(*stored.snapshot)) {
    AppendNumber(static_cast<uint32_t>(part.ByteSizeLong()), &parts);
    part.AppendToString(&parts);
  }
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

  SnapshotAssembler assembler;
  absl::optional<std::shared_ptr<const Snapshot>> snapshot;
  while (!parts.empty()) {
    if (snapshot.has_value()) return Damaged("parts behind the last one");
    if (parts.size() < sizeof(uint32_t)) return Damaged("a part is cut");
    const uint32_t size = TakeNumber<uint32_t>(&parts);
    v1::SnapshotPart part;
    if (size > parts.size() || !part.ParseFromArray(parts.data(), static_cast<int>(size))) {
      return Damaged("a part is cut");
    }
    parts.remove_prefix(size);
    auto added = assembler.Add(part);
    if (!added.ok()) return Damaged(added.status().message());
    snapshot = *std::move(added);
  }
  if (!snapshot.has_value()) return Damaged("its last part is missing");
  return StoredSnapshot{*std::move(snapshot), absl::FromUnixMicros(saved_at)};
}

}  // namespace autopxe::agent
