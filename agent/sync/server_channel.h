#pragma once

#include <memory>
#include <string>

#include "grpcpp/channel.h"

namespace autopxe::agent {

// The connection to the server at `address` ("host:port"), shared by everything that talks to it.
// It connects when it is used, and again whenever it is lost; one that is half open is noticed
// within 15 s, since it is asked for a sign of life whenever nothing has come for 10 s.
std::shared_ptr<grpc::Channel> BuildServerChannel(const std::string& address);

}  // namespace autopxe::agent
