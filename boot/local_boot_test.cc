#include "boot/local_boot.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(LocalBootTest, HasThreeValuesAndNoOther) {
  EXPECT_THAT(LocalBootValues(), testing::ElementsAre("exit", "exit-ok", "sanboot"));
  EXPECT_EQ(ParseLocalBoot("exit"), LocalBoot::kExit);
  EXPECT_EQ(ParseLocalBoot("exit-ok"), LocalBoot::kExitOk);
  EXPECT_EQ(ParseLocalBoot("sanboot"), LocalBoot::kSanBoot);
  for (const char* value : {"", "Exit", "exit ", "exit 1", "reboot"}) {
    EXPECT_FALSE(ParseLocalBoot(value).has_value()) << value;
  }
}

}  // namespace
}  // namespace autopxe
