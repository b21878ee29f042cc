#include "ctl/input_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"
#include "ctl/exit_code.h"

namespace autopxe::ctl {
namespace {

// Room for 100,000 hosts with their labels.
constexpr size_t kMaxSize = 32 << 20;

// With the system's reason.
absl::Status CantRead(const std::string& path) {
  const int reason = errno;
  return UsageError(absl::StrCat("can't read ", Quote(path), ": ", strerror(reason)));
}

// The beginning of a file, of `size` octets at most.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t size) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CantRead(path);
  const absl::Cleanup closer = [fd] { close(fd); };
  std::string text(size, '\0');
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got = read(fd, text.data() + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CantRead(path);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  text.resize(filled);
  return text;
}

// The same of a stream, which tells no reason.
absl::StatusOr<std::string> ReadStream(std::istream& input, size_t size) {
  // Its end was seen: an empty answer would be taken for what stands there.
  if (!input.good()) return UsageError("can't read standard input: it was read already");
  std::string text(size, '\0');
  input.read(text.data(), static_cast<std::streamsize>(size));
  if (input.bad()) return UsageError("can't read standard input");
  text.resize(static_cast<size_t>(input.gcount()));
  return text;
}

}  // namespace

absl::StatusOr<std::string> ReadInput(const std::string& path, std::istream& standard_input) {
  const bool is_standard = path == "-";
  ASSIGN_OR_RETURN(std::string text, is_standard ? ReadStream(standard_input, kMaxSize + 1)
                                                 : ReadFile(path, kMaxSize + 1));
  if (text.size() > kMaxSize) {
    return UsageError(absl::StrCat(is_standard ? "standard input" : Quote(path), " is larger than ",
                                   kMaxSize >> 20, " MiB: split it"));
  }
  return text;
}

}  // namespace autopxe::ctl
