#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autopxe/v1/configuration.pb.h"

namespace autopxe::ctl {

// Something that is told of hosts: a column of `host list`, by which it sorts and filters as well.
struct HostColumn {
  const char* name;  // "distro".
  // Most have one at most. By now what has ended is no longer told.
  std::vector<std::string> (*values)(const v1::Host& host, absl::Time now);

  // Its values, joined by ','.
  std::string Text(const v1::Host& host, absl::Time now) const;
};

// Errors: a usage error, naming the columns that there are.
absl::StatusOr<const HostColumn*> FindHostColumn(absl::string_view name);

// "name,macs,distro". Errors: the same.
absl::StatusOr<std::vector<const HostColumn*>> ParseHostColumns(absl::string_view text);

// Keeps the hosts of which one value of the column matches: "distro=debian/*", with '*', '?' and
// '[...]' as the shell has them; "distro=" keeps those that have no value there.
// Errors: the same, and a usage error for what has no '='.
absl::Status FilterHosts(absl::string_view filter, absl::Time now, v1::ListHostsResponse& hosts);

// In the order of the column: digits by their number, "cn2" before "cn10"; what is alike stays in
// its order. Errors: as of FindHostColumn.
absl::Status SortHosts(absl::string_view column, absl::Time now, v1::ListHostsResponse& hosts);

}  // namespace autopxe::ctl
