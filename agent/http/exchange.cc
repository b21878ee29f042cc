#include "agent/http/exchange.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "agent/http/request_target.h"
#include "agent/net/socket_address.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

int DescriptorOf(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

std::string PeerOf(MHD_Connection* connection) {
  const sockaddr* address =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
  const socklen_t size =
      address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const absl::StatusOr<IpEndpoint> peer = EndpointOf(address, size);
  return peer.ok() ? peer->Format() : "-";
}

struct DestroyResponse {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, DestroyResponse>;

// Null if there is no memory or no descriptor left.
Response MakeResponse(const Reply& reply) {
  if (reply.content->fd() < 0 || reply.length == 0) {
    const std::string& text = reply.content->text();
    return Response(MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()),
                                                    MHD_RESPMEM_MUST_COPY));
  }
  // libmicrohttpd closes the descriptor that it is given. It reads at offsets (sendfile, pread), so
  // a duplicate may share the original's position.
  const int fd = fcntl(reply.content->fd(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  Response response(MHD_create_response_from_fd_at_offset64(reply.length, fd, reply.offset));
  if (response == nullptr) close(fd);
  return response;
}

}  // namespace

HttpExchange::HttpExchange(MHD_Connection* connection, std::string target, absl::string_view method)
    : connection_(connection),
      target_(std::move(target)),
      method_(method),
      started_(std::chrono::steady_clock::now()),
      fd_(DescriptorOf(connection)),
      acknowledged_before_(AcknowledgedBytes()),
      path_(target_) {}

absl::optional<std::string> HttpExchange::Field(const char* name) const {
  const char* value = MHD_lookup_connection_value(connection_, MHD_HEADER_KIND, name);
  if (value == nullptr) return absl::nullopt;
  return value;
}

bool HttpExchange::HasBody() const {
  bool has_body = false;
  MHD_get_connection_values(
      connection_, MHD_HEADER_KIND,
      [](void* has_body, MHD_ValueKind, const char* name, const char* value) {
        if (absl::EqualsIgnoreCase(name, "Transfer-Encoding") ||
            (absl::EqualsIgnoreCase(name, "Content-Length") &&
             (value == nullptr || absl::string_view(value) != "0"))) {
          *static_cast<bool*>(has_body) = true;
        }
        return MHD_YES;
      },
      &has_body);
  return has_body;
}

MHD_Result HttpExchange::AnswerHead() {
  if (method_ != "GET" && method_ != "HEAD") {
    return Fail(absl::UnimplementedError("only GET and HEAD are answered"));
  }
  if (HasBody()) return Fail(absl::InvalidArgumentError("a request has no body here"));
  return MHD_YES;
}

absl::StatusOr<ResolvedContent> HttpExchange::Find(const Resolve& resolve) {
  ASSIGN_OR_RETURN(RequestTarget target, ParseRequestTarget(target_));
  path_ = target.path;
  ASSIGN_OR_RETURN(const IpEndpoint asked_at, LocalAddressOf(fd_));
  return resolve({.transport = Transport::kHttp,
                  .path = std::move(target.path),
                  .query = std::move(target.query),
                  .from_ipxe = absl::StartsWith(Field("User-Agent").value_or(""), "iPXE"),
                  .asked_at = asked_at.address});
}

MHD_Result HttpExchange::Answer(const Resolve& resolve) {
  absl::StatusOr<ResolvedContent> found = Find(resolve);
  if (!found.ok()) return Fail(found.status());
  path_ = found->path;
  host_ = found->host;
  result_ = found->result;
  return Queue(BuildReply({.is_get = method_ == "GET",
                           .range = Field("Range"),
                           .if_range = Field("If-Range"),
                           .if_none_match = Field("If-None-Match"),
                           .now = absl::Now()},
                          *found));
}

MHD_Result HttpExchange::Fail(const absl::Status& error) {
  if (error.code() == absl::StatusCode::kPermissionDenied) {
    answered_ = true;
    result_ = "ignored";
    return MHD_NO;
  }
  result_ = std::string(ErrorResult(error));
  if (error.code() != absl::StatusCode::kNotFound) error_ = std::string(error.message());
  return Queue(BuildErrorReply(error));
}

MHD_Result HttpExchange::Queue(Reply reply) {
  answered_ = true;
  const Response response = MakeResponse(reply);
  if (response == nullptr) {
    result_ = "failed";
    error_ = "no memory or descriptor left";
    return MHD_NO;
  }
  for (const auto& [name, value] : reply.fields) {
    MHD_add_response_header(response.get(), name.c_str(), value.c_str());
  }
  if (method_ != "HEAD") length_ = reply.length;
  content_ = std::move(reply.content);
  return MHD_queue_response(connection_, static_cast<unsigned>(reply.status), response.get());
}

uint64_t HttpExchange::AcknowledgedBytes() const {
  tcp_info found = {};
  socklen_t size = sizeof found;
  if (getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &found, &size) != 0) return 0;
  return found.tcpi_bytes_acked;
}

void HttpExchange::Log(MHD_RequestTerminationCode termination) const {
  std::string result = result_;
  std::string error = error_;
  uint64_t bytes = length_;
  bool warn = false;
  if (termination != MHD_REQUEST_TERMINATED_COMPLETED_OK && result != "ignored") {
    // What has arrived, less what can't be told apart from it: an answer's head of some 300 bytes.
    const uint64_t acknowledged = AcknowledgedBytes();
    bytes = acknowledged < acknowledged_before_
                ? 0
                : std::min(length_, acknowledged - acknowledged_before_);
    if (termination == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED) {
      result = "timeout";
      warn = true;
    } else if (termination == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN) {
      result = "shutdown";
    } else if (error.empty()) {
      result = "aborted";
    }
  }
  if (content_ != nullptr && length_ > 0) {
    if (const absl::Status changed = content_->CheckUnchanged(); !changed.ok()) {
      result = "changed";
      error = std::string(changed.message());
      warn = true;
    }
  }
  LogLine line("request");
  line.Add("protocol", "http")
      .Add("host", host_.has_value() ? host_->Format() : "-")
      .Add("client", PeerOf(connection_))
      .Add("path", path_)
      .Add("result", result)
      .Add("bytes", bytes)
      .Add("duration_ms", std::chrono::duration_cast<std::chrono::milliseconds>(
                              std::chrono::steady_clock::now() - started_)
                              .count());
  if (!error.empty()) line.Add("error", error);
  if (warn) {
    line.Warn();
  } else {
    line.Info();
  }
}

}  // namespace autopxe::agent
