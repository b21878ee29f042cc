#include "ctl/host_column.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/model/quote.h"
#include "common/model/version_order.h"
#include "common/status/status_macros.h"
#include "ctl/exit_code.h"
#include "ctl/time_text.h"

namespace autopxe::ctl {
namespace {

using Values = std::vector<std::string>;

Values UnlessEmpty(const std::string& text) { return text.empty() ? Values() : Values{text}; }

// The time first, so that it sorts.
Values UntilOf(const v1::Host& host, absl::Time now) {
  if (!host.has_timed()) return {};
  if (absl::FromUnixSeconds(host.timed().until().seconds()) <= now) return {};
  return {absl::StrCat(TimeText(host.timed().until()), " ", host.timed().distro())};
}

Values LabelsOf(const v1::Host& host) {
  Values labels;
  for (const auto& [key, value] :
       std::map<std::string, std::string>(host.labels().begin(), host.labels().end())) {
    labels.push_back(absl::StrCat(key, "=", value));
  }
  return labels;
}

constexpr HostColumn kColumns[] = {
    {"name", [](const v1::Host& host, absl::Time) { return UnlessEmpty(host.name()); }},
    {"macs", [](const v1::Host& host,
                absl::Time) { return Values(host.macs().begin(), host.macs().end()); }},
    {"distro", [](const v1::Host& host, absl::Time) { return UnlessEmpty(host.distro()); }},
    {"labels", [](const v1::Host& host, absl::Time) { return LabelsOf(host); }},
    {"next",
     [](const v1::Host& host, absl::Time) { return UnlessEmpty(host.next_boot().distro()); }},
    {"until", UntilOf},
    {"locked",
     [](const v1::Host& host, absl::Time) { return Values(host.locked() ? 1 : 0, "yes"); }},
    {"note", [](const v1::Host& host, absl::Time) { return UnlessEmpty(host.note()); }},
    {"etag", [](const v1::Host& host, absl::Time) { return Values{absl::StrCat(host.etag())}; }},
};

}  // namespace

std::string HostColumn::Text(const v1::Host& host, absl::Time now) const {
  return absl::StrJoin(values(host, now), ",");
}

absl::StatusOr<const HostColumn*> FindHostColumn(absl::string_view name) {
  for (const HostColumn& column : kColumns) {
    if (name == column.name) return &column;
  }
  const auto write_name = [](std::string* text, const HostColumn& column) { *text += column.name; };
  return UsageError(absl::StrCat("column ", Quote(name), ": expected one of ",
                                 absl::StrJoin(kColumns, ", ", write_name)));
}

absl::StatusOr<std::vector<const HostColumn*>> ParseHostColumns(absl::string_view text) {
  std::vector<const HostColumn*> columns;
  for (const absl::string_view name : absl::StrSplit(text, ',')) {
    ASSIGN_OR_RETURN(const HostColumn* const column, FindHostColumn(name));
    columns.push_back(column);
  }
  return columns;
}

absl::Status FilterHosts(absl::string_view filter, absl::Time now, v1::ListHostsResponse& hosts) {
  const size_t equals = filter.find('=');
  if (equals == absl::string_view::npos) {
    return UsageError(
        absl::StrCat("--filter: ", Quote(filter), ": expected COLUMN=PATTERN, as distro=debian/*"));
  }
  ASSIGN_OR_RETURN(const HostColumn* const column, FindHostColumn(filter.substr(0, equals)));
  const std::string pattern(filter.substr(equals + 1));
  const auto is_other = [&](const v1::Host& host) {
    const Values values = column->values(host, now);
    if (pattern.empty()) return !values.empty();
    return std::none_of(values.begin(), values.end(), [&](const std::string& value) {
      return fnmatch(pattern.c_str(), value.c_str(), 0) == 0;
    });
  };
  auto& all = *hosts.mutable_hosts();
  all.erase(std::remove_if(all.begin(), all.end(), is_other), all.end());
  return absl::OkStatus();
}

absl::Status SortHosts(absl::string_view name, absl::Time now, v1::ListHostsResponse& hosts) {
  ASSIGN_OR_RETURN(const HostColumn* const column, FindHostColumn(name));
  std::vector<std::pair<std::string, v1::Host*>> order;
  for (v1::Host& host : *hosts.mutable_hosts()) order.emplace_back(column->Text(host, now), &host);
  // Versions are ordered as people count, and so is any other text.
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return CompareDebianVersions(a.first, b.first) < 0;
  });
  v1::ListHostsResponse sorted;
  for (const auto& [text, host] : order) sorted.add_hosts()->Swap(host);
  hosts.mutable_hosts()->Swap(sorted.mutable_hosts());
  return absl::OkStatus();
}

}  // namespace autopxe::ctl
