#include "common/model/boot_file.h"

#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

TEST(BootFileTest, IsAPathBelowTheFolderOfFiles) {
  for (const char* text : {"mt86plus", "memtest/mt86plus.efi", "debian-12/linux", "a..b/c#1"}) {
    const absl::StatusOr<BootFile> file = BootFile::Parse(text);
    ASSERT_THAT(file, IsOk()) << text;
    EXPECT_EQ(file->text(), text);
    EXPECT_FALSE(file->is_url()) << text;
  }
}

TEST(BootFileTest, IsAUrl) {
  for (const char* text :
       {"http://boot.example/", "https://boot.example:8443/a/b.efi?x=1&y=%2f", "tftp://10.0.0.1/a",
        "http://[fd00::1]:8080/linux", "http://boot.example"}) {
    const absl::StatusOr<BootFile> file = BootFile::Parse(text);
    ASSERT_THAT(file, IsOk()) << text;
    EXPECT_EQ(file->text(), text);
    EXPECT_TRUE(file->is_url()) << text;
  }
}

TEST(BootFileTest, RefusesWhatIsNeitherAndSaysWhy) {
  const struct {
    std::string text;
    const char* why;
  } kCases[] = {
      {"", "expected a path"},
      {"/etc/shadow", "without a '/' in front"},
      {"a/../b", "the part \"..\" begins with '.'"},
      {"a/.hidden", "begins with '.'"},
      {"a//b", "a part of the path is empty"},
      {"a/", "a part of the path is empty"},
      {"a b", "can't hold \" \", character 2"},
      {"a\nb", "character 2"},
      {"a\\b", "character 2"},
      {"a%2e", "character 2"},
      {"${net0/mac}", "character 1"},
      {std::string(257, 'a'), "256 characters"},
      {"ftp://x/y", "begins with http://, https:// or tftp://"},
      {"http://", "names no server"},
      {"http:///path", "names no server"},
      {"http://:80/", "names no server"},
      {"http://me:secret@x/", "no password"},
      {"http://x/a b", "can't hold \" \", character 11"},
      {"http://x/${mac}", "can't hold \"{\""},
      {"http://x/#frag", "can't hold \"#\""},
      {"http://x/%zz", "two hexadecimal digits"},
      {"http://x/%2", "two hexadecimal digits"},
      {"http://x/" + std::string(1024, 'a'), "1,024 characters"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(BootFile::Parse(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.why)))
        << c.text;
  }
}

}  // namespace
}  // namespace autopxe
