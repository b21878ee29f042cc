#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/catalog/folder.h"

namespace autopxe::agent {

// Opens a loader of the loaders folder for reading; the caller owns the descriptor, which is of a
// regular file. A link is followed wherever it leads, since Debian's ipxe package has
// /usr/lib/ipxe/ipxe.efi as a link to /boot/ipxe.efi, but only to a file that is itself named as a
// loader: a link to anything else is a mistake, or worse. REQUIRES: IsLoaderName(name). Errors: the
// system's; FAILED_PRECONDITION if it is no regular file, or leads to what is not named as a
// loader.
absl::StatusOr<int> OpenLoader(const Folder& loaders, const std::string& name);

}  // namespace autopxe::agent
