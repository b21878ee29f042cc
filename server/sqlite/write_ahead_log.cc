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
// What a disk writes whole or not at all, at the least.
constexpr int64_t kSector = 512;

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

// What Continue() made into `sum`.
Checksum Rewind(Checksum sum, const unsigned char* bytes, size_t size, bool big_endian) {
  for (size_t i = size; i > 0; i -= 8) {
    uint32_t words[] = {Word(bytes + i - 8), Word(bytes + i - 4)};
    if (!big_endian) words[0] = __builtin_bswap32(words[0]), words[1] = __builtin_bswap32(words[1]);
    sum.second -= words[1] + sum.first;
    sum.first -= words[0] + sum.second;
  }
  return sum;
}

Checksum StoredAt(const unsigned char* bytes) { return {Word(bytes), Word(bytes + 4)}; }

// One frame: the number of a page, the size in pages of the database after the transaction that
// ends with it or else 0, two salts, two words of checksum, and the page.
class Frame {
 public:
  Frame(size_t page_size, bool big_endian)
      : bytes_(kFrameHeaderSize + page_size), page_size_(page_size), big_endian_(big_endian) {}

  unsigned char* bytes() { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  const unsigned char* salts() const { return &bytes_[8]; }
  Checksum stored() const { return StoredAt(&bytes_[16]); }
  uint32_t pages() const { return Word(&bytes_[4]); }
  bool ends_transaction() const { return pages() != 0; }

  // The one that it should bear if the frame before it bears `before`.
  Checksum SumAfter(Checksum before) const {
    return Continue(Continue(before, bytes_.data(), 8, big_endian_), page(), page_size_,
                    big_endian_);
  }

  // Whether this frame, which does not hold, ended a transaction, by what it says itself. A power
  // failure while a frame is written leaves some of its sectors, and whatever was there before in
  // place of the others. `offset`: of the frame in the log.
  bool SaysThatItEndedTransaction(Checksum before, bool has_our_salts, int64_t offset) const {
    if (!ends_transaction()) return false;
    // No checksum covers the salts.
    if (!has_our_salts) return SumAfter(before) == stored();
    // It was written with our salts, unless a sector ends between the two.
    const int64_t last = offset + static_cast<int64_t>(kFrameHeaderSize) - 1;
    return offset / kSector == last / kSector;
  }

  // With how many pages it would hold, if nothing else is wrong with it; else most likely 0.
  uint32_t PagesToHold(Checksum before) const {
    const Checksum after = Rewind(stored(), page(), page_size_, big_endian_);
    const uint32_t number = after.first - before.first - before.second;
    const uint32_t pages = after.second - before.second - after.first;
    if (AsStored(number) != Word(bytes_.data())) return 0;
    return AsStored(pages);
  }

 private:
  uint32_t AsStored(uint32_t word) const { return big_endian_ ? word : __builtin_bswap32(word); }
  const unsigned char* page() const { return &bytes_[kFrameHeaderSize]; }

  std::vector<unsigned char> bytes_;
  const size_t page_size_;
  const bool big_endian_;
};

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
  Frame frame(page_size, big_endian);
  // Those of frames that belong together. Without a header the first frame tells them, and can't
  // itself be checked.
  unsigned char salts[8];
  memcpy(salts, header + 16, sizeof(salts));
  bool has_salts = holds;
  // A frame's checksum goes on from the one that the frame before it bears, or, behind the first
  // thing that is damaged, from the one that it should bear.
  Checksum before = StoredAt(header + 24);
  Checksum should_be = Continue({}, header, 24, big_endian);
  int64_t first_damaged = 0;  // The frame, if !holds; 0: the header.
  // Of the frames before this one that hold and follow one another, behind what is damaged.
  bool has_commit = false;
  // They follow right on something that was synced before the first of them was written: the
  // header, or the end of a transaction.
  bool follows_synced = !holds;
  uint32_t pages = 0;  // Of the database, after the last transaction that holds.
  // Or such an end with a damaged number of pages: this one. Taken for that only if it is the
  // number before or after: of a torn frame any number comes out.
  uint32_t damaged_pages = 0;
  for (int64_t number = 1;; ++number) {
    const int64_t offset =
        static_cast<int64_t>(kHeaderSize) + (number - 1) * static_cast<int64_t>(frame.size());
    const ssize_t got = pread(fd, frame.bytes(), frame.size(), offset);
    if (got < 0) return failed();
    if (got < static_cast<ssize_t>(frame.size())) return absl::OkStatus();
    if (!has_salts) memcpy(salts, frame.salts(), sizeof(salts));
    has_salts = true;
    const bool has_our_salts = memcmp(frame.salts(), salts, sizeof(salts)) == 0;
    const Checksum sum = frame.SumAfter(before);
    const bool is_whole =
        has_our_salts &&
        (sum == frame.stored() || (!holds && frame.SumAfter(should_be) == frame.stored()));
    if (holds && !is_whole) {
      holds = false;
      first_damaged = number;
      follows_synced = frame.SaysThatItEndedTransaction(before, has_our_salts, offset);
      if (has_our_salts) damaged_pages = frame.PagesToHold(before);
      if (damaged_pages > 0 && damaged_pages == pages) follows_synced = true;
    } else if (!is_whole) {
      // What follows may be left of a transaction that another has been written over.
      has_commit = false;
      follows_synced = false;
      damaged_pages = 0;
    } else if (!holds) {
      const bool follows_end = follows_synced || frame.pages() == damaged_pages;
      if (has_commit || (follows_end && frame.ends_transaction())) {
        return Damaged(path, first_damaged);
      }
      has_commit = frame.ends_transaction();
    } else if (frame.ends_transaction()) {
      pages = frame.pages();
    }
    should_be = sum;
    before = frame.stored();
  }
}

}  // namespace autopxe::server
