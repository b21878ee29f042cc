#include "server/services/encoded_feed.h"

#include <algorithm>
#include <utility>

#include "absl/base/internal/raw_logging.h"
#include "absl/types/optional.h"
#include "common/wire/change_wire.h"
#include "common/wire/snapshot_wire.h"
#include "grpcpp/impl/codegen/proto_utils.h"

namespace autopxe::server {
namespace {

// Watchers ask for the same few changes at about the same time; one that is further behind has its
// own encoded again.
constexpr size_t kKeptChanges = 64;
constexpr size_t kKeptBytes = 16 << 20;

}  // namespace

grpc::ByteBuffer Encode(const v1::WatchConfigurationResponse& response) {
  grpc::ByteBuffer bytes;
  bool own = false;
  const grpc::Status status =
      grpc::SerializationTraits<v1::WatchConfigurationResponse>::Serialize(response, &bytes, &own);
  ABSL_RAW_CHECK(status.ok(), "a message that this program built does not serialize");
  return bytes;
}

std::shared_ptr<const grpc::ByteBuffer> EncodedFeed::EncodeChange(
    const std::shared_ptr<const Change>& change) {
  absl::MutexLock lock(&changes_mutex_);
  for (auto kept = changes_.rbegin(); kept != changes_.rend(); ++kept) {
    if (kept->change == change) return kept->bytes;
  }
  v1::WatchConfigurationResponse response;
  *response.mutable_change() = ToProto(*change);
  std::shared_ptr<const grpc::ByteBuffer> bytes;
  if (response.ByteSizeLong() <= kMaxChangeBytes) {
    bytes = std::make_shared<const grpc::ByteBuffer>(Encode(response));
    changes_bytes_ += bytes->Length();
  }
  ++encoded_changes_;
  changes_.push_back({change, bytes});
  while (changes_.size() > kKeptChanges || changes_bytes_ > kKeptBytes) {
    if (changes_.front().bytes != nullptr) changes_bytes_ -= changes_.front().bytes->Length();
    changes_.pop_front();
  }
  return bytes;
}

bool EncodedFeed::IsRecent(int64_t at_least) const {
  if (snapshot_ == nullptr || snapshot_->revision.number < at_least) return false;
  const absl::optional<size_t> behind = feed_.ResourcesAfter(snapshot_->revision);
  return behind.has_value() && *behind <= std::max(kMinBehind, snapshot_->hosts / 8);
}

std::shared_ptr<const EncodedSnapshot> EncodedFeed::EncodeSnapshot(int64_t at_least) {
  absl::MutexLock lock(&snapshot_mutex_);
  if (IsRecent(at_least)) return snapshot_;
  const std::shared_ptr<const Snapshot> current = feed_.Current();
  auto encoded = std::make_shared<EncodedSnapshot>();
  encoded->revision = current->revision().id;
  encoded->hosts = current->host_count();
  ForEachPart(*current, [&](v1::SnapshotPart& part) {
    v1::WatchConfigurationResponse response;
    // Lent, since a copy of a part costs what it took to make it.
    response.unsafe_arena_set_allocated_snapshot(&part);
    encoded->parts.push_back(Encode(response));
    response.unsafe_arena_release_snapshot();
  });
  ++encoded_snapshots_;
  snapshot_ = std::move(encoded);
  return snapshot_;
}

size_t EncodedFeed::encoded_changes() const {
  absl::MutexLock lock(&changes_mutex_);
  return encoded_changes_;
}

size_t EncodedFeed::encoded_snapshots() const {
  absl::MutexLock lock(&snapshot_mutex_);
  return encoded_snapshots_;
}

}  // namespace autopxe::server
