#include "common/status/grpc_status.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "autopxe/v1/error.pb.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Problem UnknownHost(int mutation) {
  Problem problem;
  problem.reason = Reason::kHostUnknown;
  problem.mutation = mutation;
  problem.field = "host";
  problem.value = "rack1";
  problem.suggestions = {"rack-1", "rack2"};
  problem.message = "no host is called rack1";
  return problem;
}

// What trailing metadata may take in all, by gRPC's default; binary values travel in base64 and a
// message's characters may take three each.
void ExpectFitsMetadata(const grpc::Status& status) {
  EXPECT_LT(status.error_details().size() * 4 / 3 + status.error_message().size() * 3,
            8192u - 512u);
}

TEST(GrpcStatusTest, EveryCodeComesBack) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "mac \"x\": wrong");
    const grpc::Status wire = ToGrpcStatus(status);
    EXPECT_EQ(static_cast<int>(wire.error_code()), code);
    EXPECT_EQ(ToAbslStatus(wire), status);
  }
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_THAT(ToAbslStatus(grpc::Status::OK), IsOk());
}

TEST(GrpcStatusTest, ACodeThatNobodyDefinesIsUnknown) {
  // As far as the enumeration's values reach.
  for (const int code : {17, 31, -5}) {
    EXPECT_THAT(ToAbslStatus(grpc::Status(static_cast<grpc::StatusCode>(code), "m")),
                StatusIs(absl::StatusCode::kUnknown, "m"));
  }
}

TEST(GrpcStatusTest, ProblemsComeBackInTheirOrder) {
  std::vector<Problem> problems;
  for (int reason = 1; reason <= 9; ++reason) {
    Problem problem = UnknownHost(reason - 2);
    problem.reason = static_cast<Reason>(reason);
    problems.push_back(problem);
  }
  const grpc::Status status = ToGrpcStatus(absl::StatusCode::kNotFound, "no such host", problems);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no such host");
  EXPECT_EQ(ProblemsOf(status), problems);
}

TEST(GrpcStatusTest, EveryReasonIsOneOfTheContract) {
  // Reason mirrors error.proto: a new one there must come here too.
  EXPECT_EQ(v1::Reason_MAX, static_cast<int>(Reason::kDistroInUse));
  EXPECT_EQ(static_cast<int>(Reason::kMalformed), v1::REASON_MALFORMED);
  EXPECT_EQ(static_cast<int>(Reason::kHostUnknown), v1::REASON_HOST_UNKNOWN);
  EXPECT_EQ(static_cast<int>(Reason::kProfileUnknown), v1::REASON_PROFILE_UNKNOWN);
  EXPECT_EQ(static_cast<int>(Reason::kDistroNotOffered), v1::REASON_DISTRO_NOT_OFFERED);
  EXPECT_EQ(static_cast<int>(Reason::kHostExists), v1::REASON_HOST_EXISTS);
  EXPECT_EQ(static_cast<int>(Reason::kProfileInUse), v1::REASON_PROFILE_IN_USE);
  EXPECT_EQ(static_cast<int>(Reason::kEtagMismatch), v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(static_cast<int>(Reason::kRequestIdReused), v1::REASON_REQUEST_ID_REUSED);
  EXPECT_EQ(static_cast<int>(Reason::kBatchInvalid), v1::REASON_BATCH_INVALID);
  EXPECT_EQ(static_cast<int>(Reason::kDistroUnknown), v1::REASON_DISTRO_UNKNOWN);
  EXPECT_EQ(static_cast<int>(Reason::kDistroInUse), v1::REASON_DISTRO_IN_USE);
}

TEST(GrpcStatusTest, TheDetailsAreThoseOfGoogleRpcStatus) {
  const grpc::Status status =
      ToGrpcStatus(absl::StatusCode::kNotFound, "no such host", {UnknownHost(3)});
  v1::StatusDetails details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 5);
  EXPECT_EQ(details.message(), "no such host");
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/autopxe.v1.ErrorDetail");
}

// faults.md 47: an error about a huge request must not itself be too large to arrive.
TEST(GrpcStatusTest, AnErrorIsNeverTooLargeToSend) {
  const std::string huge(100000, 'a');
  EXPECT_THAT(ToGrpcStatus(absl::InternalError(huge)).error_message(), SizeIs(1024));

  const grpc::Status many =
      ToGrpcStatus(absl::StatusCode::kNotFound, huge, std::vector<Problem>(100000, UnknownHost(1)));
  ExpectFitsMetadata(many);
  EXPECT_GT(ProblemsOf(many).size(), 10u);
  EXPECT_EQ(ProblemsOf(many).front(), UnknownHost(1));

  Problem large = UnknownHost(1);
  large.field = large.value = large.message = huge;
  large.suggestions.assign(1000, huge);
  const grpc::Status one = ToGrpcStatus(absl::StatusCode::kNotFound, huge, {large, large});
  ExpectFitsMetadata(one);
  ASSERT_THAT(ProblemsOf(one), SizeIs(1));
  EXPECT_EQ(ProblemsOf(one).front().value, std::string(256, 'a'));
}

// faults.md 31: proto3 strings are UTF-8, and whoever reads them may be a terminal.
TEST(GrpcStatusTest, HostileTextArrivesEscaped) {
  for (const std::string& value :
       {std::string("a\nb"), std::string("\xff\xfe"), std::string("\x1b[2J"),
        std::string("b\xc3\xbcro"), std::string("a\0b", 3), std::string(255, 'a') + "\xc3\xbc"}) {
    Problem problem = UnknownHost(1);
    problem.value = value;
    const std::vector<Problem> problems =
        ProblemsOf(ToGrpcStatus(absl::StatusCode::kInvalidArgument, value, {problem}));
    ASSERT_THAT(problems, SizeIs(1));
    for (const char c : problems[0].value) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  }
}

TEST(GrpcStatusTest, DetailsThatAreNotOursHoldNoProblems) {
  const auto with_details = [](const std::string& details) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "m", details);
  };
  EXPECT_THAT(ProblemsOf(grpc::Status::OK), IsEmpty());
  EXPECT_THAT(ProblemsOf(grpc::Status(grpc::StatusCode::NOT_FOUND, "m")), IsEmpty());
  EXPECT_THAT(ProblemsOf(with_details("\xff\xff")), IsEmpty());

  v1::StatusDetails details;
  details.add_details()->set_type_url("type.googleapis.com/google.rpc.RetryInfo");
  v1::PackedDetail* broken = details.add_details();
  broken->set_type_url("type.googleapis.com/autopxe.v1.ErrorDetail");
  broken->set_value("\xff\xff");
  EXPECT_THAT(ProblemsOf(with_details(details.SerializeAsString())), IsEmpty());
}

TEST(GrpcStatusTest, AReasonOfALaterVersionIsMalformed) {
  v1::ErrorDetail detail;
  detail.set_reason(static_cast<v1::Reason>(4711));
  detail.set_message("m");
  v1::StatusDetails details;
  details.add_details()->set_type_url("type.googleapis.com/autopxe.v1.ErrorDetail");
  details.mutable_details(0)->set_value(detail.SerializeAsString());
  Problem expected;
  expected.mutation = 0;
  expected.message = "m";
  EXPECT_THAT(
      ProblemsOf(grpc::Status(grpc::StatusCode::NOT_FOUND, "m", details.SerializeAsString())),
      ElementsAre(expected));
}

TEST(GrpcStatusTest, TruncatedDetailsNeverCrash) {
  const grpc::Status status =
      ToGrpcStatus(absl::StatusCode::kNotFound, "no such host", {UnknownHost(0), UnknownHost(1)});
  const std::string details = status.error_details();
  for (size_t length = 0; length < details.size(); ++length) {
    const grpc::Status cut(grpc::StatusCode::NOT_FOUND, "m", details.substr(0, length));
    EXPECT_LT(ProblemsOf(cut).size(), 2u);
  }
}

}  // namespace
}  // namespace autopxe
