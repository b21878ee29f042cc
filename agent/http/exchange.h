#pragma once

#include <microhttpd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "agent/content/path_resolver.h"
#include "agent/http/reply.h"
#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"

namespace autopxe::agent {

// One request on a connection of libmicrohttpd, and its answer. For one thread at a time.
//
// libmicrohttpd asks twice: when the head is there (AnswerHead), and at the end of the request
// (Answer).
class HttpExchange {
 public:
  using Resolve = std::function<absl::StatusOr<ResolvedContent>(const ContentRequest& request)>;

  // `target` is as the request line has it. `connection` must outlive this object.
  HttpExchange(MHD_Connection* connection, std::string target, absl::string_view method);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // Refuses a request by its head alone: another method than GET and HEAD, or one with a body. The
  // connection ends with the answer, which libmicrohttpd sees to whenever it is given one before
  // the end of a request. Returns MHD_NO if the connection is to be closed at once.
  MHD_Result AnswerHead();

  // Whether there is an answer, or none is to come.
  bool answered() const { return answered_; }

  // Answers with what `resolve` finds. Returns as AnswerHead does.
  MHD_Result Answer(const Resolve& resolve);

  // The line for the log, once libmicrohttpd is done with the request.
  void Log(MHD_RequestTerminationCode termination) const;

 private:
  // The field's value; nothing if there is none. The first of several.
  absl::optional<std::string> Field(const char* name) const;
  bool HasBody() const;
  absl::StatusOr<ResolvedContent> Find(const Resolve& resolve);
  MHD_Result Fail(const absl::Status& error);
  MHD_Result Queue(Reply reply);
  // How much of what was sent on the connection so far has arrived, heads included.
  uint64_t AcknowledgedBytes() const;

  MHD_Connection* const connection_;
  const std::string target_;
  const std::string method_;
  const std::chrono::steady_clock::time_point started_;
  const int fd_;
  const uint64_t acknowledged_before_;

  bool answered_ = false;
  std::string path_;  // For the log: the canonical one once it is known.
  absl::optional<MacAddress> host_;
  std::string result_;
  std::string error_;
  std::shared_ptr<const Content> content_;
  uint64_t length_ = 0;  // Of the body that is sent.
};

}  // namespace autopxe::agent
