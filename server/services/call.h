#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/runtime/clock.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace autopxe::server {

// A unary call while it is under way: finishes its reactor and writes its one line of the log.
// Copyable, so that it can wait in a callback; Finish is called on one copy.
class Call {
 public:
  // `method` is a word for the log. `clock` outlives the call.
  Call(absl::string_view method, grpc::CallbackServerContext* context, const Clock& clock);

  grpc::ServerUnaryReactor* reactor() const { return reactor_; }

  // Where it came from: the peer's address as gRPC writes it, such as "ipv4:10.0.0.5:40112".
  const std::string& origin() const { return origin_; }

  // Ends a read, which is logged at debug level, or as a warning if the server is at fault.
  grpc::ServerUnaryReactor* Finish(const grpc::Status& status) const;

  // Ends a write, which is logged.
  struct Write {
    std::string user;
    std::string request_id;
    std::string revision;  // Empty if it failed.
    int mutations = 0;
    bool validate_only = false;
  };
  grpc::ServerUnaryReactor* Finish(const grpc::Status& status, const Write& write) const;

 private:
  std::string method_;
  std::string origin_;
  grpc::ServerUnaryReactor* reactor_;
  const Clock* clock_;
  absl::Duration start_;
};

// Identifies what a request asks for: SHA-256 over its mutations and options without the request
// id.
std::string RequestDigest(const google::protobuf::RepeatedPtrField<v1::Mutation>& mutations,
                          const v1::RequestOptions& options);

}  // namespace autopxe::server
