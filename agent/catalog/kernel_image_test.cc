#include "agent/catalog/kernel_image.h"

#include <zlib.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

// A file of `size` bytes, with numbers put into it.
class File {
 public:
  explicit File(size_t size) : bytes_(size, '\0') {}

  File& Put(size_t offset, absl::string_view text) {
    bytes_.replace(offset, text.size(), text.data(), text.size());
    return *this;
  }
  File& Put(size_t offset, uint64_t number, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      bytes_[offset + i] = static_cast<char>(number >> (8 * i) & 0xff);
    }
    return *this;
  }
  // "MZ", and a COFF header with sections of (offset, size).
  File& PutPe(uint16_t machine, const std::vector<std::pair<uint32_t, uint32_t>>& sections) {
    Put(0, "MZ").Put(0x3c, 0x80, 4).Put(0x80, "PE").Put(0x84, machine, 2);
    Put(0x86, sections.size(), 2).Put(0x94, 240, 2);
    size_t section = 0x80 + 24 + 240;
    for (const auto& [offset, size] : sections) {
      Put(section + 16, size, 4).Put(section + 20, offset, 4);
      section += 40;
    }
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

File BzImage(uint16_t version, uint16_t xloadflags) {
  return File(4096)
      .Put(0x1f1, 39, 1)
      .Put(0x1f4, 512544, 4)
      .Put(0x202, "HdrS")
      .Put(0x206, version, 2)
      .Put(0x236, xloadflags, 2);
}

std::string Gzip(const std::string& bytes) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  std::string copy = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

std::string Noise(size_t size) {
  std::mt19937 random(11);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

const absl::string_view kRiscv("RISCV\0\0\0", 8);

TEST(KernelImageTest, HeadersTellArchitectureAndSize) {
  const std::string arm64 = File(4096).Put(0x38, "ARM\x64").bytes();
  const struct {
    const char* what;
    std::string bytes;
    Architecture architecture;
    uint64_t min_size;
  } kCases[] = {
      // The numbers of Debian 12's own kernel, which is 8,222,656 bytes with its signature.
      {"bzImage", BzImage(0x20f, 0x7f).bytes(), Architecture::kX86_64, 8'221'184},
      {"bzImage, 32 bits", BzImage(0x20f, 0x0).bytes(), Architecture::kI386, 8'221'184},
      {"bzImage with an EFI header", BzImage(0x20f, 0x7f).PutPe(0x8664, {{512, 99}}).bytes(),
       Architecture::kX86_64, 8'221'184},
      {"bzImage before 2.12", BzImage(0x20a, 0x0).bytes(), Architecture::kUnknown, 8'221'184},
      {"bzImage before 2.04", BzImage(0x203, 0x0).bytes(), Architecture::kUnknown, 0},
      {"bzImage of 4 sectors", BzImage(0x20f, 0x1).Put(0x1f1, 0, 1).bytes(), Architecture::kX86_64,
       5 * 512 + 512544 * 16},
      {"arm64", arm64, Architecture::kArm64, 0},
      // The Image's own size (at 16) counts memory, not the file.
      {"arm64 with an EFI header",
       File(4096)
           .PutPe(0xaa64, {{0x10000, 0x1000000}, {0x1010000, 0x500000}})
           .Put(0x38, "ARM\x64")
           .Put(16, 0x9000000, 8)
           .bytes(),
       Architecture::kArm64, 0x1510000},
      {"arm64, gzip", Gzip(arm64), Architecture::kArm64, 0},
      {"arm64, gzip, cut", Gzip(arm64 + Noise(100'000)).substr(0, kKernelImagePrefix),
       Architecture::kArm64, 0},
      {"gzip of gzip", Gzip(Gzip(arm64)), Architecture::kUnknown, 0},
      {"riscv64", File(4096).Put(8, 0x200000, 8).Put(0x30, kRiscv).bytes(), Architecture::kRiscv64,
       0},
      {"riscv32", File(4096).Put(8, 0x400000, 8).Put(0x30, kRiscv).bytes(), Architecture::kUnknown,
       0},
      {"riscv64, gzip", Gzip(File(4096).Put(8, 0x200000, 8).Put(0x30, kRiscv).bytes()),
       Architecture::kRiscv64, 0},
      {"EFI zboot",
       File(4096)
           .PutPe(0xaa64, {{512, 1000}})
           .Put(4, "zimg")
           .Put(8, 4096, 4)
           .Put(12, 9'000'000, 4)
           .bytes(),
       Architecture::kArm64, 9'004'096},
      {"EFI, riscv64", File(4096).PutPe(0x5064, {{1024, 5000}}).bytes(), Architecture::kRiscv64,
       6024},
      {"EFI, arm32", File(4096).PutPe(0x1c2, {}).bytes(), Architecture::kArm32, 0},
      {"EFI, i386", File(4096).PutPe(0x14c, {}).bytes(), Architecture::kI386, 0},
      {"EFI, another machine", File(4096).PutPe(0x6264, {}).bytes(), Architecture::kUnknown, 0},
      {"EFI header beyond the prefix", File(4096).Put(0, "MZ").Put(0x3c, 0xfffffff0, 4).bytes(),
       Architecture::kUnknown, 0},
      {"EFI with more sections than there are",
       File(4096).PutPe(0x8664, {}).Put(0x86, 0xffff, 2).bytes(), Architecture::kX86_64, 0},
      {"arm32", File(64).Put(0x24, 0x016f2818, 4).Put(0x28, 0, 4).Put(0x2c, 7'000'000, 4).bytes(),
       Architecture::kArm32, 7'000'000},
      {"MZ alone", "MZ", Architecture::kUnknown, 0},
      {"gzip alone", "\x1f\x8b\x08", Architecture::kUnknown, 0},
      {"text", "kernel 6.1", Architecture::kUnknown, 0},
      {"nothing", "", Architecture::kUnknown, 0},
      // What is behind the prefix does not count.
      {"late", std::string(kKernelImagePrefix, ' ') + arm64, Architecture::kUnknown, 0},
  };
  for (const auto& c : kCases) {
    const KernelImage image = ParseKernelImage(c.bytes);
    EXPECT_EQ(FormatArchitecture(image.architecture), FormatArchitecture(c.architecture)) << c.what;
    EXPECT_EQ(image.min_size, c.min_size) << c.what;
  }
}

TEST(KernelImageTest, NoBytesDoHarm) {
  std::mt19937 random(5);
  const std::vector<std::string> seeds = {
      BzImage(0x20f, 0x7f).bytes(), File(4096).PutPe(0xaa64, {{512, 1000}, {4096, 8}}).bytes(),
      Gzip(Noise(3000)), File(64).Put(0x24, 0x016f2818, 4).bytes(), Noise(4096)};
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes = seeds[random() % seeds.size()];
    for (int n = 0; n < 8; ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
    // The headers' own numbers more often than the rest.
    bytes[random() % 0x40 % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    ParseKernelImage(bytes);
  }
}

}  // namespace
}  // namespace autopxe::agent
