#include "common/status/grpc_status.h"

#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "autopxe/v1/error.pb.h"

namespace autopxe {
namespace {

constexpr absl::string_view kDetailType = "type.googleapis.com/autopxe.v1.ErrorDetail";
constexpr size_t kMaxMessage = 1024;
constexpr size_t kMaxText = 256;
constexpr size_t kMaxDetails = 3072;

// `text` as a proto3 string can hold it (which must be UTF-8 even where it is cut), `max` octets at
// most.
std::string Shorten(absl::string_view text, size_t max) {
  text = text.substr(0, max);
  for (const char c : text) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) {
      return absl::CHexEscape(text).substr(0, max);
    }
  }
  return std::string(text);
}

v1::ErrorDetail PackProblem(const Problem& problem) {
  v1::ErrorDetail detail;
  detail.set_reason(static_cast<v1::Reason>(problem.reason));
  detail.set_mutation(problem.mutation);
  detail.set_field(Shorten(problem.field, kMaxText));
  detail.set_value(Shorten(problem.value, kMaxText));
  constexpr size_t kMaxSuggestions = 4;
  for (const std::string& suggestion : problem.suggestions) {
    if (detail.suggestions_size() == kMaxSuggestions) break;
    detail.add_suggestions(Shorten(suggestion, kMaxText));
  }
  detail.set_message(Shorten(problem.message, kMaxText));
  return detail;
}

Problem UnpackProblem(const v1::ErrorDetail& detail) {
  Problem problem;
  if (v1::Reason_IsValid(detail.reason()) && detail.reason() != v1::REASON_UNSPECIFIED) {
    problem.reason = static_cast<Reason>(detail.reason());
  }
  problem.mutation = detail.mutation();
  problem.field = detail.field();
  problem.value = detail.value();
  problem.suggestions.assign(detail.suggestions().begin(), detail.suggestions().end());
  problem.message = detail.message();
  return problem;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message().substr(0, kMaxMessage)));
}

grpc::Status ToGrpcStatus(absl::StatusCode code, absl::string_view message,
                          absl::Span<const Problem> problems) {
  v1::StatusDetails details;
  details.set_code(static_cast<int>(code));
  details.set_message(Shorten(message, kMaxText));
  for (const Problem& problem : problems) {
    v1::PackedDetail* packed = details.add_details();
    packed->set_type_url(std::string(kDetailType));
    packed->set_value(PackProblem(problem).SerializeAsString());
    if (details.ByteSizeLong() > kMaxDetails && details.details_size() > 1) {
      details.mutable_details()->RemoveLast();
      break;
    }
  }
  return grpc::Status(static_cast<grpc::StatusCode>(code),
                      std::string(message.substr(0, kMaxMessage)), details.SerializeAsString());
}

absl::Status ToAbslStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const int code = status.error_code();
  const bool known = code > 0 && code <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  return absl::Status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
                      status.error_message());
}

std::vector<Problem> ProblemsOf(const grpc::Status& status) {
  std::vector<Problem> problems;
  v1::StatusDetails details;
  if (status.ok() || !details.ParseFromString(status.error_details())) return problems;
  for (const v1::PackedDetail& packed : details.details()) {
    v1::ErrorDetail detail;
    if (packed.type_url() == kDetailType && detail.ParseFromString(packed.value())) {
      problems.push_back(UnpackProblem(detail));
    }
  }
  return problems;
}

}  // namespace autopxe
