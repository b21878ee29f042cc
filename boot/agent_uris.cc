#include "boot/agent_uris.h"

namespace autopxe {

AgentUris BuildAgentUris(const AgentContext& agent, Transport transport,
                         const IpAddress& asked_at) {
  const IpAddress address = agent.advertise.value_or(asked_at);
  AgentUris uris;
  if (transport == Transport::kHttp) {
    uris.http = IpxeWord::SameServer();
  } else if (agent.http_port != 0 && !address.is_unspecified()) {
    uris.http = IpxeWord::HttpUri(address, agent.http_port);
  }
  if (agent.tftp_port != 0 && !address.is_unspecified()) {
    uris.tftp = IpxeWord::TftpUri(address, agent.tftp_port);
  } else if (transport == Transport::kTftp) {
    uris.tftp = IpxeWord::SameServer();
  }
  return uris;
}

}  // namespace autopxe
