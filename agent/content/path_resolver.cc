#include "agent/content/path_resolver.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "agent/catalog/boot_file.h"
#include "agent/catalog/folder.h"
#include "agent/catalog/live_catalog.h"
#include "agent/catalog/loader_file.h"
#include "agent/catalog/loader_name.h"
#include "agent/view/view.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// iPXE's ${buildarch} is one of i386, x86_64, arm32, arm64, ...; what is none of that form was not
// said.
constexpr size_t kMaxBuildArch = 16;

absl::string_view Queried(const ContentRequest& request, const char* name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? absl::string_view() : found->second;
}

Platform ParsePlatform(absl::string_view text) {
  if (text == "efi") return Platform::kEfi;
  if (text == "pcbios") return Platform::kPcBios;
  return Platform::kUnknown;
}

std::string ParseBuildArch(absl::string_view text) {
  if (text.size() > kMaxBuildArch) return "";
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_') return "";
  }
  return std::string(text);
}

HostFacts FactsOf(const ContentRequest& request, const MenuPath& menu) {
  HostFacts facts = {.mac = menu.mac, .asked_at = request.asked_at};
  facts.transport = request.transport;
  facts.stage = Queried(request, "stage") == "poll" ? Stage::kPoll : menu.stage;
  facts.platform = ParsePlatform(Queried(request, "platform"));
  facts.build_arch = ParseBuildArch(Queried(request, "buildarch"));
  return facts;
}

absl::Status Missing(const ContentRequest& request) {
  return absl::NotFoundError(absl::StrCat("path ", Quote(request.path), ": no such file"));
}

absl::Status CheckFolder(absl::string_view what, const std::string& path) {
  const absl::StatusOr<Folder> folder = Folder::Open(path);
  if (folder.ok()) return absl::OkStatus();
  return absl::Status(folder.status().code(),
                      absl::StrCat(what, " ", path, ": ", folder.status().message()));
}

// Opens `file` of a release, which is at `release` below the folder at `rootfs`, through no link.
absl::StatusOr<std::shared_ptr<const Content>> OpenBootContent(const std::string& rootfs,
                                                               const std::string& release,
                                                               const std::string& file) {
  ASSIGN_OR_RETURN(const Folder opened, Folder::Open(rootfs));
  ASSIGN_OR_RETURN(const Folder real, opened.OpenReal(release));
  ASSIGN_OR_RETURN(const int fd, OpenBootFile(real, file));
  return Content::FromFile(fd);
}

// Opens `file` of the folder of files, through links that stay inside it.
absl::StatusOr<std::shared_ptr<const Content>> OpenFileContent(const std::string& folder,
                                                               const std::string& file) {
  ASSIGN_OR_RETURN(const Folder opened, Folder::Open(folder));
  ASSIGN_OR_RETURN(const int fd, opened.OpenFileInside(file));
  return Content::FromFile(fd);
}

absl::StatusOr<std::shared_ptr<const Content>> OpenLoaderContent(const std::string& folder,
                                                                 const std::string& name) {
  ASSIGN_OR_RETURN(const Folder opened, Folder::Open(folder));
  ASSIGN_OR_RETURN(const int fd, OpenLoader(opened, name));
  return Content::FromFile(fd);
}

// A file that the catalog has as a part of a kernel.
struct ReleaseFile {
  absl::string_view role;  // "kernel", "initrd".
  int64_t size;            // Bytes, as it was catalogued.
};

// `file` in any kernel of the release.
absl::optional<ReleaseFile> FindReleaseFile(const CatalogRelease& release, absl::string_view file) {
  for (const CatalogKernel& kernel : release.kernels) {
    if (kernel.kernel_path == file) return ReleaseFile{"kernel", kernel.kernel_size};
    if (kernel.initrd_path == file) return ReleaseFile{"initrd", kernel.initrd_size};
  }
  return absl::nullopt;
}

}  // namespace

PathResolver::PathResolver(Options options, View& view, const LiveCatalog& catalog)
    : options_(std::move(options)), view_(view), catalog_(catalog), menus_(options_.agent) {}

absl::StatusOr<std::unique_ptr<PathResolver>> PathResolver::Open(Options options, View& view,
                                                                 const LiveCatalog& catalog) {
  RETURN_IF_ERROR(CheckFolder("rootfs folder", options.folders.rootfs));
  RETURN_IF_ERROR(CheckFolder("loaders folder", options.folders.loaders));
  if (!options.folders.files.empty()) {
    RETURN_IF_ERROR(CheckFolder("folder of files", options.folders.files));
  }
  return std::unique_ptr<PathResolver>(new PathResolver(std::move(options), view, catalog));
}

absl::StatusOr<ResolvedContent> PathResolver::Resolve(const ContentRequest& request) const {
  ASSIGN_OR_RETURN(const RequestedPath path, ParseRequestedPath(request.path));
  if (const auto* menu = std::get_if<MenuPath>(&path)) return ResolveMenu(request, *menu);
  if (const auto* loader = std::get_if<LoaderPath>(&path)) return ResolveLoader(request, *loader);
  if (const auto* file = std::get_if<BootFilePath>(&path)) return ResolveBootFile(request, *file);
  if (const auto* file = std::get_if<FilePath>(&path)) return ResolveFile(request, *file);
  if (const auto* next = std::get_if<NextBootPath>(&path)) return ResolveNextBoot(request, *next);
  return ResolveStartScript(request);
}

absl::Status PathResolver::Unavailable(const ContentRequest& request,
                                       const absl::Status& error) const {
  options_.catalog_doubted();
  return absl::UnavailableError(absl::StrCat(
      "path ", Quote(request.path), ": offered, but can't be read now: ", error.message()));
}

absl::StatusOr<ResolvedContent> PathResolver::ResolveMenu(const ContentRequest& request,
                                                          const MenuPath& menu) const {
  const HostFacts facts = FactsOf(request, menu);
  ResolvedContent resolved;
  resolved.path = FormatRequestedPath(MenuPath{menu.mac, facts.stage});
  resolved.host = menu.mac;
  const std::shared_ptr<const Snapshot> snapshot = view_.Current();
  if (snapshot == nullptr) {
    resolved.content = Content::FromText(RenderUnconfiguredScript(options_.agent, facts));
    resolved.result = "unconfigured";
    return resolved;
  }
  const std::shared_ptr<const Catalog> catalog = catalog_.Current();
  BootAnswer answer = Boot(*snapshot, *catalog, options_.agent, facts, options_.now(),
                           [&] { return menus_.Current(*snapshot, catalog); });
  if (answer.decision.outcome == Outcome::kIgnore) {
    return absl::PermissionDeniedError(
        absl::StrCat("host ", menu.mac.Format(), " is set to be ignored"));
  }
  resolved.content = Content::FromText(std::move(answer.script));
  resolved.result = "menu";
  return resolved;
}

ResolvedContent PathResolver::ResolveStartScript(const ContentRequest& request) const {
  ResolvedContent resolved;
  resolved.content =
      Content::FromText(RenderStartScript(options_.agent, request.transport, request.asked_at));
  resolved.path = FormatRequestedPath(StartScriptPath());
  resolved.result = "start-script";
  return resolved;
}

absl::StatusOr<ResolvedContent> PathResolver::ResolveLoader(const ContentRequest& request,
                                                            const LoaderPath& loader) const {
  // Even for a loader that is not there: iPXE has no need of it, and DHCP may name one that another
  // server has.
  if (request.from_ipxe && options_.start_script_for_ipxe && IsLoaderName(loader.name)) {
    ResolvedContent resolved = ResolveStartScript(request);
    resolved.path = FormatRequestedPath(loader);
    return resolved;
  }
  const std::shared_ptr<const Catalog> catalog = catalog_.Current();
  if (!std::binary_search(catalog->loaders.begin(), catalog->loaders.end(), loader.name)) {
    return Missing(request);
  }
  absl::StatusOr<std::shared_ptr<const Content>> content =
      OpenLoaderContent(options_.folders.loaders, loader.name);
  if (!content.ok()) return Unavailable(request, content.status());
  ResolvedContent resolved;
  resolved.content = *std::move(content);
  resolved.path = FormatRequestedPath(loader);
  resolved.result = "loader";
  resolved.cacheable = true;
  return resolved;
}

absl::StatusOr<ResolvedContent> PathResolver::ResolveBootFile(const ContentRequest& request,
                                                              const BootFilePath& file) const {
  const std::shared_ptr<const Catalog> catalog = catalog_.Current();
  const CatalogRelease* release = catalog->FindRelease(file.distro, file.release);
  if (release == nullptr) return Missing(request);
  const absl::optional<ReleaseFile> found = FindReleaseFile(*release, file.file);
  if (!found.has_value()) return Missing(request);
  ASSIGN_OR_RETURN(
      ResolvedContent resolved,
      Serve(request,
            OpenBootContent(options_.folders.rootfs,
                            absl::StrCat(file.distro, "/", release->folder()), file.file),
            found->size));
  resolved.path = FormatRequestedPath(BootFilePath{file.distro, release->folder(), file.file});
  resolved.result = std::string(found->role);
  return resolved;
}

absl::StatusOr<ResolvedContent> PathResolver::ResolveFile(const ContentRequest& request,
                                                          const FilePath& file) const {
  const std::shared_ptr<const Catalog> catalog = catalog_.Current();
  const CatalogFile* const found = catalog->FindFile(file.file);
  if (found == nullptr) return Missing(request);
  ASSIGN_OR_RETURN(ResolvedContent resolved,
                   Serve(request, OpenFileContent(options_.folders.files, file.file), found->size));
  resolved.path = FormatRequestedPath(file);
  resolved.result = "file";
  return resolved;
}

absl::StatusOr<ResolvedContent> PathResolver::Serve(
    const ContentRequest& request, absl::StatusOr<std::shared_ptr<const Content>> content,
    int64_t size) const {
  if (!content.ok()) return Unavailable(request, content.status());
  if ((*content)->size() != static_cast<uint64_t>(size)) {
    // It is being written in its place, or another one has been put there: a scan tells.
    return Unavailable(
        request, absl::DataLossError(absl::StrCat("it has ", (*content)->size(), " bytes, and ",
                                                  size, " when the catalog was made")));
  }
  ResolvedContent resolved;
  resolved.content = *std::move(content);
  resolved.cacheable = true;
  return resolved;
}

absl::StatusOr<ResolvedContent> PathResolver::ResolveNextBoot(const ContentRequest& request,
                                                              const NextBootPath& next) const {
  ResolvedContent resolved;
  if (const auto* boot_file = std::get_if<BootFilePath>(&next.start)) {
    ASSIGN_OR_RETURN(resolved, ResolveBootFile(request, *boot_file));
  } else if (const auto* file = std::get_if<FilePath>(&next.start)) {
    ASSIGN_OR_RETURN(resolved, ResolveFile(request, *file));
  } else {
    resolved.content = Content::FromText("This boot has begun.\n");
    resolved.result = "begun";
  }
  // That it was a next boot, the log shows by the path.
  resolved.path = FormatRequestedPath(next);
  resolved.host = next.mac;
  // Another resolver may be in this one's place by then.
  resolved.on_fetch = [&view = view_, told = options_.next_boot_used, mac = next.mac,
                       token = next.token] {
    if (const absl::optional<UsedNextBoot> used = view.UseNextBoot(mac, token)) told(*used, mac);
  };
  return resolved;
}

}  // namespace autopxe::agent
