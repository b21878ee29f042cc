#include "boot/declared_arguments.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::string> Expand(absl::string_view arguments, size_t initrds = 1) {
  const std::map<std::string, std::string> values = {
      {"host", "cn1"}, {"console", "ttyS1"}, {"arch", "x86_64"}};
  DeclaredKernel kernel = {.kernel = BootFile::Parse("linux").value(),
                           .initrds = {},
                           .arguments = CommandLineTemplate::Parse(arguments).value()};
  kernel.initrds.assign(initrds, BootFile::Parse("initrd").value());
  return ExpandDeclaredArguments(kernel, [&](absl::string_view name) {
    const auto found = values.find(std::string(name));
    return found == values.end() ? nullptr : &found->second;
  });
}

TEST(DeclaredArgumentsTest, AreExpandedAsAProfile) {
  EXPECT_THAT(Expand("console=${console} host=${host} ${none:-quiet} ${net0/ip}"),
              IsOkAndHolds("console=ttyS1 host=cn1 quiet ${net0/ip}"));
  EXPECT_THAT(Expand(""), IsOkAndHolds(""));
  EXPECT_THAT(Expand("${none}"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"none\"")));
}

TEST(DeclaredArgumentsTest, CanNotUseWhatOnlyAScannedKernelHasEvenWithADefault) {
  for (const char* name : {"arch", "distro-name", "kernel", "release", "rootfs-path"}) {
    for (const std::string& text :
         {absl::StrCat("x=${", name, "}"), absl::StrCat("x=${", name, ":-y}")}) {
      EXPECT_THAT(Expand(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                         absl::StrCat("it uses the variable \"", name,
                                                      "\", which only a scanned distro has")));
    }
  }
}

TEST(DeclaredArgumentsTest, LeaveRoomForTheNamesOfTheInitrds) {
  const std::string longest(1900, 'a');
  EXPECT_THAT(Expand(longest, 0), IsOkAndHolds(longest));
  EXPECT_THAT(Expand(longest, 1), IsOkAndHolds(longest));
  EXPECT_THAT(Expand(longest, 2),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "its command line has 1900 characters, of which a kernel with 2 initrds "
                       "takes 1860"));
  const std::string shorter(1580, 'a');
  EXPECT_THAT(Expand(shorter, 16), IsOkAndHolds(shorter));
  EXPECT_FALSE(Expand(shorter + "a", 16).ok());
}

}  // namespace
}  // namespace autopxe
