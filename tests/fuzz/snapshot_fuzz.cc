// A snapshot file: as it is, and as the parts of one whose header and checksum are right, which no
// fuzzer guesses.
#include <cstddef>
#include <cstdint>
#include <string>

#include "agent/sync/snapshot_encoding.h"
#include "common/digest/sha256.h"
#include "tests/fuzz/require.h"

namespace autopxe::agent {
namespace {

void CheckFile(absl::string_view bytes) {
  const absl::StatusOr<StoredSnapshot> stored = DecodeSnapshot(bytes);
  if (!stored.ok()) return;
  // What a part has and this version does not know is lost, so the bytes may differ; but written by
  // this version it is whole.
  const std::string encoded = EncodeSnapshot(*stored);
  const absl::StatusOr<StoredSnapshot> again = DecodeSnapshot(encoded);
  Require(again.ok(), "a snapshot that is written again can be read");
  Require(again->saved_at == stored->saved_at &&
              again->snapshot->revision() == stored->snapshot->revision() &&
              again->snapshot->settings() == stored->snapshot->settings() &&
              again->snapshot->profiles() == stored->snapshot->profiles() &&
              again->snapshot->host_count() == stored->snapshot->host_count(),
          "a snapshot that is written again is the same");
}

std::string FileOf(absl::string_view parts) {
  std::string file("APXESNAP\1\0\0\0\0\0\0\0\0\0\0\0", 20);
  for (size_t i = 0; i < 8; ++i) file += static_cast<char>(uint64_t{parts.size()} >> (8 * i));
  file.append(parts.data(), parts.size());
  file += Sha256Of(file);
  return file;
}

}  // namespace
}  // namespace autopxe::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(bytes), size);
  autopxe::agent::CheckFile(input);
  autopxe::agent::CheckFile(autopxe::agent::FileOf(input));
  return 0;
}
