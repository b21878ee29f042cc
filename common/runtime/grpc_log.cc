#include "common/runtime/grpc_log.h"

#include <string>

#include "common/runtime/log_line.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/support/log.h"

namespace autopxe {
namespace {

// What gRPC calls an error is often a peer's doing (a connection refused, garbage on the port), so
// nothing is an error here.
void Log(gpr_log_func_args* args) { LogLine("grpc").Add("message", args->message).Warn(); }

// A peer can make protobuf complain with every message it sends (a string that is not UTF-8).
void LogProtobuf(google::protobuf::LogLevel level, const char*, int, const std::string& message) {
  LogLine line("protobuf");
  line.Add("message", message);
  level == google::protobuf::LOGLEVEL_FATAL ? line.Error() : line.Debug();
}

}  // namespace

void RouteGrpcLog() {
  gpr_set_log_function(Log);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  google::protobuf::SetLogHandler(LogProtobuf);
}

}  // namespace autopxe
