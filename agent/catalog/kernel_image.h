#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/model/architecture.h"

namespace autopxe::agent {

// What a kernel's header says of it.
struct KernelImage {
  Architecture architecture = Architecture::kUnknown;
  // The whole file has so many bytes at the least: 0 where the header does not tell.
  uint64_t min_size = 0;

  friend bool operator==(const KernelImage&, const KernelImage&) = default;
};

// How much of a file's beginning tells all that can be told: more is not looked at.
inline constexpr size_t kKernelImagePrefix = 4096;

// Reads the first kKernelImagePrefix bytes of a kernel, or all of a shorter one. Knows:
//   x86      bzImage (Documentation/arch/x86/boot.rst). Before protocol 2.12 (Linux 3.8) its header
//            does not tell 64 bits from 32: unknown.
//   arm64, riscv64  Image (Documentation/arch/{arm64/booting,riscv/boot-image-header}.rst), plain
//   or
//            in gzip
//   arm32    zImage
//   any      EFI programs (the COFF header's machine), EFI zboot among them
// Everything else is unknown.
KernelImage ParseKernelImage(absl::string_view prefix);

}  // namespace autopxe::agent
