#include "agent/catalog/loader_name.h"

#include "absl/strings/match.h"
#include "common/model/distro.h"

namespace autopxe::agent {

bool IsLoaderName(absl::string_view name) {
  if (!Distro::IsPart(name)) return false;
  for (const absl::string_view ending : {".efi", ".pxe", ".kpxe", ".kkpxe", ".kkkpxe", ".lkrn"}) {
    if (absl::EndsWithIgnoreCase(name, ending)) return true;
  }
  return false;
}

}  // namespace autopxe::agent
