// What an HTTP request line asks for.
#include <cstddef>
#include <cstdint>

#include "absl/strings/match.h"
#include "agent/http/request_target.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using autopxe::Require;
  const absl::string_view input(reinterpret_cast<const char*>(bytes), size);
  const auto target = autopxe::agent::ParseRequestTarget(input);
  if (!target.ok()) {
    Require(target.status().message().size() < 1024, "an error shows the target cut");
    return 0;
  }
  Require(absl::StartsWith(target->path, "/"), "a path begins with '/'");
  Require(!absl::StrContains(target->path, '\0'), "a path has no NUL");
  Require(target->path.size() <= size, "nothing gets longer when it is decoded");
  for (const auto& [name, value] : target->query) {
    Require(!absl::StrContains(name, '\0') && !absl::StrContains(value, '\0'),
            "a query has no NUL");
  }
  return 0;
}
