#include "common/model/boot_file.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

// With "next/<mac>/<token>/files/" in front it stays below what a host may ask for.
constexpr size_t kMaxPath = 256;
constexpr size_t kMaxUrl = 1024;

absl::Status Malformed(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("file ", Quote(text), ": ", what));
}

// RFC 3986, section 2: unreserved and reserved characters, but for the '#' of a fragment.
bool IsUriCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("-._~:/?[]@!$&'()*+,;=").find(c) != absl::string_view::npos;
}

bool IsEncoded(absl::string_view text) {
  return text.size() >= 3 && absl::ascii_isxdigit(static_cast<unsigned char>(text[1])) &&
         absl::ascii_isxdigit(static_cast<unsigned char>(text[2]));
}

absl::Status CheckUrl(absl::string_view text, absl::string_view behind_scheme) {
  if (text.size() > kMaxUrl) return Malformed(text, "a URL has up to 1,024 characters");
  const absl::string_view authority = behind_scheme.substr(0, behind_scheme.find_first_of("/?"));
  if (authority.empty() || authority[0] == ':') return Malformed(text, "the URL names no server");
  if (absl::StrContains(authority, "@")) {
    return Malformed(text, "a URL here holds no user name and no password: hosts show it");
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (!IsEncoded(text.substr(i))) {
        return Malformed(text, "after '%' two hexadecimal digits must follow");
      }
    } else if (!IsUriCharacter(text[i])) {
      return Malformed(
          text, absl::StrCat("a URL can't hold ", Quote(text.substr(i, 1)), ", character ", i + 1));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPath(absl::string_view text) {
  if (text.empty())
    return Malformed(text, "expected a path below the agents' folder of files, or a URL");
  if (text.size() > kMaxPath) return Malformed(text, "a path has up to 256 characters");
  if (text.front() == '/') {
    return Malformed(text,
                     "expected a path below the agents' folder of files, without a '/' in front");
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(text[i])) ||
        absl::string_view("\\%\"${}").find(text[i]) != absl::string_view::npos) {
      return Malformed(text, absl::StrCat("a path can't hold ", Quote(text.substr(i, 1)),
                                          ", character ", i + 1));
    }
  }
  for (const absl::string_view part : absl::StrSplit(text, '/')) {
    if (part.empty()) return Malformed(text, "a part of the path is empty");
    if (part[0] == '.')
      return Malformed(text, absl::StrCat("the part ", Quote(part), " begins with '.'"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BootFile> BootFile::Parse(absl::string_view text) {
  for (const absl::string_view scheme : {"http://", "https://", "tftp://"}) {
    absl::string_view rest = text;
    if (!absl::ConsumePrefix(&rest, scheme)) continue;
    if (absl::Status status = CheckUrl(text, rest); !status.ok()) return status;
    return BootFile(std::string(text), true);
  }
  if (absl::StrContains(text, "://")) {
    return Malformed(text, "a URL here begins with http://, https:// or tftp://");
  }
  if (absl::Status status = CheckPath(text); !status.ok()) return status;
  return BootFile(std::string(text), false);
}

}  // namespace autopxe
