#include "ctl/exit_code.h"

#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

TEST(ExitCodeTest, EachKindOfErrorHasItsCode) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("x")), 1);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("refused by the server")), 1);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("x")), 1);
  EXPECT_EQ(ExitCodeOf(UsageError("typed wrongly")), 2);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("x")), 3);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("x")), 3);
}

}  // namespace
}  // namespace autopxe::ctl
