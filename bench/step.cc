#include "bench/step.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/model/quote.h"

namespace autopxe::bench {

bool Step::is_the_same_for_all() const { return !absl::StrContains(path, "{mac"); }

absl::StatusOr<Step> ParseStep(absl::string_view url) {
  absl::string_view rest = url;
  Scheme scheme;
  if (absl::ConsumePrefix(&rest, "tftp://")) {
    scheme = Scheme::kTftp;
  } else if (absl::ConsumePrefix(&rest, "http://")) {
    scheme = Scheme::kHttp;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("url ", Quote(url), ": expected tftp:// or http:// at its beginning"));
  }
  const size_t slash = rest.find('/');
  if (slash == absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("url ", Quote(url), ": expected a path behind the port"));
  }
  absl::StatusOr<IpEndpoint> server = IpEndpoint::Parse(rest.substr(0, slash));
  if (!server.ok()) return server.status();
  return Step{.scheme = scheme, .server = *server, .path = std::string(rest.substr(slash + 1))};
}

std::string ForHost(absl::string_view text, uint32_t host) {
  return absl::StrReplaceAll(
      text, {{"{mac}", absl::StrFormat("5254%08x", host)},
             {"{mac-colons}", absl::StrFormat("52:54:%02x:%02x:%02x:%02x", host >> 24,
                                              host >> 16 & 0xff, host >> 8 & 0xff, host & 0xff)}});
}

}  // namespace autopxe::bench
