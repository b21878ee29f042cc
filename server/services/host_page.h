#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/model/host.h"
#include "common/model/selector.h"
#include "server/services/page.h"
#include "server/services/sorted_hosts.h"

namespace autopxe::server {

// How many hosts one page looks at, at the most: a selector that matches few of 100,000 must not
// hold a thread for long. A page may so have fewer hosts than were asked for, or none, and a next
// one.
inline constexpr size_t kMaxHostsLookedAt = 20'000;

// The selector of a list; none for an empty text, which means all.
// Errors: INVALID_ARGUMENT.
absl::StatusOr<absl::optional<Selector>> ParseSelector(absl::string_view text);

// Hands the hosts of a page to `add`, which returns the bytes that each takes. Returns what
// Page::after of the next page is; empty on the last. A page goes on where the one before ended,
// whatever has changed since and whatever the selector is.
std::string VisitPage(const SortedHosts::Hosts& hosts, const Page& page,
                      const absl::optional<Selector>& selector,
                      const std::function<size_t(const Host&)>& add);

}  // namespace autopxe::server
