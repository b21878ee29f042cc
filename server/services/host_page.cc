#include "server/services/host_page.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace autopxe::server {

absl::StatusOr<absl::optional<Selector>> ParseSelector(absl::string_view text) {
  if (text.empty()) return absl::optional<Selector>();
  absl::StatusOr<Selector> selector = Selector::Parse(text);
  if (!selector.ok()) return selector.status();
  return absl::optional<Selector>(*std::move(selector));
}

absl::StatusOr<std::vector<HostReference>> ParseHostsNamed(
    const google::protobuf::RepeatedPtrField<std::string>& hosts) {
  if (hosts.size() > kMaxHostsNamed) {
    return absl::InvalidArgumentError(absl::StrCat(hosts.size(), " hosts: expected ",
                                                   kMaxHostsNamed,
                                                   " at most; ask for the others by themselves"));
  }
  std::vector<HostReference> named;
  named.reserve(static_cast<size_t>(hosts.size()));
  for (const std::string& host : hosts) {
    absl::StatusOr<HostReference> reference = ParseHostReference(host);
    if (!reference.ok()) return reference.status();
    named.push_back(*std::move(reference));
  }
  return named;
}

std::string VisitPage(const SortedHosts::Hosts& hosts, const Page& page,
                      const absl::optional<Selector>& selector,
                      const std::function<size_t(const Host&)>& add) {
  auto next = std::upper_bound(hosts.begin(), hosts.end(), page.after,
                               [](const std::string& after, const std::shared_ptr<const Host>& h) {
                                 return after < h->name.text();
                               });
  size_t items = 0;
  size_t bytes = 0;
  std::string last;
  for (size_t looked_at = 0; next != hosts.end(); ++next) {
    if (page.IsFull(items, bytes) || looked_at++ == kMaxHostsLookedAt) return last;
    const Host& host = **next;
    last = host.name.text();
    if (selector.has_value() && !selector->Matches(host.labels)) continue;
    bytes += add(host);
    ++items;
  }
  return "";
}

absl::StatusOr<std::string> VisitNamedPage(
    const Snapshot& snapshot, const std::vector<HostReference>& named, const Page& page,
    const absl::optional<Selector>& selector,
    const std::function<size_t(const HostReference&, const Host*)>& add) {
  size_t next = 0;
  if (!page.after.empty() && !absl::SimpleAtoi(page.after, &next)) {
    return absl::InvalidArgumentError("page_token: not one that this list gave");
  }
  size_t items = 0;
  size_t bytes = 0;
  for (; next < named.size(); ++next) {
    if (page.IsFull(items, bytes)) return absl::StrCat(next);
    const std::shared_ptr<const Host> host = snapshot.FindHost(named[next]);
    if (selector.has_value() && (host == nullptr || !selector->Matches(host->labels))) continue;
    const size_t added = add(named[next], host.get());
    bytes += added;
    items += added > 0 ? 1 : 0;
  }
  return "";
}

}  // namespace autopxe::server
