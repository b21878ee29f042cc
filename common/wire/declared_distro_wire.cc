#include "common/wire/declared_distro_wire.h"

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/status/status_macros.h"
#include "common/wire/field.h"

namespace autopxe {
namespace {

absl::StatusOr<DeclaredKernel> FromProto(const v1::DeclaredDistro::Kernel& kernel) {
  ASSIGN_OR_RETURN(BootFile file, ParseField<BootFile>("file", kernel.file()));
  RETURN_IF_ERROR(
      CheckAtMost("initrds", static_cast<size_t>(kernel.initrds_size()), kMaxDeclaredInitrds));
  std::vector<BootFile> initrds;
  for (int i = 0; i < kernel.initrds_size(); ++i) {
    ASSIGN_OR_RETURN(BootFile initrd,
                     ParseField<BootFile>(Element("initrds", i), kernel.initrds(i)));
    initrds.push_back(std::move(initrd));
  }
  ASSIGN_OR_RETURN(CommandLineTemplate arguments,
                   ParseField<CommandLineTemplate>("arguments", kernel.arguments()));
  return DeclaredKernel{std::move(file), std::move(initrds), std::move(arguments)};
}

}  // namespace

v1::DeclaredDistro ToProto(const DeclaredDistro& distro) {
  v1::DeclaredDistro result;
  result.set_name(distro.name.text());
  if (const auto* kernel = std::get_if<DeclaredKernel>(&distro.boot)) {
    result.mutable_kernel()->set_file(kernel->kernel.text());
    for (const BootFile& initrd : kernel->initrds) {
      result.mutable_kernel()->add_initrds(initrd.text());
    }
    result.mutable_kernel()->set_arguments(kernel->arguments.text());
  } else {
    result.set_chain(std::get<DeclaredChain>(distro.boot).target.text());
  }
  result.set_architecture(std::string(FormatArchitecture(distro.architecture)));
  result.set_etag(distro.etag);
  return result;
}

absl::StatusOr<DeclaredDistro> FromProto(const v1::DeclaredDistro& distro) {
  ASSIGN_OR_RETURN(DistroName name, ParseField<DistroName>("name", distro.name()));
  RETURN_IF_ERROR(CheckAtLeast("etag", distro.etag(), 0));
  const Architecture architecture =
      ParseArchitecture(distro.architecture()).value_or(Architecture::kUnknown);
  switch (distro.boot_case()) {
    case v1::DeclaredDistro::kKernel: {
      absl::StatusOr<DeclaredKernel> kernel = FromProto(distro.kernel());
      if (!kernel.ok()) return Within("kernel", kernel.status());
      return DeclaredDistro{std::move(name), *std::move(kernel), architecture, distro.etag()};
    }
    case v1::DeclaredDistro::kChain: {
      ASSIGN_OR_RETURN(BootFile target, ParseField<BootFile>("chain", distro.chain()));
      return DeclaredDistro{std::move(name), DeclaredChain{std::move(target)}, architecture,
                            distro.etag()};
    }
    case v1::DeclaredDistro::BOOT_NOT_SET:
      break;
  }
  return BadField("boot", "", "expected a kernel, or what to chain");
}

}  // namespace autopxe
