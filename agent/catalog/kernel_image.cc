#include "agent/catalog/kernel_image.h"

#include <zlib.h>

#include <algorithm>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"

namespace autopxe::agent {
namespace {

// Little-endian numbers at offsets; what is beyond the end is 0.
class Bytes {
 public:
  explicit Bytes(absl::string_view bytes) : bytes_(bytes) {}

  uint64_t U64(uint64_t offset) const { return Number(offset, 8); }
  uint32_t U32(uint64_t offset) const { return static_cast<uint32_t>(Number(offset, 4)); }
  uint16_t U16(uint64_t offset) const { return static_cast<uint16_t>(Number(offset, 2)); }
  uint8_t U8(uint64_t offset) const { return static_cast<uint8_t>(Number(offset, 1)); }

  bool Has(uint64_t offset, absl::string_view text) const {
    return offset <= bytes_.size() && absl::StartsWith(bytes_.substr(offset), text);
  }

 private:
  uint64_t Number(uint64_t offset, uint64_t size) const {
    if (size > bytes_.size() || offset > bytes_.size() - size) return 0;
    uint64_t number = 0;
    for (uint64_t i = size; i-- > 0;) {
      number = number << 8 | static_cast<unsigned char>(bytes_[offset + i]);
    }
    return number;
  }

  const absl::string_view bytes_;
};

constexpr absl::string_view kGzip = "\x1f\x8b\x08";

// The beginning of what is in a gzip member, as far as `prefix` holds it.
std::string Inflate(absl::string_view prefix) {
  z_stream stream = {};
  constexpr int kGzipOnly = 16;  // Added to the window's bits: a gzip header is expected.
  if (inflateInit2(&stream, MAX_WBITS + kGzipOnly) != Z_OK) return "";
  const absl::Cleanup end = [&stream] { inflateEnd(&stream); };
  std::string inner(kKernelImagePrefix, '\0');
  // zlib does not write to its input.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(prefix.data()));
  stream.avail_in = static_cast<uInt>(prefix.size());
  stream.next_out = reinterpret_cast<Bytef*>(inner.data());
  stream.avail_out = static_cast<uInt>(inner.size());
  // An error is that of what has not been copied yet, or of no gzip at all: what came before it
  // counts.
  inflate(&stream, Z_SYNC_FLUSH);
  inner.resize(inner.size() - stream.avail_out);
  return inner;
}

// The machine of a COFF header, by the numbers of the PE format's specification.
Architecture OfMachine(uint16_t machine) {
  switch (machine) {
    case 0x014c:
      return Architecture::kI386;
    case 0x8664:
      return Architecture::kX86_64;
    case 0x01c0:  // ARM,
    case 0x01c2:  // Thumb,
    case 0x01c4:  // Thumb-2.
      return Architecture::kArm32;
    case 0xaa64:
      return Architecture::kArm64;
    case 0x5064:
      return Architecture::kRiscv64;
    default:
      return Architecture::kUnknown;
  }
}

// An EFI program: machine, and the end of its last section.
KernelImage ParsePe(const Bytes& bytes) {
  KernelImage image;
  const uint64_t header = bytes.U32(0x3c);
  if (!bytes.Has(header, absl::string_view("PE\0\0", 4))) return image;
  image.architecture = OfMachine(bytes.U16(header + 4));
  constexpr uint64_t kHeader = 24;
  constexpr uint64_t kSection = 40;
  const uint64_t sections = bytes.U16(header + 6);
  const uint64_t first = header + kHeader + bytes.U16(header + 20);
  for (uint64_t i = 0; i < sections && first + i * kSection < kKernelImagePrefix; ++i) {
    const uint64_t section = first + i * kSection;
    const uint64_t size = bytes.U32(section + 16);
    const uint64_t offset = bytes.U32(section + 20);
    if (size > 0) image.min_size = std::max(image.min_size, offset + size);
  }
  return image;
}

KernelImage ParseBzImage(const Bytes& bytes) {
  constexpr uint16_t kHasXloadflags = 0x020c;
  constexpr uint16_t kHasLongSyssize = 0x0204;
  constexpr uint16_t kXlfKernel64 = 1;
  KernelImage image;
  const uint16_t version = bytes.U16(0x206);
  if (version >= kHasXloadflags) {
    image.architecture =
        (bytes.U16(0x236) & kXlfKernel64) != 0 ? Architecture::kX86_64 : Architecture::kI386;
  }
  if (version >= kHasLongSyssize) {
    const uint64_t setup = bytes.U8(0x1f1) == 0 ? 4 : bytes.U8(0x1f1);
    image.min_size = (setup + 1) * 512 + uint64_t{bytes.U32(0x1f4)} * 16;
  }
  return image;
}

// An Image's own size counts the memory that it clears, so it is more than the file's; its EFI
// header knows the file's.
KernelImage ParseImage(const Bytes& bytes, Architecture architecture) {
  KernelImage image;
  if (bytes.Has(0, "MZ")) image = ParsePe(bytes);
  image.architecture = architecture;
  return image;
}

}  // namespace

KernelImage ParseKernelImage(absl::string_view prefix) {
  prefix = prefix.substr(0, kKernelImagePrefix);
  if (absl::StartsWith(prefix, kGzip)) {
    const std::string inner = Inflate(prefix);
    // Nobody compresses twice.
    if (absl::StartsWith(inner, kGzip)) return {};
    return {.architecture = ParseKernelImage(inner).architecture, .min_size = 0};
  }
  const Bytes bytes(prefix);
  if (bytes.Has(0x202, "HdrS")) return ParseBzImage(bytes);
  if (bytes.Has(0x38, "ARM\x64")) return ParseImage(bytes, Architecture::kArm64);
  if (bytes.Has(0x30, absl::string_view("RISCV\0\0\0", 8))) {
    // 32 bits have the same header: they load at 4 MiB, 64 bits at 2 MiB (or 0, in machine mode).
    const bool is_32_bits = bytes.U64(8) == 0x400000;
    return ParseImage(bytes, is_32_bits ? Architecture::kUnknown : Architecture::kRiscv64);
  }
  if (bytes.Has(0, "MZ")) {
    KernelImage image = ParsePe(bytes);
    if (bytes.Has(4, "zimg")) {
      image.min_size = std::max(image.min_size, uint64_t{bytes.U32(8)} + bytes.U32(12));
    }
    // 32-bit ARM's zImage with an EFI header is both; both say the same.
    return image;
  }
  if (bytes.U32(0x24) == 0x016f2818 && bytes.U32(0x2c) >= bytes.U32(0x28)) {
    return {.architecture = Architecture::kArm32, .min_size = bytes.U32(0x2c) - bytes.U32(0x28)};
  }
  return {};
}

}  // namespace autopxe::agent
