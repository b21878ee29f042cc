#include "common/wire/catalog_wire.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/model/architecture.h"
#include "common/model/boot_file.h"
#include "common/model/distro.h"
#include "common/status/status_macros.h"
#include "common/wire/field.h"

namespace autopxe {
namespace {

constexpr size_t kMaxPath = 512;

absl::Status CheckPart(absl::string_view field, absl::string_view text) {
  if (Distro::IsPart(text)) return absl::OkStatus();
  return BadField(field, text,
                  "expected 1 to 128 letters, digits, '.', '_', '-', '+', '~' that begin with a "
                  "letter or a digit");
}

// Checks element `i` of a list that ascends by name.
template <typename Element>
absl::Status CheckAscending(const google::protobuf::RepeatedPtrField<Element>& elements, int i) {
  if (i == 0 || elements[i - 1].name() < elements[i].name()) return absl::OkStatus();
  return BadField("name", elements[i].name(), "not above the name before it");
}

absl::Status CheckPath(absl::string_view field, absl::string_view path) {
  if (path.size() > kMaxPath) {
    return BadField(field, path, absl::StrCat("expected ", kMaxPath, " characters at most"));
  }
  for (const char c : path) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return BadField(field, path, "expected printable ASCII without blanks");
    }
  }
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return BadField(field, path, "expected a path below the release");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSize(absl::string_view field, int64_t bytes) {
  if (bytes >= 0) return absl::OkStatus();
  return BadField(field, absl::StrCat(bytes), "expected a number of bytes");
}

absl::StatusOr<CatalogKernel> FromProto(const v1::CatalogKernel& kernel) {
  RETURN_IF_ERROR(CheckPart("name", kernel.name()));
  if (!kernel.version().empty()) RETURN_IF_ERROR(CheckPart("version", kernel.version()));
  RETURN_IF_ERROR(CheckPath("kernel_path", kernel.kernel_path()));
  RETURN_IF_ERROR(CheckPath("initrd_path", kernel.initrd_path()));
  RETURN_IF_ERROR(CheckSize("kernel_size", kernel.kernel_size()));
  RETURN_IF_ERROR(CheckSize("initrd_size", kernel.initrd_size()));
  return CatalogKernel{
      .name = kernel.name(),
      .version = kernel.version(),
      .kernel_path = kernel.kernel_path(),
      .initrd_path = kernel.initrd_path(),
      // A newer program may know more of them: no reason to refuse all that it says.
      .architecture = ParseArchitecture(kernel.architecture()).value_or(Architecture::kUnknown),
      .kernel_size = kernel.kernel_size(),
      .initrd_size = kernel.initrd_size()};
}

absl::StatusOr<CatalogRelease> FromProto(const v1::CatalogRelease& release) {
  RETURN_IF_ERROR(CheckPart("name", release.name()));
  CatalogRelease result{release.name(), release.alias_of(), {}};
  if (!release.alias_of().empty()) RETURN_IF_ERROR(CheckPart("alias_of", release.alias_of()));
  absl::flat_hash_set<absl::string_view> names;
  for (int i = 0; i < release.kernels_size(); ++i) {
    absl::StatusOr<CatalogKernel> kernel = FromProto(release.kernels(i));
    if (kernel.ok() && !names.insert(release.kernels(i).name()).second) {
      kernel = BadField("name", release.kernels(i).name(), "given twice");
    }
    if (!kernel.ok()) return Within(Element("kernels", i), kernel.status());
    result.kernels.push_back(*std::move(kernel));
  }
  return result;
}

absl::StatusOr<CatalogDistro> FromProto(const v1::CatalogDistro& distro) {
  RETURN_IF_ERROR(CheckPart("name", distro.name()));
  CatalogDistro result{distro.name(), {}};
  for (int i = 0; i < distro.releases_size(); ++i) {
    absl::StatusOr<CatalogRelease> release = FromProto(distro.releases(i));
    if (release.ok()) {
      if (absl::Status order = CheckAscending(distro.releases(), i); !order.ok()) release = order;
    }
    if (!release.ok()) return Within(Element("releases", i), release.status());
    result.releases.push_back(*std::move(release));
  }
  return result;
}

absl::StatusOr<CatalogFile> FromProto(const v1::CatalogFile& file) {
  ASSIGN_OR_RETURN(const BootFile path, ParseField<BootFile>("path", file.path()));
  if (path.is_url()) return BadField("path", file.path(), "expected a path, not a URL");
  RETURN_IF_ERROR(CheckSize("size", file.size()));
  return CatalogFile{file.path(), file.size()};
}

}  // namespace

v1::Catalog ToProto(const Catalog& catalog) {
  v1::Catalog result;
  for (const CatalogDistro& distro : catalog.distros) {
    v1::CatalogDistro* out_distro = result.add_distros();
    out_distro->set_name(distro.name);
    for (const CatalogRelease& release : distro.releases) {
      v1::CatalogRelease* out_release = out_distro->add_releases();
      out_release->set_name(release.name);
      out_release->set_alias_of(release.alias_of);
      for (const CatalogKernel& kernel : release.kernels) {
        v1::CatalogKernel* out_kernel = out_release->add_kernels();
        out_kernel->set_name(kernel.name);
        out_kernel->set_version(kernel.version);
        out_kernel->set_kernel_path(kernel.kernel_path);
        out_kernel->set_initrd_path(kernel.initrd_path);
        out_kernel->set_architecture(std::string(FormatArchitecture(kernel.architecture)));
        out_kernel->set_kernel_size(kernel.kernel_size);
        out_kernel->set_initrd_size(kernel.initrd_size);
      }
    }
  }
  for (const std::string& loader : catalog.loaders) result.add_loaders(loader);
  for (const CatalogFile& file : catalog.files) {
    v1::CatalogFile* out_file = result.add_files();
    out_file->set_path(file.path);
    out_file->set_size(file.size);
  }
  return result;
}

absl::StatusOr<Catalog> FromProto(const v1::Catalog& catalog) {
  Catalog result;
  for (int i = 0; i < catalog.distros_size(); ++i) {
    absl::StatusOr<CatalogDistro> distro = FromProto(catalog.distros(i));
    if (distro.ok()) {
      if (absl::Status order = CheckAscending(catalog.distros(), i); !order.ok()) distro = order;
    }
    if (!distro.ok()) return Within(Element("distros", i), distro.status());
    result.distros.push_back(*std::move(distro));
  }
  for (int i = 0; i < catalog.loaders_size(); ++i) {
    RETURN_IF_ERROR(CheckPart(Element("loaders", i), catalog.loaders(i)));
    if (i > 0 && catalog.loaders(i) <= catalog.loaders(i - 1)) {
      return BadField(Element("loaders", i), catalog.loaders(i), "not above the name before it");
    }
    result.loaders.push_back(catalog.loaders(i));
  }
  RETURN_IF_ERROR(
      CheckAtMost("files", static_cast<size_t>(catalog.files_size()), kMaxCatalogFiles));
  for (int i = 0; i < catalog.files_size(); ++i) {
    absl::StatusOr<CatalogFile> file = FromProto(catalog.files(i));
    if (file.ok() && i > 0 && catalog.files(i).path() <= catalog.files(i - 1).path()) {
      file = BadField("path", catalog.files(i).path(), "not above the path before it");
    }
    if (!file.ok()) return Within(Element("files", i), file.status());
    result.files.push_back(*std::move(file));
  }
  return result;
}

}  // namespace autopxe
