#include "server/services/call.h"

#include <openssl/evp.h>

#include <memory>

#include "absl/base/internal/raw_logging.h"
#include "absl/strings/str_cat.h"
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
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  ABSL_RAW_CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1,
                 "no SHA-256");
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
    const std::string size = absl::StrCat(bytes.size(), ":");
    EVP_DigestUpdate(context.get(), size.data(), size.size());
    EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
  };
  v1::RequestOptions without_id = options;
  without_id.clear_request_id();
  add(without_id);
  for (const v1::Mutation& mutation : mutations) add(mutation);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ABSL_RAW_CHECK(EVP_DigestFinal_ex(context.get(), digest, &size) == 1, "SHA-256 failed");
  return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace autopxe::server
