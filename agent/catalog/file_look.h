#pragma once

#include "absl/time/time.h"
#include "agent/catalog/folder.h"
#include "agent/catalog/kernel_image.h"

namespace autopxe::agent {

// A file that looks the same for so long is taken for complete: longer than a copy under way
// pauses.
inline constexpr absl::Duration kQuiet = absl::Seconds(2);

// When somebody looks.
struct LookTime {
  absl::Time wall;
  absl::Duration monotonic;
};

// What a boot file looked like.
struct FileLook {
  FileStamp stamp;
  absl::Duration since;     // Monotonic: when it was first seen like this.
  bool is_settled = false;  // Nobody writes it, as far as can be told.
  KernelImage image;        // Of a kernel.
};

// Looks at a file again. `before`: what it looked like last time, or null. `is_closed`: inotify
// says that its writer has closed it since, or moved it there. Settled is what was closed, what has
// looked the same for kQuiet, and a file that is new here and was modified longer ago than that: no
// comparison of clocks keeps a file back for ever, however wrong a file server's is.
//
// The image is that of `before` as long as nothing changed.
FileLook LookAgain(const FileStamp& stamp, const FileLook* before, bool is_closed,
                   const LookTime& now);

}  // namespace autopxe::agent
