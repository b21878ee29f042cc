#include <memory>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/model/mac_address.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"
#include "ctl/table.h"

namespace autopxe::ctl {
namespace {

absl::Status RunList(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListHostsResponse hosts, client->ListHosts());
  return session.Print(hosts, [&] {
    Table table({"NAME", "MACS", "DISTRO"});
    for (const v1::Host& host : hosts.hosts()) {
      table.Add({host.name(), absl::StrJoin(host.macs(), ","), host.distro()});
    }
    return table.Format();
  });
}

absl::Status RunShow(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::Host host, client->GetHost(name));
  return session.Print(host, [&] {
    Table table({"FIELD", "VALUE"});
    table.Add({"name", host.name()});
    for (const std::string& mac : host.macs()) table.Add({"mac", mac});
    table.Add({"distro", host.distro()});
    table.Add({"id", absl::StrCat(host.id())});
    table.Add({"changed in revision", absl::StrCat(host.etag())});
    return table.Format();
  });
}

absl::Status RunCreate(Session& session, const std::vector<std::string>& words) {
  v1::CreateHostRequest request;
  // A word is either a MAC or a name, so the name may be left out.
  for (size_t i = 0; i < words.size(); ++i) {
    if (i == 0 && !MacAddress::Parse(words[i]).ok()) {
      request.set_name(words[i]);
    } else {
      request.add_macs(words[i]);
    }
  }
  if (request.macs().empty()) {
    return UsageError(
        "host create: expected a MAC behind the name; see autopxectl host create --help");
  }
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->CreateHost(request));
  return session.PrintChange(response);
}

absl::Status RunDelete(Session& session, const std::vector<std::string>& words) {
  v1::DeleteHostsRequest request;
  for (const std::string& host : words) request.add_hosts(host);
  *request.mutable_options() = session.BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->DeleteHosts(request));
  return session.PrintChange(response);
}

}  // namespace

void AddHostCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "host", "The hosts that the server knows");
  AddCommand(noun, session,
             {"list", "", "All hosts, with what they are assigned",
              "Example:\n  autopxectl host list -o json | jq -r '.hosts[].name'"},
             [&session] { return RunList(session); });

  const auto shown = std::make_shared<std::string>();
  AddCommand(noun, session,
             {"show", "HOST", "One host, by name or MAC",
              "Example:\n  autopxectl host show 52:54:00:12:34:56"},
             [&session, shown] { return RunShow(session, *shown); })
      .add_option("host", *shown)
      ->required();

  const auto created = std::make_shared<std::vector<std::string>>();
  AddCommand(noun, session,
             {"create", "[NAME] MAC...", "Name a host, with its MACs",
              "Without NAME the host is called by its first MAC.\n\n"
              "Example:\n  autopxectl host create web1 52:54:00:12:34:56 52:54:00:12:34:57"},
             [&session, created] { return RunCreate(session, *created); })
      .add_option("words", *created)
      ->required();

  const auto deleted = std::make_shared<std::vector<std::string>>();
  AddCommand(noun, session,
             {"delete", "HOST...", "Forget hosts, with their assignments",
              "Example:\n  autopxectl host delete web1 52:54:00:12:34:56"},
             [&session, deleted] { return RunDelete(session, *deleted); })
      .add_option("words", *deleted)
      ->required();
}

}  // namespace autopxe::ctl
