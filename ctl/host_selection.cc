#include "ctl/host_selection.h"

#include <algorithm>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/model/hostlist.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"
#include "ctl/exit_code.h"
#include "ctl/input_file.h"

namespace autopxe::ctl {
namespace {

// What follows the '!' of a word that takes hosts out.
absl::Status AddExcluded(absl::string_view text, absl::string_view where,
                         std::set<std::string>& excluded) {
  int depth = 0;
  for (const char c : text) {
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (c != ',' || depth > 0) continue;
    return UsageError(absl::StrCat(where, Quote(absl::StrCat("!", text)),
                                   ": a ',' adds hosts; to take out several, write !A!B"));
  }
  for (const absl::string_view part : absl::StrSplit(text, '!')) {
    const absl::StatusOr<Hostlist> hostlist = Hostlist::Parse(part);
    if (!hostlist.ok()) return UsageError(absl::StrCat(where, hostlist.status().message()));
    for (const std::string& name : hostlist->names()) {
      // Of a host that a selector gives, only the name is known here.
      if (MacAddress::Resembles(name)) {
        return UsageError(absl::StrCat(where, Quote(absl::StrCat("!", name)),
                                       ": hosts are taken out by their names, not by a MAC"));
      }
      excluded.insert(CanonicalHost(name));
    }
  }
  return absl::OkStatus();
}

absl::Status AddHostlist(absl::string_view text, absl::string_view where, NamedHosts& hosts) {
  if (absl::ConsumePrefix(&text, "!")) return AddExcluded(text, where, hosts.excluded);
  const absl::StatusOr<Hostlist> hostlist = Hostlist::Parse(text);
  if (!hostlist.ok()) return UsageError(absl::StrCat(where, hostlist.status().message()));
  hosts.names.insert(hosts.names.end(), hostlist->names().begin(), hostlist->names().end());
  return absl::OkStatus();
}

// A hostlist a line; from '#' to the line's end is comment.
absl::Status AddFile(const std::string& path, std::istream& standard_input, NamedHosts& hosts) {
  ASSIGN_OR_RETURN(const std::string text, ReadInput(path, standard_input));
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    RETURN_IF_ERROR(AddHostlist(
        line, absl::StrCat(path == "-" ? "standard input" : path, ":", number, ": "), hosts));
  }
  return absl::OkStatus();
}

}  // namespace

const char kHostsHelp[] =
    "HOSTS are names, MACs in any usual form, and lists as clusters write them: "
    "'cn[001-128,200]',\n"
    "'rack[1-4]-n[01-16]', 'cn[1-99]!cn[7-8]' without two of them. Put lists between single "
    "quotes:\n"
    "the shell has its own ideas about brackets and '!'. What -l and -f select comes to that; the\n"
    "word - reads standard input, as -f - does. A word that begins with '!' takes hosts out of "
    "all\n"
    "of them: -l 'gpu!=none' '!cn[7-8]'.";

void AddSelectionOptions(CLI::App& command, HostSelection& selection) {
  command
      .add_option_function<std::string>(
          "-l,--selector",
          [&selection](const std::string& selector) {
            selection.selector = selector;
            selection.has_selector = true;
          },
          "hosts by their labels, such as rack=r1,gpu!=none")
      ->type_name("SELECTOR");
  command
      .add_option("-f,--file", selection.files,
                  "hosts from a file: a name, MAC or list a line, # begins a comment")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

std::string CanonicalHost(const std::string& text) {
  const absl::StatusOr<HostReference> reference = ParseHostReference(text);
  return reference.ok() ? FormatHostReference(*reference) : text;
}

absl::StatusOr<NamedHosts> ReadNamedHosts(Session& session, const HostSelection& selection) {
  // A script's unset variable must not become every host.
  if (selection.has_selector && absl::StripAsciiWhitespace(selection.selector).empty()) {
    return UsageError("--selector: is empty; expected labels such as rack=r1");
  }
  NamedHosts hosts;
  std::set<std::string> files;  // Those that were read: standard input can be only once.
  const auto add_file = [&](const std::string& path) -> absl::Status {
    if (!files.insert(path).second) return absl::OkStatus();
    return AddFile(path, session.in(), hosts);
  };
  for (const std::string& word : selection.words) {
    RETURN_IF_ERROR(word == "-" ? add_file(word) : AddHostlist(word, "", hosts));
  }
  for (const std::string& path : selection.files) RETURN_IF_ERROR(add_file(path));
  hosts.names = Hostlist::Of(std::move(hosts.names)).names();
  return hosts;
}

bool IsExcluded(const std::set<std::string>& excluded, const std::string& host) {
  return !excluded.empty() && excluded.count(CanonicalHost(host)) > 0;
}

absl::StatusOr<std::vector<std::string>> SelectHosts(Session& session,
                                                     const HostSelection& selection) {
  ASSIGN_OR_RETURN(NamedHosts named, ReadNamedHosts(session, selection));
  std::vector<std::string> hosts = std::move(named.names);
  if (hosts.empty() && selection.files.empty() && !selection.has_selector &&
      !absl::c_linear_search(selection.words, "-")) {
    return UsageError("no hosts are named; expected HOSTS, -l SELECTOR or -f FILE");
  }
  if (selection.has_selector) {
    ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
    ASSIGN_OR_RETURN(const v1::ListHostsResponse selected, client->ListHosts(selection.selector));
    for (const v1::Host& host : selected.hosts()) hosts.push_back(host.name());
  }
  if (hosts.empty()) {
    return absl::NotFoundError(
        selection.has_selector
            ? absl::StrCat("no host is selected: none has the labels ", Quote(selection.selector),
                           "; see autopxectl host list --columns name,labels")
            : "no host is selected: the file names none");
  }
  if (!named.excluded.empty()) {
    hosts.erase(
        std::remove_if(hosts.begin(), hosts.end(),
                       [&](const std::string& host) { return IsExcluded(named.excluded, host); }),
        hosts.end());
    if (hosts.empty()) return absl::NotFoundError("no host is selected: '!' takes out all of them");
  }
  return Hostlist::Of(std::move(hosts)).names();
}

}  // namespace autopxe::ctl
