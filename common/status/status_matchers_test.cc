#include "common/status/status_matchers.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(StatusMatchersTest, TellOkFromErrors) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(3), IsOk());
  EXPECT_THAT(absl::NotFoundError("gone"), Not(IsOk()));
  EXPECT_THAT(absl::StatusOr<int>(absl::NotFoundError("gone")), Not(IsOk()));
}

TEST(StatusMatchersTest, StatusIsComparesCodeAndMessage) {
  const absl::Status gone = absl::NotFoundError("host \"a\": gone");
  EXPECT_THAT(gone, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(gone, StatusIs(absl::StatusCode::kNotFound, HasSubstr("gone")));
  EXPECT_THAT(gone, Not(StatusIs(absl::StatusCode::kNotFound, HasSubstr("there"))));
  EXPECT_THAT(gone, Not(StatusIs(absl::StatusCode::kInternal, HasSubstr("gone"))));
  EXPECT_THAT(absl::StatusOr<int>(gone), StatusIs(absl::StatusCode::kNotFound));
}

TEST(StatusMatchersTest, IsOkAndHoldsComparesTheValue) {
  const absl::StatusOr<std::string> text("debian");
  EXPECT_THAT(text, IsOkAndHolds("debian"));
  EXPECT_THAT(text, IsOkAndHolds(StartsWith("deb")));
  EXPECT_THAT(text, Not(IsOkAndHolds("ubuntu")));
  EXPECT_THAT(absl::StatusOr<std::string>(absl::InternalError("no")), Not(IsOkAndHolds("debian")));
}

}  // namespace
}  // namespace autopxe
