#include "common/wire/revision_wire.h"

#include <cstddef>

#include "common/status/status_macros.h"
#include "common/wire/field.h"
#include "common/wire/time_wire.h"

namespace autopxe {
namespace {

constexpr size_t kMaxUser = 128;
// An IPv6 address with zone and port as gRPC writes it takes about 70; the path of a Unix socket
// 108.
constexpr size_t kMaxOrigin = 256;
constexpr size_t kMaxRequestId = 64;

}  // namespace

v1::RevisionId ToProto(const RevisionId& id) {
  v1::RevisionId result;
  result.set_number(id.number);
  result.set_tag(id.tag);
  return result;
}

v1::Revision ToProto(const Revision& revision) {
  v1::Revision result;
  *result.mutable_id() = ToProto(revision.id);
  *result.mutable_time() = ToProto(revision.time);
  result.set_user(revision.user);
  result.set_origin(revision.origin);
  result.set_request_id(revision.request_id);
  return result;
}

absl::StatusOr<RevisionId> FromProto(const v1::RevisionId& id) {
  RETURN_IF_ERROR(CheckAtLeast("number", id.number(), 0));
  return RevisionId{id.number(), id.tag()};
}

absl::StatusOr<Revision> FromProto(const v1::Revision& revision) {
  if (!revision.has_id()) return BadField("id", "", "missing");
  const absl::StatusOr<RevisionId> id = FromProto(revision.id());
  if (!id.ok()) return Within("id", id.status());
  Revision result;
  result.id = *id;
  if (revision.has_time()) {
    ASSIGN_OR_RETURN(result.time, FromProto(revision.time(), "time"));
  }
  RETURN_IF_ERROR(CheckPrintable("user", revision.user(), kMaxUser));
  RETURN_IF_ERROR(CheckPrintable("origin", revision.origin(), kMaxOrigin));
  RETURN_IF_ERROR(CheckPrintable("request_id", revision.request_id(), kMaxRequestId));
  result.user = revision.user();
  result.origin = revision.origin();
  result.request_id = revision.request_id();
  return result;
}

}  // namespace autopxe
