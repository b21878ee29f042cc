#include <map>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/host_column.h"
#include "ctl/host_selection.h"
#include "ctl/known_hosts.h"
#include "ctl/table.h"
#include "ctl/time_text.h"

namespace autopxe::ctl {
namespace {

struct ListArguments {
  HostSelection selection;
  std::string columns = "name,macs,distro";
  std::string sort;
  std::vector<std::string> filters;
};

absl::Status RunList(Session& session, const ListArguments& arguments) {
  const absl::Time now = absl::Now();
  ASSIGN_OR_RETURN(const std::vector<const HostColumn*> columns,
                   ParseHostColumns(arguments.columns));
  ASSIGN_OR_RETURN(Known<v1::ListHostsResponse> known, ReadHosts(session, arguments.selection));
  v1::ListHostsResponse& hosts = known.response;
  for (const std::string& filter : arguments.filters) {
    RETURN_IF_ERROR(FilterHosts(filter, now, hosts));
  }
  if (!arguments.sort.empty()) RETURN_IF_ERROR(SortHosts(arguments.sort, now, hosts));
  RETURN_IF_ERROR(session.Print(hosts, [&] {
    std::vector<std::string> headers;
    for (const HostColumn* column : columns) headers.push_back(absl::AsciiStrToUpper(column->name));
    Table table(std::move(headers));
    for (const v1::Host& host : hosts.hosts()) {
      std::vector<std::string> cells;
      for (const HostColumn* column : columns) cells.push_back(column->Text(host, now));
      table.Add(std::move(cells));
    }
    return table.Format();
  }));
  return CheckAllKnown(session, known.unknown);
}

using Fields = google::protobuf::Map<std::string, std::string>;

void AddFields(const std::string& kind, const Fields& fields, Table& table) {
  for (const auto& [key, value] :
       std::map<std::string, std::string>(fields.begin(), fields.end())) {
    table.Add({absl::StrCat(kind, " ", key), value});
  }
}

std::string HostText(const v1::Host& host, absl::Time now) {
  Table table({"FIELD", "VALUE"});
  table.Add({"name", host.name()});
  for (const std::string& mac : host.macs()) table.Add({"mac", mac});
  table.Add({"distro", host.distro()});
  if (host.has_next_boot()) table.Add({"next boot", host.next_boot().distro()});
  if (host.has_timed()) {
    const bool ended = absl::FromUnixSeconds(host.timed().until().seconds()) <= now;
    table.Add({absl::StrCat("until ", TimeText(host.timed().until()), ended ? " (ended)" : ""),
               host.timed().distro()});
  }
  AddFields("label", host.labels(), table);
  AddFields("variable", host.variables(), table);
  table.Add({"note", host.note()});
  table.Add({"locked", host.locked() ? "yes" : "no"});
  table.Add({"id", absl::StrCat(host.id())});
  table.Add({"changed in revision", absl::StrCat(host.etag())});
  return table.Format();
}

absl::Status RunShow(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::Host host, client->GetHost(name));
  return session.Print(host, [&] { return HostText(host, absl::Now()); });
}

void AddListCommand(CLI::App& noun, Session& session) {
  const auto arguments = std::make_shared<ListArguments>();
  CLI::App& command = AddCommand(
      noun, session,
      {"list", "[HOSTS]", "Hosts, with what they are assigned",
       absl::StrCat(
           kHostsHelp,
           "\nWithout HOSTS every host is listed. One that is unknown makes the exit code 1, when "
           "the\n"
           "others have been listed.\n\n"
           "Columns: name, macs, distro, labels, next, until, locked, note, etag. What a host "
           "boots\n"
           "in the end, of groups and defaults as well: autopxectl resolve.\n\n"
           "Examples:\n"
           "  autopxectl host list 'cn[001-128]' --columns name,macs,labels\n"
           "  autopxectl host list -l rack=r1 --columns name,distro,next,until\n"
           "  autopxectl host list --filter 'distro=debian/*' --filter locked=yes --sort distro\n"
           "  autopxectl host list -o json | jq -r '.hosts[].name'")},
      [&session, arguments] { return RunList(session, *arguments); });
  command.add_option("words", arguments->selection.words);
  AddSelectionOptions(command, arguments->selection);
  command.add_option("--columns", arguments->columns, "what is told (name,macs,distro)")
      ->type_name("COLUMN,...");
  command
      .add_option("--filter", arguments->filters,
                  "only hosts whose column is so, * for anything; several must all hold")
      ->type_name("COLUMN=VALUE")
      ->allow_extra_args(false);
  command.add_option("--sort", arguments->sort, "in the order of this column")->type_name("COLUMN");
}

}  // namespace

void AddHostCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "host", "The hosts that the server knows");
  AddListCommand(noun, session);
  const auto shown = std::make_shared<std::string>();
  AddCommand(noun, session,
             {"show", "HOST", "One host, by name or MAC: all that is set for it",
              "What it boots, and why: autopxectl explain.\n\n"
              "Example:\n  autopxectl host show 52:54:00:12:34:56"},
             [&session, shown] { return RunShow(session, *shown); })
      .add_option("host", *shown)
      ->required();
  AddHostEditCommands(noun, session);
  AddHostImportCommand(noun, session);
}

}  // namespace autopxe::ctl
