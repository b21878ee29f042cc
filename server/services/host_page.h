#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/model/host.h"
#include "common/model/name.h"
#include "common/model/selector.h"
#include "common/model/snapshot.h"
#include "google/protobuf/repeated_ptr_field.h"
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

// How many hosts a request may name: as many as a page holds.
inline constexpr int kMaxHostsNamed = 1000;

// The hosts that a list is asked for by name or MAC.
// Errors: INVALID_ARGUMENT: one that is neither, or more than kMaxHostsNamed.
absl::StatusOr<std::vector<HostReference>> ParseHostsNamed(
    const google::protobuf::RepeatedPtrField<std::string>& hosts);

// Hands the hosts of a page to `add`, which returns the bytes that each takes. Returns what
// Page::after of the next page is; empty on the last. A page goes on where the one before ended,
// whatever has changed since and whatever the selector is.
std::string VisitPage(const SortedHosts::Hosts& hosts, const Page& page,
                      const absl::optional<Selector>& selector,
                      const std::function<size_t(const Host&)>& add);

// The same of the hosts that a request names, in their order. `add` gets null where there is no
// such host, and may add nothing, which takes 0 bytes; what a selector does not match, an unknown
// host among it, is left out.
// Errors: INVALID_ARGUMENT: a token that none of these pages gave.
absl::StatusOr<std::string> VisitNamedPage(
    const Snapshot& snapshot, const std::vector<HostReference>& named, const Page& page,
    const absl::optional<Selector>& selector,
    const std::function<size_t(const HostReference&, const Host*)>& add);

}  // namespace autopxe::server
