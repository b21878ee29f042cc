#include "common/runtime/random_id.h"

#include <sys/random.h>

#include <cerrno>

#include "absl/base/internal/raw_logging.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace autopxe {

std::string BuildRandomId() {
  char bytes[16];
  // Up to 256 bytes getrandom gives whole, once the kernel's generator is ready (getrandom(2)).
  ssize_t n;
  do {
    n = getrandom(bytes, sizeof(bytes), 0);
  } while (n < 0 && errno == EINTR);
  ABSL_RAW_CHECK(n == sizeof(bytes), "getrandom failed");
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

}  // namespace autopxe
