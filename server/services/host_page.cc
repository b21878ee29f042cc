#include "server/services/host_page.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace autopxe::server {

absl::StatusOr<absl::optional<Selector>> ParseSelector(absl::string_view text) {
  if (text.empty()) return absl::optional<Selector>();
  absl::StatusOr<Selector> selector = Selector::Parse(text);
  if (!selector.ok()) return selector.status();
  return absl::optional<Selector>(*std::move(selector));
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

}  // namespace autopxe::server
