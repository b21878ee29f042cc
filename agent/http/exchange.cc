#include "agent/http/exchange.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "agent/http/request_target.h"
#include "agent/net/socket_address.h"
#include "agent/net/tcp_socket.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

struct DestroyResponse {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, DestroyResponse>;

// Null if there is no memory or no descriptor left. `checked` is set for a file.
Response MakeResponse(const Reply& reply, std::unique_ptr<CheckedFile>& checked) {
  if (reply.content->fd() < 0 || reply.length == 0) {
    // A menu of thousands of kernels is not copied, and lives until it has gone out.
    using Shared = std::shared_ptr<const Content>;
    auto shared = std::make_unique<Shared>(reply.content);
    const std::string& text = reply.content->text();
    Response response(MHD_create_response_from_buffer_with_free_callback_cls(
        text.size(), const_cast<char*>(text.data()),
        [](void* content) { delete static_cast<Shared*>(content); }, shared.get()));
    if (response != nullptr) shared.release();
    return response;
  }
  // libmicrohttpd closes the descriptor that it is given. It reads at offsets (sendfile, pread), so
  // a duplicate may share the original's position.
  const int fd = fcntl(reply.content->fd(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  Response response(MHD_create_response_from_fd_at_offset64(reply.length, fd, reply.offset));
  if (response == nullptr) {
    close(fd);
  } else {
    checked = std::make_unique<CheckedFile>(fd, reply.content);
  }
  return response;
}

}  // namespace

int DescriptorOf(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

IpEndpoint PeerOf(MHD_Connection* connection) {
  const sockaddr* address =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
  const socklen_t size =
      address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return *EndpointOf(address, size);  // Of the family that the server listens for.
}

HttpExchange::HttpExchange(MHD_Connection* connection, HttpConnection& kept,
                           absl::string_view method)
    : connection_(connection),
      kept_(kept),
      target_(std::move(kept.target)),
      method_(method),
      started_(std::chrono::steady_clock::now()),
      fd_(DescriptorOf(connection)),
      path_(target_) {}

MHD_Result HttpExchange::AnswerHead() {
  if (method_ != "GET" && method_ != "HEAD") {
    return Fail(absl::UnimplementedError("only GET and HEAD are answered"));
  }
  MHD_get_connection_values_n(
      connection_, MHD_HEADER_KIND,
      [](void* fields, MHD_ValueKind, const char* name, size_t name_size, const char* value,
         size_t value_size) {
        static_cast<RequestFields*>(fields)->Add(
            {name, name_size}, value == nullptr ? "" : absl::string_view(value, value_size));
        return MHD_YES;
      },
      &fields_);
  if (const absl::Status status = fields_.Check(); !status.ok()) return Fail(status);
  return MHD_YES;
}

absl::StatusOr<ResolvedContent> HttpExchange::Find(const Resolve& resolve) {
  ASSIGN_OR_RETURN(RequestTarget target, ParseRequestTarget(target_));
  path_ = target.path;
  if (!kept_.asked_at.has_value()) {
    ASSIGN_OR_RETURN(const IpEndpoint asked_at, LocalAddressOf(fd_));
    kept_.asked_at = asked_at.address;
  }
  return resolve({.transport = Transport::kHttp,
                  .path = std::move(target.path),
                  .query = std::move(target.query),
                  .from_ipxe = absl::StartsWith(fields_.Find("User-Agent").value_or(""), "iPXE"),
                  .asked_at = *kept_.asked_at});
}

ReplyConditions HttpExchange::Conditions() const {
  return {.is_get = method_ == "GET",
          .range = fields_.Find("Range"),
          .if_range = fields_.Find("If-Range"),
          .if_match = fields_.Find("If-Match"),
          .if_none_match = fields_.Find("If-None-Match"),
          .if_modified_since = fields_.Find("If-Modified-Since"),
          .if_unmodified_since = fields_.Find("If-Unmodified-Since"),
          .now = absl::Now()};
}

MHD_Result HttpExchange::Answer(const Resolve& resolve) {
  absl::StatusOr<ResolvedContent> found = Find(resolve);
  if (!found.ok()) return Fail(found.status());
  path_ = found->path;
  host_ = found->host;
  result_ = found->result;
  // Nothing depends on them for what is rendered.
  Reply reply = BuildReply(found->cacheable ? Conditions() : ReplyConditions(), *found);
  const bool has_start = method_ == "GET" && reply.offset == 0 &&
                         (reply.status == MHD_HTTP_OK || reply.status == MHD_HTTP_PARTIAL_CONTENT);
  const MHD_Result queued = Queue(std::move(reply));
  // What is queued goes out when libmicrohttpd's thread is back from here.
  if (queued == MHD_YES && has_start) found->on_fetch();
  return queued;
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
  const Response response = MakeResponse(reply, checked_);
  if (response == nullptr) {
    result_ = "failed";
    error_ = "no memory or descriptor left";
    return MHD_NO;
  }
  for (const auto& [name, value] : reply.fields) {
    MHD_add_response_header(response.get(), name.c_str(), value.c_str());
  }
  if (method_ != "HEAD" && reply.status != MHD_HTTP_NOT_MODIFIED) length_ = reply.length;
  if (checked_ != nullptr) acknowledged_before_ = AcknowledgedBytes(fd_);
  content_ = std::move(reply.content);
  return MHD_queue_response(connection_, static_cast<unsigned>(reply.status), response.get());
}

void HttpExchange::Log(MHD_RequestTerminationCode termination, bool too_slow) const {
  std::string result = result_;
  std::string error = error_;
  uint64_t bytes = length_;
  bool warn = false;
  if (termination != MHD_REQUEST_TERMINATED_COMPLETED_OK && result != "ignored") {
    // What has arrived of a file, less what can't be told apart from it: an answer's head of some
    // 300 bytes. Of a text nobody has asked the kernel before it went out.
    const uint64_t acknowledged = checked_ == nullptr ? 0 : AcknowledgedBytes(fd_);
    bytes = acknowledged < acknowledged_before_
                ? 0
                : std::min(length_, acknowledged - acknowledged_before_);
    if (too_slow || termination == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED) {
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
      .Add("client", PeerOf(connection_).Format())
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
