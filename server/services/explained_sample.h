#pragma once

#include <memory>

#include "absl/time/time.h"
#include "boot/sample.h"
#include "server/services/explained_agent.h"

namespace autopxe::server {

// For tests: the sample's agent, which serves what is current and has told all of itself. It
// listens on 10.77.0.1 alone, where FactsOf asks.
inline ExplainedAgent ExplainedOf(const Sample& sample, absl::Time now) {
  AgentRegistry::Entry entry{.id = sample.agent.id,
                             .status = AgentStatus{AgentInstance::Parse("i1").value()},
                             .reported_at = now,
                             .last_seen = now,
                             .watches = 1,
                             .catalog_at = now - absl::Minutes(5)};
  AgentStatus& status = *entry.status;
  status.view_age = absl::ZeroDuration();
  status.http_address = IpEndpoint::Parse("10.77.0.1:8080").value();
  status.tftp_address = IpEndpoint::Parse("10.77.0.1:69").value();
  status.rootfs_folder = sample.agent.rootfs_folder;
  status.http_port = sample.agent.http_port;
  status.tftp_port = sample.agent.tftp_port;
  return BuildExplainedAgent(std::move(entry), std::make_shared<const Catalog>(sample.catalog), 0,
                             0, now);
}

}  // namespace autopxe::server
