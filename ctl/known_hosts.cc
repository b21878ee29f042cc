#include "ctl/known_hosts.h"

#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/model/hostlist.h"
#include "common/status/status_macros.h"

namespace autopxe::ctl {
namespace {

const std::string& NameOf(const v1::Host& host) { return host.name(); }
const std::string& NameOf(const v1::Decision& decision) { return decision.host(); }

void AddMacs(const v1::Host& host, std::set<std::string>& names) {
  names.insert(host.macs().begin(), host.macs().end());
}
void AddMacs(const v1::Decision& decision, std::set<std::string>& names) {
  names.insert(decision.mac());
}

auto* ListOf(v1::ListHostsResponse& response) { return response.mutable_hosts(); }
auto* ListOf(v1::ListDecisionsResponse& response) { return response.mutable_decisions(); }

// `find` reads what is named, `list` what a selector selects.
template <typename Response, typename Find, typename List>
absl::StatusOr<Known<Response>> Read(Session& session, const HostSelection& selection, Find find,
                                     List list) {
  ASSIGN_OR_RETURN(const NamedHosts named, ReadNamedHosts(session, selection));
  Known<Response> known;
  std::set<std::string> taken;  // By name.
  const auto add = [&](Response& response) {
    for (auto& one : *ListOf(response)) {
      if (IsExcluded(named.excluded, NameOf(one))) continue;
      if (taken.insert(NameOf(one)).second) *ListOf(known.response)->Add() = std::move(one);
    }
  };
  if (!named.names.empty()) {
    ASSIGN_OR_RETURN(Response found, find(named.names));
    std::set<std::string> names;
    for (const auto& one : *ListOf(found)) {
      names.insert(NameOf(one));
      AddMacs(one, names);
    }
    for (const std::string& name : named.names) {
      if (names.count(CanonicalHost(name)) == 0 && !IsExcluded(named.excluded, name)) {
        known.unknown.push_back(name);
      }
    }
    add(found);
  }
  // A file that names none must not become every host.
  const bool is_all = named.names.empty() && selection.files.empty() &&
                      absl::c_all_of(selection.words, [](const std::string& word) {
                        return absl::StartsWith(word, "!");
                      });
  if (selection.has_selector || is_all) {
    ASSIGN_OR_RETURN(Response selected, list(selection.selector));
    add(selected);
  }
  return known;
}

}  // namespace

absl::StatusOr<Known<v1::ListHostsResponse>> ReadHosts(Session& session,
                                                       const HostSelection& selection) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  return Read<v1::ListHostsResponse>(
      session, selection,
      [&](const std::vector<std::string>& hosts) { return client->FindHosts(hosts); },
      [&](const std::string& selector) { return client->ListHosts(selector); });
}

absl::StatusOr<Known<v1::ListDecisionsResponse>> ReadDecisions(Session& session,
                                                               const HostSelection& selection,
                                                               const std::string& agent) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  return Read<v1::ListDecisionsResponse>(
      session, selection,
      [&](const std::vector<std::string>& hosts) { return client->FindDecisions(hosts, agent); },
      [&](const std::string& selector) { return client->ListDecisions(selector, agent); });
}

absl::Status CheckAllKnown(Session& session, const std::vector<std::string>& unknown) {
  if (unknown.empty()) return absl::OkStatus();
  if (unknown.size() == 1) {
    // The server tells which it is most like.
    ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
    return client->GetHost(unknown.front()).status();
  }
  return absl::NotFoundError(
      absl::StrCat(unknown.size(), " of the hosts are unknown: ", Hostlist::Of(unknown).Format(),
                   "; see autopxectl host list"));
}

}  // namespace autopxe::ctl
