// What a path yields, in a tree that has more in it than what is served. The first byte chooses the
// protocol and how the host asks; a query may follow the path behind a '?'.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "agent/catalog/live_catalog.h"
#include "agent/catalog/test_tree.h"
#include "agent/content/path_resolver.h"
#include "agent/view/view.h"
#include "common/model/snapshot.h"
#include "tests/fuzz/require.h"

namespace autopxe::agent {
namespace {

constexpr char kSecret[] = "NOT TO BE SERVED";

template <typename Value>
Value Parsed(absl::string_view text) {
  return *Value::Parse(text);
}

// What is made once for all inputs.
struct Site {
  Site() : catalog(tree.folders()) {
    tree.AddKernel("debian/bookworm", "6.1.0-25-amd64");
    tree.Link("rootfs/debian/stable", "bookworm");
    tree.Link("rootfs/debian/bookworm/boot/vmlinuz-1", "../../../../secret");
    tree.Link("rootfs/debian/bookworm/boot/initrd.img-1", "/etc/passwd");
    tree.Write("rootfs/debian/bookworm/etc/shadow", kSecret);
    tree.Write("rootfs/debian/bookworm/boot/System.map-6.1.0-25-amd64", kSecret);
    tree.Write("loaders/undionly.kpxe", "loader");
    tree.Write("loaders/notes.txt", kSecret);
    tree.Write("files/memtest/mt86plus", "memory test");
    tree.Write("files/.token", kSecret);
    tree.Write("secret", kSecret);
    Require(catalog.Rescan().ok(), "the tree is scanned");

    const MacAddress mac = Parsed<MacAddress>("52:54:00:00:00:01");
    Host host{.id = HostId{1}, .name = NameByMac(mac), .macs = {mac}};
    host.next = NextBoot{.distro = Distro::Local(), .token = 17};
    const MacAddress ignored = Parsed<MacAddress>("52:54:00:00:00:02");
    Host other{.id = HostId{2}, .name = NameByMac(ignored), .macs = {ignored}};
    other.distro = Distro::Ignore();
    const std::vector<Profile> profiles = {
        {Parsed<ProfileName>("nfsrw"), Parsed<CommandLineTemplate>("root=${rootfs-path} ${a:-b}")}};
    view.Set(*Snapshot::Create(
        Revision{{1, 1}}, Settings(), profiles,
        {std::make_shared<const Host>(host), std::make_shared<const Host>(other)}));
    resolver = *PathResolver::Open({.agent = {.id = Parsed<AgentId>("a1"),
                                              .rootfs_folder = tree.rootfs(),
                                              .advertise = {},
                                              .http_port = 8080,
                                              .tftp_port = 69},
                                    .folders = tree.folders(),
                                    .now = [] { return absl::FromUnixSeconds(1'700'000'000); }},
                                   view, catalog);
  }

  TestTree tree;
  View view;
  LiveCatalog catalog;
  std::unique_ptr<PathResolver> resolver;
};

void CheckPath(absl::string_view input) {
  static Site site;
  // The same in another folder.
  static Site elsewhere;
  if (input.empty()) return;
  const char how = input[0];
  const std::vector<std::string> halves = absl::StrSplit(input.substr(1), absl::MaxSplits('?', 1));
  ContentRequest request{.transport = (how & 1) != 0 ? Transport::kHttp : Transport::kTftp,
                         .path = halves[0],
                         .query = {},
                         .from_ipxe = (how & 2) != 0,
                         .asked_at = Parsed<IpAddress>((how & 4) != 0 ? "10.77.1.1" : "fd00::1")};
  // No protocol lets it through.
  if (absl::StrContains(request.path, '\0')) return;
  if (halves.size() == 2) {
    for (const absl::string_view field : absl::StrSplit(halves[1], '&', absl::SkipEmpty())) {
      const std::vector<std::string> pair = absl::StrSplit(field, absl::MaxSplits('=', 1));
      request.query.emplace(pair[0], pair.size() == 2 ? pair[1] : "");
    }
  }
  const absl::StatusOr<ResolvedContent> found = site.resolver->Resolve(request);
  if (!found.ok()) {
    // The message is not searched for the folder's name: it quotes what was asked for, and
    // libFuzzer finds out what that must be for the quotation to hold the name.
    Require(found.status() == elsewhere.resolver->Resolve(request).status(),
            "an error tells no path of the agent's own");
    return;
  }
  std::string bytes(found->content->size(), '\0');
  const auto read = found->content->ReadAt(0, absl::MakeSpan(bytes.data(), bytes.size()));
  Require(read.ok() && *read == bytes.size(), "what is found can be read");
  Require(!absl::StrContains(bytes, kSecret), "only what is catalogued is served");
  Require(!absl::StrContains(bytes, "root:"), "nothing outside of the tree is served");
  if (found->cacheable) return;
  for (const char c : bytes) {
    Require((c >= ' ' && c <= '~') || c == '\n', "a script is printable ASCII");
  }
}

}  // namespace
}  // namespace autopxe::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  autopxe::agent::CheckPath({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
