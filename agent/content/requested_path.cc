#include "agent/content/requested_path.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "common/model/boot_file.h"
#include "common/model/distro.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

constexpr size_t kMaxLength = 512;
constexpr absl::string_view kMenuPrefix = "autopxe-";
constexpr absl::string_view kPollSuffix = ".poll";
constexpr absl::string_view kStartScript = "boot.ipxe";
constexpr absl::string_view kNext = "next";
constexpr absl::string_view kFiles = "files";
constexpr absl::string_view kBegun = "begun";

absl::Status Refused(absl::string_view path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("path ", Quote(path), ": ", what));
}

absl::Status CheckCharacters(absl::string_view path) {
  for (const char c : path) {
    if (c == '\\') return Refused(path, "backslash");
    if (c == '%') return Refused(path, "'%'");
    if (!absl::ascii_isprint(static_cast<unsigned char>(c)))
      return Refused(path, "not printable ASCII");
  }
  return absl::OkStatus();
}

absl::StatusOr<RequestedPath> ParseMenu(absl::string_view path, absl::string_view rest) {
  const Stage stage = absl::ConsumeSuffix(&rest, kPollSuffix) ? Stage::kPoll : Stage::kStart;
  const absl::StatusOr<MacAddress> mac = MacAddress::Parse(rest);
  if (!mac.ok()) return Refused(path, mac.status().message());
  return MenuPath{*mac, stage};
}

absl::StatusOr<RequestedPath> Missing(absl::string_view path) {
  return absl::NotFoundError(absl::StrCat("path ", Quote(path), ": no such file"));
}

// The boot file that these are the parts of the path of.
absl::optional<BootFilePath> ParseBootFile(absl::Span<const absl::string_view> parts) {
  if (parts.size() < 4 || parts[0] != "boot" || !Distro::IsPart(parts[1]) ||
      !Distro::IsPart(parts[2])) {
    return absl::nullopt;
  }
  return BootFilePath{std::string(parts[1]), std::string(parts[2]),
                      absl::StrJoin(parts.subspan(3), "/")};
}

// The same of a file of the folder of files.
absl::optional<FilePath> ParseFile(absl::Span<const absl::string_view> parts) {
  if (parts.size() < 2 || parts[0] != kFiles) return absl::nullopt;
  std::string file = absl::StrJoin(parts.subspan(1), "/");
  const absl::StatusOr<BootFile> parsed = BootFile::Parse(file);
  if (!parsed.ok() || parsed->is_url()) return absl::nullopt;
  return FilePath{std::move(file)};
}

absl::StatusOr<RequestedPath> ParseNextBoot(absl::string_view asked,
                                            absl::Span<const absl::string_view> parts) {
  if (parts.size() < 4) return Missing(asked);
  const absl::StatusOr<MacAddress> mac = MacAddress::Parse(parts[1]);
  if (!mac.ok() || mac->FormatDashed() != parts[1]) return Missing(asked);
  int64_t token;
  if (!absl::SimpleAtoi(parts[2], &token) || token <= 0 || absl::StrCat(token) != parts[2]) {
    return Missing(asked);
  }
  const absl::Span<const absl::string_view> start = parts.subspan(3);
  if (start.size() == 1 && start[0] == kBegun) return NextBootPath{*mac, token, Begun()};
  if (absl::optional<BootFilePath> boot_file = ParseBootFile(start)) {
    return NextBootPath{*mac, token, *std::move(boot_file)};
  }
  if (absl::optional<FilePath> file = ParseFile(start)) {
    return NextBootPath{*mac, token, *std::move(file)};
  }
  return Missing(asked);
}

struct Format {
  std::string operator()(const MenuPath& menu) const {
    return absl::StrCat(kMenuPrefix, menu.mac.FormatHexRaw(),
                        menu.stage == Stage::kPoll ? kPollSuffix : "");
  }
  std::string operator()(const StartScriptPath&) const { return std::string(kStartScript); }
  std::string operator()(const LoaderPath& loader) const { return loader.name; }
  std::string operator()(const BootFilePath& file) const {
    return absl::StrCat("boot/", file.distro, "/", file.release, "/", file.file);
  }
  std::string operator()(const FilePath& file) const {
    return absl::StrCat(kFiles, "/", file.file);
  }
  std::string operator()(const Begun&) const { return std::string(kBegun); }
  std::string operator()(const NextBootPath& next) const {
    return absl::StrCat(kNext, "/", next.mac.FormatDashed(), "/", next.token, "/",
                        std::visit(*this, next.start));
  }
};

}  // namespace

absl::StatusOr<RequestedPath> ParseRequestedPath(absl::string_view asked) {
  if (asked.size() > kMaxLength) return Refused(asked, "longer than 512 octets");
  RETURN_IF_ERROR(CheckCharacters(asked));
  const absl::string_view path = absl::StripPrefix(asked, "/");
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  for (const absl::string_view part : parts) {
    if (part.empty()) return Refused(asked, "an empty part");
    if (part == "." || part == "..") return Refused(asked, absl::StrCat("a part \"", part, "\""));
  }
  if (parts.size() == 1) {
    if (absl::StartsWith(path, kMenuPrefix)) {
      return ParseMenu(asked, absl::StripPrefix(path, kMenuPrefix));
    }
    if (path == kStartScript || path == "autoexec.ipxe") return StartScriptPath();
    return LoaderPath{std::string(path)};
  }
  if (parts[0] == kNext) return ParseNextBoot(asked, parts);
  if (absl::optional<BootFilePath> boot_file = ParseBootFile(parts)) return *std::move(boot_file);
  if (absl::optional<FilePath> file = ParseFile(parts)) return *std::move(file);
  return Missing(asked);
}

std::string FormatRequestedPath(const RequestedPath& path) { return std::visit(Format(), path); }

}  // namespace autopxe::agent
