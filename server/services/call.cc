#include "server/services/call.h"

#include "absl/strings/str_cat.h"
#include "common/digest/sha256.h"
#include "common/runtime/log_line.h"
#include "common/runtime/version.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace autopxe::server {
namespace {

// Gone wrong by the server's fault, not by the caller's.
bool IsFault(grpc::StatusCode code) {
  return code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::UNAVAILABLE ||
         code == grpc::StatusCode::UNKNOWN || code == grpc::StatusCode::DATA_LOSS ||
         code == grpc::StatusCode::RESOURCE_EXHAUSTED;
}

std::string CodeName(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

}  // namespace

Call::Call(absl::string_view method, grpc::CallbackServerContext* context, const Clock& clock)
    : method_(method),
      origin_(context->peer()),
      reactor_(context->DefaultReactor()),
      clock_(&clock),
      start_(clock.Monotonic()) {
  // `autopxectl version` shows it.
  context->AddInitialMetadata("autopxe-version", kVersion);
}

grpc::ServerUnaryReactor* Call::Finish(const grpc::Status& status) const {
  LogLine line("read");
  line.Add("method", method_).Add("origin", origin_).Add("result", CodeName(status.error_code()));
  if (!status.ok()) line.Add("error", status.error_message());
  line.Add("duration_ms", absl::ToInt64Milliseconds(clock_->Monotonic() - start_));
  if (IsFault(status.error_code())) {
    line.Warn();
  } else {
    line.Debug();
  }
  reactor_->Finish(status);
  return reactor_;
}

grpc::ServerUnaryReactor* Call::Finish(const grpc::Status& status, const Write& write) const {
  LogLine line("write");
  line.Add("method", method_).Add("origin", origin_).Add("user", write.user);
  line.Add("request", write.request_id).Add("mutations", write.mutations);
  if (write.validate_only) line.Add("validate_only", true);
  line.Add("result", CodeName(status.error_code()));
  if (status.ok()) {
    line.Add("revision", write.revision);
  } else {
    line.Add("error", status.error_message());
  }
  line.Add("duration_ms", absl::ToInt64Milliseconds(clock_->Monotonic() - start_));
  if (IsFault(status.error_code())) {
    line.Warn();
  } else {
    line.Info();
  }
  reactor_->Finish(status);
  return reactor_;
}

std::string RequestDigest(const google::protobuf::RepeatedPtrField<v1::Mutation>& mutations,
                          const v1::RequestOptions& options) {
  Sha256 sha256;
  std::string bytes;
  const auto add = [&](const google::protobuf::Message& message) {
    bytes.clear();
    {
      google::protobuf::io::StringOutputStream stream(&bytes);
      google::protobuf::io::CodedOutputStream coded(&stream);
      // Maps in the order of their keys: one request has one digest.
      coded.SetSerializationDeterministic(true);
      message.SerializeToCodedStream(&coded);
    }
    sha256.Add(absl::StrCat(bytes.size(), ":"));
    sha256.Add(bytes);
  };
  v1::RequestOptions without_id = options;
  without_id.clear_request_id();
  add(without_id);
  for (const v1::Mutation& mutation : mutations) add(mutation);
  return sha256.Finish();
}

}  // namespace autopxe::server
