#pragma once

#include "absl/time/time.h"
#include "agent/catalog/folder.h"
#include "agent/catalog/kernel_image.h"

namespace autopxe::agent {

// A file that looks the same for so long is taken for complete where nobody tells of its writer:
// longer than most copies pause.
inline constexpr absl::Duration kQuiet = absl::Seconds(2);

// The same for a file whose writer is known to have it open still: one that never closes it must
// not hide it for ever.
inline constexpr absl::Duration kHeldOpen = absl::Minutes(1);

// So far a file server's clock may be from this one.
inline constexpr absl::Duration kClockDoubt = absl::Minutes(1);

// When somebody looks.
struct LookTime {
  absl::Time wall;
  absl::Duration monotonic;
};

// What inotify has told of a file's writer since the last look.
enum class Writer {
  kUnheard,  // Nothing: where nothing watches, that is all there ever is.
  kWriting,  // It has written, and not closed the file since.
  kDone,     // It has closed the file, or moved it there.
};

// What a boot file looked like.
struct FileLook {
  FileStamp stamp;
  absl::Duration since;     // Monotonic: when it was first seen like this.
  bool is_open = false;     // Its writer has not closed it, as far as inotify tells.
  bool is_settled = false;  // Nobody writes it, as far as can be told.
  KernelImage image;        // Of a kernel.
};

// Whether it is one file with the same bytes, as far as stamps tell; its mode or its name may be
// other ones.
bool IsSameContent(const FileStamp& a, const FileStamp& b);

// Looks at a file again. `before`: what it looked like last time, or null. `is_folder_known`: its
// release was looked at before, so a file that was not there then has come since. Settled is
//   what its writer is done with;
//   what has looked the same for kQuiet, or for kHeldOpen while it is open;
//   a file of a release that is new here too, if it was modified longer ago than kClockDoubt. That
//   alone compares clocks: an agent that starts must not wait for files that were there for years.
// So no file server's clock, however wrong, keeps a file back for ever, and one that is behind by
// more than kClockDoubt shows a file too early only if the agent starts, or its whole release
// comes, while it is copied.
//
// The image is that of `before` as long as nothing was written.
FileLook LookAgain(const FileStamp& stamp, const FileLook* before, Writer writer,
                   bool is_folder_known, const LookTime& now);

}  // namespace autopxe::agent
