#include "tests/model/run.h"

#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "boot/boot.h"
#include "common/model/host.h"
#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"
#include "common/wire/host_wire.h"
#include "common/wire/settings_wire.h"
#include "grpcpp/client_context.h"
#include "tests/model/expected.h"
#include "tests/model/random_request.h"
#include "tests/model/site.h"

namespace autopxe::tests {
namespace {

constexpr char kRootfs[] = "/pxe/rootfs";

std::string Name(grpc::StatusCode code) { return absl::StrCat("code ", static_cast<int>(code)); }

std::string RevisionOf(const std::shared_ptr<const Snapshot>& snapshot) {
  return snapshot == nullptr ? "nothing" : snapshot->revision().id.Format();
}

// The configuration as texts, so that a difference can be shown; hosts by their incarnation.
using Lines = std::map<std::string, std::string>;

class Run {
 public:
  Run(uint64_t seed, const std::string& folder)
      : random_(seed), site_(folder, 1 + random_.Below(3)) {}

  RunResult Go(int steps) {
    for (int i = 0; i < steps && result_.difference.empty(); ++i) Step();
    if (result_.difference.empty()) ComeToRest();
    return std::move(result_);
  }

 private:
  void Note(std::string step) { result_.steps.push_back(std::move(step)); }
  void Differ(const std::string& difference) {
    if (result_.difference.empty()) result_.difference = difference;
  }
  void ExpectEqual(const std::string& what, const std::string& is, const std::string& expected) {
    if (is != expected) Differ(absl::StrCat(what, " is ", is, ", expected ", expected));
  }

  void Step() {
    const int kind = random_.Below(20);
    if (!site_.server_runs()) {
      kind < 12 ? StartServer() : DisturbAgents();
    } else if (kind < 11) {
      Apply(NextRequest());
    } else if (kind < 13) {
      DisturbServer();
    } else if (kind < 14 && expected_.revision() > 0) {
      // A server without any revision takes nothing from agents that have one.
      Note("copy the database");
      site_.TakeCopy();
      copy_ = std::make_unique<Copy>(Copy{expected_, incarnations_});
    } else if (kind < 17) {
      DisturbAgents();
    } else {
      ComeToRest();
    }
  }

  v1::ApplyRequest NextRequest() {
    if (!sent_.empty() && random_.OneIn(6)) {
      v1::ApplyRequest again = random_.Of(sent_);
      if (random_.OneIn(4)) again.add_mutations()->mutable_delete_profile()->set_name("other");
      return again;
    }
    v1::ApplyRequest request = RandomRequest(random_, expected_);
    if (random_.OneIn(3)) {
      request.mutable_options()->set_request_id(absl::StrCat("request-", sent_.size()));
      sent_.push_back(request);
    }
    return request;
  }

  void Apply(const v1::ApplyRequest& request) {
    const Expected::Verdict verdict = expected_.Apply(request);
    Note(absl::StrCat("apply ", request.ShortDebugString(), " -> ", Name(verdict.code),
                      verdict.replayed ? " replayed" : "", " revision ", verdict.revision));
    grpc::ClientContext context;
    v1::ApplyResponse response;
    const grpc::Status status = site_.configuration().Apply(&context, request, &response);
    ExpectEqual(absl::StrCat("status (", status.error_message(), ")"), Name(status.error_code()),
                Name(verdict.code));
    if (!status.ok() || !result_.difference.empty()) return;
    const v1::RevisionId& id = response.revision().id();
    ExpectEqual("revision", absl::StrCat(id.number()), absl::StrCat(verdict.revision));
    ExpectEqual("replayed", absl::StrCat(response.replayed()), absl::StrCat(verdict.replayed));
    if (verdict.changed) {
      expected_.Learn(id.tag());
    } else {
      ExpectEqual("tag", absl::StrCat(id.tag()), absl::StrCat(verdict.tag));
    }
  }

  void StartServer() {
    if (copy_ != nullptr && random_.OneIn(4)) {
      Note("restore the copy of the database");
      site_.RestoreCopy();
      expected_ = copy_->expected;
      incarnations_ = copy_->incarnations;
    }
    if (random_.OneIn(4)) {
      Note("trim the history");
      site_.TrimHistory();
    }
    Note("start the server");
    site_.StartServer();
  }

  void DisturbServer() {
    const Site::Outage outage = random_.OneIn(2) ? Site::Outage::kHung : Site::Outage::kRefused;
    const std::string detail = outage == Site::Outage::kHung ? " and let connections hang" : "";
    if (random_.OneIn(2)) {
      Note("stop the server" + detail);
      site_.StopServer(outage);
    } else {
      Note("kill the server" + detail);
      site_.KillServer(outage);
    }
  }

  void DisturbAgents() {
    if (random_.OneIn(3)) {
      Note("cut connections");
      site_.CutConnections();
      return;
    }
    SiteAgent& agent =
        *site_
             .agents()[static_cast<size_t>(random_.Below(static_cast<int>(site_.agents().size())))];
    if (!agent.runs()) return StartAgent(agent);
    Note(absl::StrCat("stop ", agent.id()));
    agent.Stop();
    if (random_.OneIn(2)) StartAgent(agent);
  }

  // What an agent served is what it begins with, whatever the server is doing.
  void StartAgent(SiteAgent& agent) {
    Note(absl::StrCat("start ", agent.id()));
    const std::shared_ptr<const Snapshot> served = agent.view();
    const std::shared_ptr<const Snapshot> loaded = agent.Start();
    ExpectEqual(absl::StrCat("what ", agent.id(), " begins with"), RevisionOf(loaded),
                RevisionOf(served));
  }

  // Everything runs, and has what is current.
  void ComeToRest() {
    Note("come to rest");
    if (!site_.server_runs()) StartServer();
    CompareServer();
    for (const auto& agent : site_.agents()) {
      if (!agent->runs()) StartAgent(*agent);
      if (!agent->WaitFor({.number = expected_.revision(), .tag = expected_.tag()})) {
        return Differ(absl::StrCat(agent->id(), " stays at ", RevisionOf(agent->view()),
                                   ", expected ", expected_.revision()));
      }
      CompareAgent(*agent);
    }
  }

  Lines ExpectedLines() {
    Lines lines;
    for (const auto& [name, host] : expected_.hosts()) {
      std::string macs;
      for (const std::string& mac : host.macs) absl::StrAppend(&macs, " ", mac);
      lines["host " + name] =
          absl::StrCat("#", host.incarnation, macs, " ", host.distro, " @", host.etag);
    }
    for (const auto& [name, profile] : expected_.profiles()) {
      lines["profile " + name] = absl::StrCat(profile.command_line, " @", profile.etag);
    }
    const Expected::Settings& settings = expected_.settings();
    std::string line =
        absl::StrCat("default=", settings.default_distro, " unknown=", settings.unknown_hosts,
                     " timeout=", settings.menu_timeout, " prefix=", settings.rootfs_path_prefix,
                     " @", settings.etag);
    for (const auto& [name, value] : settings.variables)
      absl::StrAppend(&line, " ", name, "=", value);
    lines["settings"] = line;
    return lines;
  }

  void AddHost(const v1::Host& host, Lines& lines) {
    // A new id is a new incarnation; which one, only the model knows: the one of that name.
    const auto expected = expected_.hosts().find(host.name());
    if (expected != expected_.hosts().end()) {
      const int64_t incarnation = expected->second.incarnation;
      const auto [known, added] = incarnations_.try_emplace(host.id(), incarnation);
      if (added) {
        for (const auto& [id, other] : incarnations_) {
          if (other == incarnation && id != host.id()) known->second = -1;
        }
      }
    }
    std::string macs;
    for (const std::string& mac : host.macs()) absl::StrAppend(&macs, " ", mac);
    lines["host " + host.name()] =
        absl::StrCat("#", incarnations_[host.id()], macs, " ", host.distro(), " @", host.etag());
  }

  static std::string SettingsLine(const v1::Settings& settings) {
    std::string line =
        absl::StrCat("default=", settings.default_distro(), " unknown=", settings.unknown_hosts(),
                     " timeout=", settings.menu_timeout().seconds(),
                     " prefix=", settings.rootfs_path_prefix(), " @", settings.etag());
    const std::map<std::string, std::string> variables(settings.variables().begin(),
                                                       settings.variables().end());
    for (const auto& [name, value] : variables) absl::StrAppend(&line, " ", name, "=", value);
    return line;
  }

  void Compare(const std::string& whose, const Lines& lines) {
    const Lines expected = ExpectedLines();
    for (const auto& [key, line] : expected) {
      const auto found = lines.find(key);
      ExpectEqual(absl::StrCat(whose, ": ", key),
                  found == lines.end() ? "not there" : found->second, line);
    }
    for (const auto& [key, line] : lines) {
      if (expected.count(key) == 0)
        Differ(absl::StrCat(whose, ": ", key, " is ", line, ", expected nothing"));
    }
  }

  void CompareServer() {
    Lines lines;
    v1::ListHostsRequest hosts_request;
    hosts_request.set_page_size(2);
    do {
      grpc::ClientContext context;
      v1::ListHostsResponse page;
      const grpc::Status status = site_.configuration().ListHosts(&context, hosts_request, &page);
      if (!status.ok()) return Differ(absl::StrCat("ListHosts: ", status.error_message()));
      for (const v1::Host& host : page.hosts()) AddHost(host, lines);
      hosts_request.set_page_token(page.next_page_token());
    } while (!hosts_request.page_token().empty());
    v1::ListProfilesRequest profiles_request;
    profiles_request.set_page_size(2);
    do {
      grpc::ClientContext context;
      v1::ListProfilesResponse page;
      const grpc::Status status =
          site_.configuration().ListProfiles(&context, profiles_request, &page);
      if (!status.ok()) return Differ(absl::StrCat("ListProfiles: ", status.error_message()));
      for (const v1::Profile& profile : page.profiles()) {
        lines["profile " + profile.name()] =
            absl::StrCat(profile.command_line(), " @", profile.etag());
      }
      profiles_request.set_page_token(page.next_page_token());
    } while (!profiles_request.page_token().empty());
    grpc::ClientContext context;
    v1::Settings settings;
    const grpc::Status status =
        site_.configuration().GetSettings(&context, v1::GetSettingsRequest(), &settings);
    if (!status.ok()) return Differ(absl::StrCat("GetSettings: ", status.error_message()));
    lines["settings"] = SettingsLine(settings);
    Compare("the server", lines);
  }

  void CompareAgent(const SiteAgent& agent) {
    const std::shared_ptr<const Snapshot> view = agent.view();
    Lines lines;
    for (const auto& host : view->HostsByName()) AddHost(ToProto(*host), lines);
    for (const auto& [name, profile] : view->profiles()) {
      lines["profile " + name.text()] =
          absl::StrCat(profile.command_line.text(), " @", profile.etag);
    }
    lines["settings"] = SettingsLine(ToProto(view->settings()));
    Compare(agent.id(), lines);
    for (const std::string& mac : SomeMacs()) CompareBoot(agent, *view, mac);
  }

  void CompareBoot(const SiteAgent& agent, const Snapshot& view, const std::string& mac) {
    const AgentContext context{.id = *AgentId::Parse(agent.id()),
                               .rootfs_folder = kRootfs,
                               .advertise = absl::nullopt,
                               .http_port = 8080,
                               .tftp_port = 69};
    const HostFacts facts{.mac = *MacAddress::Parse(mac),
                          .asked_at = IpEndpoint::Parse("10.77.0.1:69")->address,
                          .build_arch = ""};
    const Decision decision = Decide(view, SiteCatalog(), context, facts, absl::UnixEpoch());
    const Expected::Boot expected = expected_.Decide(mac, kRootfs);
    const std::string what = absl::StrCat(agent.id(), ": what ", mac, " boots");
    ExpectEqual(what, decision.distro.Format(), expected.distro);
    ExpectEqual(what + ", whether", absl::StrCat(decision.outcome == Outcome::kBoot),
                absl::StrCat(expected.boots));
    if (!expected.boots) return;
    ExpectEqual(what + ", by", decision.command_line, expected.command_line);
    ExpectEqual(what + ", from", decision.rootfs_path, expected.rootfs_path);
  }

  // By the server's id of a host.
  using Incarnations = std::map<int64_t, int64_t>;
  // What a restored database is expected to hold.
  struct Copy {
    Expected expected;
    Incarnations incarnations;
  };

  Random random_;
  Site site_;
  Expected expected_;
  Incarnations incarnations_;
  std::unique_ptr<Copy> copy_;
  std::vector<v1::ApplyRequest> sent_;  // Those with a request id.
  RunResult result_;
};

}  // namespace

RunResult RunSeed(uint64_t seed, int steps, const std::string& folder) {
  return Run(seed, folder).Go(steps);
}

}  // namespace autopxe::tests
