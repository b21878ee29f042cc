#pragma once

#include "absl/strings/string_view.h"

namespace autopxe {

// Compares two Debian versions as `dpkg --compare-versions` does (deb-version(7)): below 0 if `a`
// is older, 0 if they are the same, above 0 if it is newer. Any text is accepted; a character that
// dpkg would refuse sorts by its code as a non-letter.
int CompareDebianVersions(absl::string_view a, absl::string_view b);

// Compares two strings "version-release" as RPM's rpmvercmp does for version, then for release.
int CompareRpmVersions(absl::string_view a, absl::string_view b);

}  // namespace autopxe
