#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/catalog/folder.h"

namespace autopxe::agent {

// Opens a kernel or an initrd below `folder` for reading; the caller owns the descriptor, which is
// of a regular file. A link is followed inside the folder, since Debian's vmlinuz is one to
// boot/vmlinuz-<version>, but only to a file that is itself named as a kernel or an initrd: a link
// to anything else, etc/shadow say, would serve the tree around the boot files. Errors: the
// system's; FAILED_PRECONDITION if it is no regular file, or leads to what is not named so.
absl::StatusOr<int> OpenBootFile(const Folder& folder, const std::string& path);

}  // namespace autopxe::agent
