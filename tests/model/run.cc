#include "tests/model/run.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "boot/boot.h"
#include "common/model/host.h"
#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"
#include "grpcpp/client_context.h"
#include "tests/model/configuration_lines.h"
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
    const int kind = random_.Below(24);
    if (kind == 22) {
      PassTime();
    } else if (kind == 23) {
      UseNextBoot();
    } else if (!site_.server_runs()) {
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
    v1::ApplyRequest request = RandomRequest(random_, expected_, Now());
    if (random_.OneIn(3)) {
      request.mutable_options()->set_request_id(absl::StrCat("request-", sent_.size()));
      sent_.push_back(request);
    }
    return request;
  }

  void Apply(const v1::ApplyRequest& request) {
    const Expected::Verdict verdict = expected_.Apply(request, Now());
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

  int64_t Now() const { return absl::ToUnixSeconds(site_.Now()); }

  void PassTime() {
    const int64_t seconds = kTimeStep * (1 + random_.Below(3));
    Note(absl::StrCat("pass ", seconds, " s"));
    site_.PassTime(absl::Seconds(seconds));
  }

  // Any host that has one where it boots, whatever the server knows by now.
  void UseNextBoot() {
    SiteAgent& agent = SomeAgent();
    const std::shared_ptr<const Snapshot> view = agent.view();
    if (!agent.runs() || view == nullptr) return;
    std::vector<MacAddress> macs;
    for (const std::string& text : SomeMacs()) {
      const MacAddress mac = *MacAddress::Parse(text);
      const std::shared_ptr<const Host> host = view->FindHost(mac);
      if (host != nullptr && host->next.has_value()) macs.push_back(mac);
    }
    if (macs.empty()) return;
    const MacAddress& mac = random_.Of(macs);
    const int64_t token = view->FindHost(mac)->next->token;
    Note(absl::StrCat("use ", mac.Format(), "'s next boot ", token, " at ", agent.id()));
    const absl::optional<UsedNextBoot> use = agent.UseNextBoot(mac, token);
    if (!use.has_value()) return Differ("that was not its next boot");
    if (agent.view()->FindHost(mac)->next.has_value()) Differ("it is its next boot yet");
    if (agent.UseNextBoot(mac, token).has_value()) Differ("it could be used twice");
    uses_.emplace_back(agent.id(), *use);
  }

  // What agents do once they reach the server; often more than once, as if the answer was lost.
  void ReportUses() {
    for (const auto& [agent, use] : uses_) {
      const int64_t id = static_cast<int64_t>(use.host);
      v1::ReportUsedNextBootsRequest request;
      request.set_agent_id(agent);
      v1::UsedNextBoot& used = *request.add_used();
      used.set_host_id(id);
      used.set_token(use.token);
      used.mutable_time()->set_seconds(Now());
      for (int times = 1 + random_.Below(2); times > 0; --times) {
        Note(absl::StrCat("report that host ", id, " used its next boot ", use.token, " at ",
                          agent));
        grpc::ClientContext context;
        v1::ReportUsedNextBootsResponse response;
        const grpc::Status status =
            site_.agent_service().ReportUsedNextBoots(&context, request, &response);
        if (!status.ok()) return Differ(absl::StrCat("the report: ", status.error_message()));
        if (expected_.TakeUse(incarnations_.Of(id), use.token)) LearnRevision();
      }
    }
    uses_.clear();
  }

  // Of a change that answers without it.
  void LearnRevision() {
    grpc::ClientContext context;
    v1::ListHistoryRequest request;
    request.set_page_size(1);
    v1::ListHistoryResponse history;
    const grpc::Status status = site_.configuration().ListHistory(&context, request, &history);
    if (!status.ok()) return Differ(absl::StrCat("ListHistory: ", status.error_message()));
    if (history.entries().empty()) return Differ("the history has no entry");
    const v1::RevisionId& id = history.entries(0).revision().id();
    ExpectEqual("revision", absl::StrCat(id.number()), absl::StrCat(expected_.revision()));
    expected_.Learn(id.tag());
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

  SiteAgent& SomeAgent() {
    const int agents = static_cast<int>(site_.agents().size());
    return *site_.agents()[static_cast<size_t>(random_.Below(agents))];
  }

  void DisturbAgents() {
    if (random_.OneIn(3)) {
      Note("cut connections");
      site_.CutConnections();
      return;
    }
    SiteAgent& agent = SomeAgent();
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
    if (!uses_.empty() && result_.difference.empty()) {
      ReportUses();
      CompareServer();
    }
    for (const auto& agent : site_.agents()) {
      if (!agent->runs()) StartAgent(*agent);
      if (!agent->WaitFor({.number = expected_.revision(), .tag = expected_.tag()})) {
        return Differ(absl::StrCat(agent->id(), " stays at ", RevisionOf(agent->view()),
                                   ", expected ", expected_.revision()));
      }
      CompareAgent(*agent);
    }
  }

  void Compare(const std::string& whose, const Lines& lines) {
    const Lines expected = LinesOf(expected_);
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
    const absl::StatusOr<Lines> lines = ListLines(site_.configuration(), expected_, incarnations_);
    if (!lines.ok()) return Differ(std::string(lines.status().message()));
    Compare("the server", *lines);
  }

  void CompareAgent(const SiteAgent& agent) {
    const std::shared_ptr<const Snapshot> view = agent.view();
    Compare(agent.id(), LinesOf(*view, expected_, incarnations_));
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
    const Decision decision = Decide(view, SiteCatalog(), context, facts, site_.Now());
    const Expected::Boot expected = expected_.Decide(mac, kRootfs, Now());
    const std::string what = absl::StrCat(agent.id(), ": what ", mac, " boots");
    ExpectEqual(what, decision.distro.Format(), expected.distro);
    ExpectEqual(what + ", whether", absl::StrCat(decision.outcome == Outcome::kBoot),
                absl::StrCat(expected.boots));
    if (!expected.boots) return;
    ExpectEqual(what + ", by", decision.command_line, expected.command_line);
    ExpectEqual(what + ", from", decision.rootfs_path, expected.rootfs_path);
  }

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
  // Next boots that were used up, and at which agent, of which the server has not heard.
  std::vector<std::pair<std::string, UsedNextBoot>> uses_;
  RunResult result_;
};

}  // namespace

RunResult RunSeed(uint64_t seed, int steps, const std::string& folder) {
  return Run(seed, folder).Go(steps);
}

}  // namespace autopxe::tests
