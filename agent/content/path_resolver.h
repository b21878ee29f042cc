#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/catalog/catalog_folders.h"
#include "agent/content/content.h"
#include "agent/content/menu_cache.h"
#include "agent/content/requested_path.h"
#include "boot/boot.h"
#include "common/model/host.h"
#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"

namespace autopxe::agent {

class LiveCatalog;
class View;

// One request for a path, by whichever protocol.
struct ContentRequest {
  Transport transport;
  // As the protocol carries it, decoded once by the protocol's own rules (HTTP: percent-decoded,
  // without the query). May hold any byte but NUL.
  std::string path;
  std::map<std::string, std::string> query;  // HTTP only.
  bool from_ipxe = false;                    // By its RRQ's options, or its User-Agent.
  IpAddress asked_at;                        // The agent's address that was asked.
};

// What a path yields, and what to log of it.
struct ResolvedContent {
  std::shared_ptr<const Content> content;
  std::string path;                 // The canonical form of what was served, for the log.
  absl::optional<MacAddress> host;  // When the path names one.
  // "menu", "unconfigured", "start-script", "loader", "kernel", "initrd", "file" (of the folder of
  // files) or "begun".
  std::string result;
  bool cacheable = false;  // False for what is rendered.
  // To be called by the protocol once it answers with the content from its first byte on, before
  // that goes out: not for the head alone, for a later part, or for an error. Uses a next boot up;
  // returns at once. From any thread; never null.
  std::function<void()> on_fetch = [] {};
};

// What a path means, for TFTP and HTTP alike. Thread-safe. Of the rootfs tree only the kernels and
// initrds in the catalog are served, opened inside their release; never the tree around them. Of
// the folder of files, too, only what is in the catalog, opened inside the folder.
class PathResolver {
 public:
  struct Options {
    AgentContext agent;
    CatalogFolders folders;
    // Answer a loader that iPXE itself asks for with the start script.
    bool start_script_for_ipxe = true;
    // Called when a file was asked for that is not, or no longer, what the catalog says it is. By
    // any thread that resolves; must return at once.
    std::function<void()> catalog_doubted = [] {};
    // Called once for each next boot that a host has used up, before it has got a byte for it. By
    // any thread; must return at once.
    std::function<void(const UsedNextBoot& used, const MacAddress& mac)> next_boot_used =
        [](const UsedNextBoot&, const MacAddress&) {};
    // Ends the assignments that end at a time.
    std::function<absl::Time()> now = absl::Now;
  };

  // `view` and `catalog` must outlive this object, and `view` what it resolves. The folders are
  // opened for each file anew, so one that is mounted later, or again, is seen. Errors: the
  // system's, naming the folder that can't be opened.
  static absl::StatusOr<std::unique_ptr<PathResolver>> Open(Options options, View& view,
                                                            const LiveCatalog& catalog);

  // Errors, with messages fit for a firmware's screen (they name the path as asked, escaped, and no
  // path of the agent's own):
  //   NOT_FOUND: no such file, or it is not catalogued.
  //   INVALID_ARGUMENT: the path can't be one (traversal, control characters, too long).
  //   PERMISSION_DENIED: the host is set to `ignore`: do not answer at all.
  //   UNAVAILABLE: the file is catalogued but can't be read now, or no longer has the size with
  //     which it was catalogued (of loaders none is).
  absl::StatusOr<ResolvedContent> Resolve(const ContentRequest& request) const;

 private:
  PathResolver(Options options, View& view, const LiveCatalog& catalog);

  // What is in the catalog and can't be served as that is expected back: a tree that is being
  // written, a file server that is away.
  absl::Status Unavailable(const ContentRequest& request, const absl::Status& error) const;
  absl::StatusOr<ResolvedContent> ResolveMenu(const ContentRequest& request,
                                              const MenuPath& menu) const;
  ResolvedContent ResolveStartScript(const ContentRequest& request) const;
  absl::StatusOr<ResolvedContent> ResolveLoader(const ContentRequest& request,
                                                const LoaderPath& loader) const;
  absl::StatusOr<ResolvedContent> ResolveBootFile(const ContentRequest& request,
                                                  const BootFilePath& file) const;
  absl::StatusOr<ResolvedContent> ResolveFile(const ContentRequest& request,
                                              const FilePath& file) const;
  // What a catalogued file yields, opened as `content`, which had `size` bytes then.
  absl::StatusOr<ResolvedContent> Serve(const ContentRequest& request,
                                        absl::StatusOr<std::shared_ptr<const Content>> content,
                                        int64_t size) const;
  // Serves the same bytes to whoever asks, with whatever token: a host asks again when an answer
  // was lost. Only the first fetch, with the token of the host's next boot, uses that up.
  absl::StatusOr<ResolvedContent> ResolveNextBoot(const ContentRequest& request,
                                                  const NextBootPath& next) const;

  const Options options_;
  View& view_;
  const LiveCatalog& catalog_;
  mutable MenuCache menus_;  // Changes what an answer costs, and no answer.
};

}  // namespace autopxe::agent
