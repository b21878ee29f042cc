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
#include "agent/http/checked_file.h"
#include "agent/http/reply.h"
#include "agent/http/request_fields.h"
#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"

namespace autopxe::agent {

int DescriptorOf(MHD_Connection* connection);

// Whom the connection is with.
IpEndpoint PeerOf(MHD_Connection* connection);

// What is kept of a connection from one request to the next.
struct HttpConnection {
  std::string target;                  // Of the latest request, as its request line has it.
  absl::optional<IpAddress> asked_at;  // The address that the peer uses, once it is known.
};

// One request on a connection of libmicrohttpd, and its answer. For one thread at a time.
//
// libmicrohttpd asks twice: when the head is there (AnswerHead), and at the end of the request
// (Answer).
class HttpExchange {
 public:
  using Resolve = std::function<absl::StatusOr<ResolvedContent>(const ContentRequest& request)>;

  // Takes the target out of `kept`, which belongs to `connection`. Both must outlive this object.
  HttpExchange(MHD_Connection* connection, HttpConnection& kept, absl::string_view method);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // Refuses a request by its head alone: another method than GET and HEAD, one with a body, or with
  // fields that are no fields. The
  // connection ends with the answer, which libmicrohttpd sees to whenever it is given one before
  // the end of a request. Returns MHD_NO if the connection is to be closed at once.
  MHD_Result AnswerHead();

  // Answers with `error` before it has looked at anything. Else as AnswerHead.
  MHD_Result Refuse(const absl::Status& error) { return Fail(error); }

  // Whether there is an answer, or none is to come.
  bool answered() const { return answered_; }

  // Answers with what `resolve` finds. Returns as AnswerHead does.
  MHD_Result Answer(const Resolve& resolve);

  // The line for the log, once libmicrohttpd is done with the request. `too_slow`: it was cut for
  // that.
  void Log(MHD_RequestTerminationCode termination, bool too_slow) const;

 private:
  absl::StatusOr<ResolvedContent> Find(const Resolve& resolve);
  ReplyConditions Conditions() const;
  MHD_Result Fail(const absl::Status& error);
  MHD_Result Queue(Reply reply);

  MHD_Connection* const connection_;
  HttpConnection& kept_;
  const std::string target_;
  const std::string method_;
  const std::chrono::steady_clock::time_point started_;
  const int fd_;

  RequestFields fields_;
  bool answered_ = false;
  std::string path_;  // For the log: the canonical one once it is known.
  absl::optional<MacAddress> host_;
  std::string result_;
  std::string error_;
  std::shared_ptr<const Content> content_;
  uint64_t length_ = 0;  // Of the body that is sent.
  // What the peer had acknowledged before that; of a file only.
  uint64_t acknowledged_before_ = 0;
  std::unique_ptr<CheckedFile> checked_;  // While a file is sent.
};

}  // namespace autopxe::agent
