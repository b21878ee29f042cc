#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/agent.h"
#include "agent/catalog/test_tree.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "autopxe/v1/decision.grpc.pb.h"
#include "common/model/ip_endpoint.h"
#include "common/runtime/clock.h"
#include "server/server.h"
#include "server/sqlite/temp_folder.h"

namespace autopxe::tests {

// A whole server and whole agents in this process, asked as autopxectl and hosts do. Everything
// fails the test where it can't go on.
class ExplainedSite {
 public:
  // A whole agent with a tree of its own.
  struct OneAgent {
    std::string id;
    std::vector<std::string> asked_at;  // Addresses at which hosts can ask it.
    std::string lacks;                  // Of PlainFiles; empty: it has all of them.
    bool says_where = false;            // Whether it says itself which one scripts name.
    std::unique_ptr<agent::TestTree> tree;
    std::unique_ptr<agent::Agent> running;
  };

  // Ascending by id: "anywhere" listens on every address, "far" advertises one besides and offers
  // nothing at first, "here" listens on a single one, and lacks
  // a file that declared distros are made of.
  ExplainedSite();
  ~ExplainedSite();

  std::vector<OneAgent>& agents() { return agents_; }

  // Makes a change, a day before now by the server's clock, so that what is to end since then has
  // ended; returns when every agent serves it and has told so.
  void Apply(const v1::ApplyRequest& request);
  // Returns when every agent serves and has told what is current.
  void Settle();
  // Returns when that agent has told that it offers so many kernels.
  void AwaitKernels(const std::string& agent, int kernels);

  // Returns when the server has heard that this host has used its next boot, and so have the
  // agents.
  void AwaitUse(const std::string& host);

  v1::ExplainResponse Explain(const v1::ExplainRequest& request);
  v1::Host GetHost(const std::string& host);

  // What the agent answers at the address; empty: nothing.
  static std::string ByHttp(const OneAgent& agent, const std::string& asked_at,
                            const std::string& path);
  // REQUIRES: it answers.
  static std::string ByTftp(const OneAgent& agent, const std::string& asked_at,
                            const std::string& path);

 private:
  // The system's, moved.
  class MovedClock final : public Clock {
   public:
    absl::Time Now() const override { return system_.Now() - absl::Hours(hours_back.load()); }
    absl::Duration Monotonic() const override { return system_.Monotonic(); }

    std::atomic<int> hours_back{0};

   private:
    SystemClock system_;
  };

  // Starts one over `tree`, where it puts the files but the one that it `lacks`.
  void AddAgent(const std::string& id, const std::string& listen, const std::string& advertise,
                const std::string& lacks, std::unique_ptr<agent::TestTree> tree);
  v1::ListAgentsResponse ListAgents();

  const server::TempFolder folder_;
  MovedClock clock_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<v1::ConfigurationService::Stub> configuration_;
  std::unique_ptr<v1::DecisionService::Stub> decisions_;
  std::unique_ptr<v1::AgentService::Stub> agent_service_;
  std::vector<OneAgent> agents_;
};

}  // namespace autopxe::tests
