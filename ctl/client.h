#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autopxe/v1/agent.pb.h"
#include "autopxe/v1/catalog.pb.h"
#include "autopxe/v1/configuration.pb.h"
#include "autopxe/v1/decision.pb.h"
#include "autopxe/v1/maintenance.pb.h"
#include "common/status/problem.h"

namespace autopxe::ctl {

// Talks to one server: connects when it is first asked something. A call that can't reach it is
// made once more; changes carry a request id, so that they are made once all the same. Lists come
// whole, from all their pages.
//
// Errors of every method: what the server answered, with a message that says what to do next;
// UNAVAILABLE and DEADLINE_EXCEEDED name the server.
class Client {
 public:
  // `address`: "host:port".
  explicit Client(std::string address);
  ~Client();

  // `problems`: what is wrong with each mutation, when the batch is refused; may be null.
  absl::StatusOr<v1::ApplyResponse> Apply(const v1::ApplyRequest& request,
                                          std::vector<Problem>* problems);
  absl::StatusOr<v1::ApplyResponse> AssignHosts(const v1::AssignHostsRequest& request);
  absl::StatusOr<v1::ApplyResponse> UnassignHosts(const v1::UnassignHostsRequest& request);
  absl::StatusOr<v1::ApplyResponse> DeleteHosts(const v1::DeleteHostsRequest& request);
  absl::StatusOr<v1::ApplyResponse> SetProfile(const v1::SetProfileRequest& request);
  absl::StatusOr<v1::ApplyResponse> DeleteProfile(const v1::DeleteProfileRequest& request);
  absl::StatusOr<v1::ApplyResponse> UpdateSettings(const v1::UpdateSettingsRequest& request);
  absl::StatusOr<v1::ApplyResponse> UpdateAgentSettings(
      const v1::UpdateAgentSettingsRequest& request);

  absl::StatusOr<v1::Host> GetHost(const std::string& host);
  absl::StatusOr<v1::Profile> GetProfile(const std::string& name);
  absl::StatusOr<v1::DeclaredDistro> GetDeclaredDistro(const std::string& name);
  absl::StatusOr<v1::Settings> GetSettings();
  absl::StatusOr<v1::AgentSettings> GetAgentSettings(const std::string& agent);
  absl::StatusOr<v1::ListAgentSettingsResponse> ListAgentSettings();
  // `selector`: empty for all.
  absl::StatusOr<v1::ListHostsResponse> ListHosts(const std::string& selector);
  // Those of `hosts`, names or MACs, that the server knows, in their order.
  absl::StatusOr<v1::ListHostsResponse> FindHosts(const std::vector<std::string>& hosts);
  absl::StatusOr<v1::Group> GetGroup(const std::string& name);
  absl::StatusOr<v1::ListGroupsResponse> ListGroups();
  absl::StatusOr<v1::ListProfilesResponse> ListProfiles();
  absl::StatusOr<v1::ListDistrosResponse> ListDistros();
  absl::StatusOr<v1::ListKernelMovesResponse> ListKernelMoves();
  absl::StatusOr<v1::ListAgentsResponse> ListAgents();
  // The latest `limit` revisions, 1 at least. With a next_page_token there are older ones.
  absl::StatusOr<v1::ListHistoryResponse> ListHistory(const std::string& kind,
                                                      const std::string& name, int limit);
  // All that one revision changed, of what is asked for.
  absl::StatusOr<v1::ListDifferencesResponse> ListDifferences(int64_t revision,
                                                              const std::string& kind,
                                                              const std::string& name);
  absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request);
  // Both may be empty; see v1::ListDecisionsRequest.
  absl::StatusOr<v1::ListDecisionsResponse> ListDecisions(const std::string& selector,
                                                          const std::string& agent);
  // Of `hosts`, names or MACs, in their order; a name that the server does not know has none.
  absl::StatusOr<v1::ListDecisionsResponse> FindDecisions(const std::vector<std::string>& hosts,
                                                          const std::string& agent);
  absl::StatusOr<v1::DeleteAgentResponse> DeleteAgent(const std::string& agent);

  // Copies the server's database: gives its bytes to `write`, in order, until that fails. What it
  // holds, once all of it has come as it was sent; DATA_LOSS if it has not.
  absl::StatusOr<v1::BackupBegin> Backup(
      const std::function<absl::Status(absl::string_view bytes)>& write);

  // The server's version; empty if it does not tell.
  absl::StatusOr<std::string> ServerVersion();

  const std::string& address() const { return address_; }

 private:
  struct Connection;

  template <typename Stub, typename Method, typename Request>
  auto Call(Stub& stub, Method method, const Request& request,
            std::vector<Problem>* problems = nullptr, std::string* server_version = nullptr);

  // `request` without a page size and token.
  template <typename Stub, typename Method, typename Request>
  auto CallForAllPages(Stub& stub, Method method, Request request);

  // `request` of `hosts`, without a page size and token: as many calls as it takes.
  template <typename Stub, typename Method, typename Request>
  auto CallForHosts(Stub& stub, Method method, Request request,
                    const std::vector<std::string>& hosts);

  const std::string address_;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace autopxe::ctl
