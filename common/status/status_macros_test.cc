#include "common/status/status_macros.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

absl::StatusOr<std::unique_ptr<int>> Positive(int number) {
  if (number <= 0) return absl::InvalidArgumentError("not positive");
  return std::make_unique<int>(number);
}

absl::Status Check(int number, int* reached) {
  RETURN_IF_ERROR(Positive(number).status());
  *reached = number;
  return absl::OkStatus();
}

absl::StatusOr<int> Sum(int a, int b) {
  ASSIGN_OR_RETURN(std::unique_ptr<int> first, Positive(a));
  std::unique_ptr<int> second;
  ASSIGN_OR_RETURN(second, Positive(b));
  return *first + *second;
}

absl::StatusOr<int> FirstOfPair(int a, int b) {
  ASSIGN_OR_RETURN(const auto pair, absl::StatusOr<std::pair<int, int>>(std::make_pair(a, b)));
  return pair.first;
}

TEST(StatusMacrosTest, ReturnIfErrorReturnsTheErrorAndElseGoesOn) {
  int reached = 0;
  EXPECT_THAT(Check(-1, &reached), StatusIs(absl::StatusCode::kInvalidArgument, "not positive"));
  EXPECT_EQ(reached, 0);
  EXPECT_THAT(Check(7, &reached), IsOk());
  EXPECT_EQ(reached, 7);
}

TEST(StatusMacrosTest, AssignOrReturnMovesTheValueOrReturnsTheError) {
  EXPECT_THAT(Sum(1, 2), IsOkAndHolds(3));
  EXPECT_THAT(Sum(0, 2), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Sum(1, 0), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(StatusMacrosTest, AssignOrReturnTakesAnExpressionWithCommas) {
  EXPECT_THAT(FirstOfPair(4, 5), IsOkAndHolds(4));
}

}  // namespace
}  // namespace autopxe
