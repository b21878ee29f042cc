#include "agent/net/tcp_socket.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace autopxe::agent {

void EndConnection(int fd) { shutdown(fd, SHUT_RDWR); }

void EndReading(int fd) { shutdown(fd, SHUT_RD); }

uint64_t AcknowledgedBytes(int fd) {
  tcp_info found = {};
  socklen_t size = sizeof found;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &found, &size) != 0) return 0;
  return found.tcpi_bytes_acked;
}

}  // namespace autopxe::agent
