#pragma once

namespace autopxe {

// Sends what gRPC itself reports as errors to this process's log as `event=grpc`. Call once, before
// gRPC is used.
void RouteGrpcLog();

}  // namespace autopxe
