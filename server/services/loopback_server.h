#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/internal/raw_logging.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace autopxe::server {

// For tests: services behind a real connection, on a free port of the loopback interface.
class LoopbackServer {
 public:
  // `services` outlive this object.
  explicit LoopbackServer(const std::vector<grpc::Service*>& services) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    for (grpc::Service* service : services) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    ABSL_RAW_CHECK(server_ != nullptr && port_ > 0, "no free port");
  }

  ~LoopbackServer() { Shutdown(); }

  // Ends the calls that are still there.
  void Shutdown() { server_->Shutdown(std::chrono::system_clock::now()); }

  // A connection of its own for each call of this function.
  std::shared_ptr<grpc::Channel> Connect() const { return Connect(grpc::ChannelArguments()); }

  // The same, with HTTP/2's first window of 64 KiB for as long as it lasts: what is not read holds
  // the sender back soon.
  std::shared_ptr<grpc::Channel> ConnectWithSmallWindow() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    return Connect(std::move(arguments));
  }

 private:
  std::shared_ptr<grpc::Channel> Connect(grpc::ChannelArguments arguments) const {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port_),
                                     grpc::InsecureChannelCredentials(), arguments);
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace autopxe::server
