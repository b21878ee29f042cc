#pragma once

namespace autopxe {

// Sends what gRPC itself reports as errors to this process's log as `event=grpc`, and what protobuf
// reports as `event=protobuf`. Call once, before gRPC is used.
void RouteGrpcLog();

}  // namespace autopxe
