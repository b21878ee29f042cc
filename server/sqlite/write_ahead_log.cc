#include "server/sqlite/write_ahead_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace autopxe::server {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr size_t kHeaderSize = 32;
constexpr size_t kFrameHeaderSize = 24;
constexpr uint32_t kMagic = 0x377f0682;  // The lowest bit: checksums of big-endian words.

struct Checksum {
  uint32_t first = 0;
  uint32_t second = 0;

  bool operator==(const Checksum&) const = default;
};

uint32_t Word(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

Checksum Continue(Checksum sum, const unsigned char* bytes, size_t size, bool big_endian) {
  for (size_t i = 0; i < size; i += 8) {
    uint32_t words[] = {Word(bytes + i), Word(bytes + i + 4)};
    if (!big_endian) words[0] = __builtin_bswap32(words[0]), words[1] = __builtin_bswap32(words[1]);
    sum.first += words[0] + sum.second;
    sum.second += words[1] + sum.first;
  }
  return sum;
}

Checksum StoredAt(const unsigned char* bytes) { return {Word(bytes), Word(bytes + 4)}; }

absl::Status Damaged(const std::string& path, int64_t frame) {
  return absl::DataLossError(absl::StrCat(
      "write-ahead log \"", path, "\": ", frame == 0 ? "its header" : absl::StrCat("frame ", frame),
      " is damaged, and transactions that were acknowledged follow"));
}

}  // namespace

absl::Status CheckWriteAheadLog(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return absl::OkStatus();
  const auto failed = [&path] {
    return absl::UnavailableError(
        absl::StrCat("write-ahead log \"", path, "\": can't read it: ", strerror(errno)));
  };
  if (fd < 0) return failed();
  const absl::Cleanup closer = [fd] { close(fd); };
  unsigned char header[kHeaderSize];
  const ssize_t size = pread(fd, header, sizeof(header), 0);
  if (size < 0) return failed();
  if (size < static_cast<ssize_t>(sizeof(header))) return absl::OkStatus();

  bool big_endian = (Word(header) & 1) != 0;
  uint32_t page_size = Word(header + 8);
  bool holds = (Word(header) & ~1u) == kMagic &&
               Continue({}, header, 24, big_endian) == StoredAt(header + 24);
  if (!holds) {  // What this program's own logs have.
    big_endian = false;
    page_size = 4096;
  }
  std::vector<unsigned char> frame(kFrameHeaderSize + page_size);
  // Those of frames that belong together. Without a header the first frame tells them, and can't
  // itself be checked.
  unsigned char salts[8];
  memcpy(salts, header + 16, sizeof(salts));
  bool has_salts = holds;
  Checksum before = StoredAt(header + 24);
  int64_t first_damaged = 0;  // The frame, if !holds; 0: the header.
  bool has_commit = false;    // Behind that.
  for (int64_t number = 1;; ++number) {
    const ssize_t got =
        pread(fd, frame.data(), frame.size(),
              static_cast<off_t>(kHeaderSize + (number - 1) * static_cast<int64_t>(frame.size())));
    if (got < 0) return failed();
    if (got < static_cast<ssize_t>(frame.size())) return absl::OkStatus();
    if (!has_salts) memcpy(salts, &frame[8], sizeof(salts));
    has_salts = true;
    // A frame's checksum goes on from the one that the frame before it bears.
    Checksum sum = Continue(before, frame.data(), 8, big_endian);
    sum = Continue(sum, &frame[kFrameHeaderSize], page_size, big_endian);
    before = StoredAt(&frame[16]);
    const bool is_whole = memcmp(&frame[8], salts, sizeof(salts)) == 0 && sum == before;
    if (holds && !is_whole) {
      holds = false;
      first_damaged = number;
    } else if (!holds && is_whole) {
      if (has_commit) return Damaged(path, first_damaged);
      has_commit = Word(&frame[4]) != 0;  // The size of the database after it.
    }
  }
}

}  // namespace autopxe::server
