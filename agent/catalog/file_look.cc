#include "agent/catalog/file_look.h"

namespace autopxe::agent {
namespace {

// Whether its bytes are the same; its mode or its name may not be.
bool IsSameContent(const FileStamp& a, const FileStamp& b) {
  return a.identity == b.identity && a.size == b.size && a.modified == b.modified;
}

}  // namespace

FileLook LookAgain(const FileStamp& stamp, const FileLook* before, bool is_closed,
                   const LookTime& now) {
  FileLook look{.stamp = stamp, .since = now.monotonic, .is_settled = is_closed, .image = {}};
  if (before != nullptr && IsSameContent(before->stamp, stamp)) {
    look.since = before->since;
    look.image = before->image;
    look.is_settled |= before->is_settled || now.monotonic - before->since >= kQuiet;
    return look;
  }
  // One that changes here is being written, whatever time its file server gives it.
  const bool is_new = before == nullptr || before->stamp.identity != stamp.identity;
  look.is_settled |= is_new && now.wall - stamp.modified >= kQuiet;
  return look;
}

}  // namespace autopxe::agent
