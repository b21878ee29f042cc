#include "agent/catalog/file_look.h"

namespace autopxe::agent {

bool IsSameContent(const FileStamp& a, const FileStamp& b) {
  return a.identity == b.identity && a.size == b.size && a.modified == b.modified;
}

FileLook LookAgain(const FileStamp& stamp, const FileLook* before, Writer writer,
                   bool is_folder_known, const LookTime& now) {
  FileLook look{.stamp = stamp,
                .since = now.monotonic,
                .is_open = writer == Writer::kWriting,
                .is_settled = writer == Writer::kDone,
                .image = {}};
  if (before == nullptr || before->stamp.identity != stamp.identity) {
    look.is_settled |=
        writer == Writer::kUnheard && !is_folder_known && now.wall - stamp.modified >= kClockDoubt;
    return look;
  }
  if (writer == Writer::kUnheard) look.is_open = before->is_open;
  // What was written within one tick of the file system's clock does not show in the stamp.
  if (writer == Writer::kWriting || !IsSameContent(before->stamp, stamp)) return look;
  look.since = before->since;
  if (writer == Writer::kUnheard) look.image = before->image;
  look.is_settled |=
      before->is_settled || now.monotonic - before->since >= (look.is_open ? kHeldOpen : kQuiet);
  return look;
}

}  // namespace autopxe::agent
