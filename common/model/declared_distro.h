#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "common/model/architecture.h"
#include "common/model/boot_file.h"
#include "common/model/command_line_template.h"
#include "common/model/name.h"

namespace autopxe {

// More are an import that went wrong.
inline constexpr size_t kMaxDeclaredDistros = 1'000;
// More is a mistake, and would fill a script.
inline constexpr size_t kMaxDeclaredInitrds = 16;

// A kernel with its initrds, in the order in which the kernel gets them.
struct DeclaredKernel {
  BootFile kernel;
  std::vector<BootFile> initrds;  // Up to kMaxDeclaredInitrds; may be empty.
  CommandLineTemplate arguments;

  friend bool operator==(const DeclaredKernel&, const DeclaredKernel&) = default;
};

// What iPXE goes on with: a script, or a program such as another loader or a firmware's update.
struct DeclaredChain {
  BootFile target;

  friend bool operator==(const DeclaredChain&, const DeclaredChain&) = default;
};

// A distro that is not found in a rootfs tree but made of given files or URLs: for installers,
// memory tests, firmware updates. Hosts are assigned to it by its name alone.
struct DeclaredDistro {
  DistroName name;
  std::variant<DeclaredKernel, DeclaredChain> boot;
  // What it runs on; kUnknown: every host is offered it.
  Architecture architecture = Architecture::kUnknown;
  int64_t etag = 0;  // The revision that changed it last.

  friend bool operator==(const DeclaredDistro&, const DeclaredDistro&) = default;
};

// All files of `distro`: the kernel first, or what is chained. Valid as long as `distro`.
std::vector<const BootFile*> FilesOf(const DeclaredDistro& distro);

}  // namespace autopxe
