// What a path that a host asks for says by its form.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/content/requested_path.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using autopxe::Require;
  using autopxe::agent::FormatRequestedPath;
  using autopxe::agent::ParseRequestedPath;
  const auto path = ParseRequestedPath({reinterpret_cast<const char*>(bytes), size});
  if (!path.ok()) return 0;
  const std::string formatted = FormatRequestedPath(*path);
  Require(!absl::StartsWith(formatted, "/"), "a path is relative");
  Require(!absl::StrContains(absl::StrCat("/", formatted, "/"), "/../"),
          "a path leads out of nothing");
  const auto again = ParseRequestedPath(formatted);
  Require(again.ok() && *again == *path, "a path that is written again is the same");
  return 0;
}
