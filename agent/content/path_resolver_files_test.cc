#include <sys/stat.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/content/test_resolver.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Files of declared distros.
using FilesTest = PathResolverTest;

TEST_F(FilesTest, WhatIsCataloguedIsServed) {
  for (const char* slash : {"", "/"}) {
    const auto resolved = Resolve(absl::StrCat(slash, "files/memtest/mt86plus"));
    ASSERT_THAT(resolved, IsOk());
    EXPECT_EQ(resolved->path, "files/memtest/mt86plus");
    EXPECT_EQ(resolved->result, "file");
    EXPECT_EQ(Bytes(*resolved->content), "memory test");
    EXPECT_NE(resolved->content->Version(), "");
    EXPECT_TRUE(resolved->cacheable);
    EXPECT_EQ(resolved->host, absl::nullopt);
  }
}

// Faults, cases 1 and 17.
TEST_F(FilesTest, NothingElseIsServed) {
  tree_.Write("files/since/the-scan", "new");
  for (const std::string path :
       {"files/memtest", "files/none", "files/.token", "files/since/the-scan", "files/secret",
        "memtest/mt86plus", "boot/memtest/mt86plus", "boot/files/memtest/mt86plus"}) {
    EXPECT_THAT(Resolve(path), StatusIs(absl::StatusCode::kNotFound,
                                        absl::StrCat("path \"", path, "\": no such file")));
  }
  for (const std::string path :
       {"files/../secret", "files/memtest/../../secret", "/files/../../etc/passwd", "files//secret",
        "files/%2e%2e/secret", "files/memtest\\..\\..\\secret", "files/memtest/./mt86plus"}) {
    EXPECT_THAT(Resolve(path),
                StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr(tree_.folder()))))
        << path;
  }
  EXPECT_EQ(doubts_, 0);
}

TEST_F(FilesTest, ALinkInsideTheFolderIsFollowed) {
  tree_.Link("files/current", "/memtest/mt86plus");
  tree_.Link("files/tests", "memtest");
  ASSERT_THAT(catalog_.Rescan(), IsOk());
  for (const char* path : {"files/current", "files/tests/mt86plus"}) {
    const auto resolved = Resolve(path);
    ASSERT_THAT(resolved, IsOk());
    EXPECT_EQ(resolved->path, path);
    EXPECT_EQ(Bytes(*resolved->content), "memory test");
  }
}

// Faults, case 2: swapped after the scan for a link that leads out.
TEST_F(FilesTest, ALinkThatLeadsOutIsNotFollowed) {
  for (const std::string& target :
       {tree_.folder() + "/secret", std::string("../../secret"), std::string("/etc/passwd"),
        std::string("/proc/self/root/etc/passwd")}) {
    tree_.Remove("files/memtest/mt86plus");
    tree_.Link("files/memtest/mt86plus", target);
    EXPECT_THAT(Resolve("files/memtest/mt86plus"),
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr("can't be read now"), Not(HasSubstr(tree_.folder())))))
        << target;
  }
  tree_.Write("outside/mt86plus", "memory test");
  tree_.Remove("files/memtest");
  tree_.Link("files/memtest", tree_.folder() + "/outside");
  EXPECT_THAT(Resolve("files/memtest/mt86plus"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(FilesTest, OnlyARegularFileIsServedAndNobodyWaitsForAPipe) {
  tree_.Remove("files/memtest/mt86plus");
  ASSERT_EQ(mkfifo((tree_.files() + "/memtest/mt86plus").c_str(), 0600), 0);
  EXPECT_THAT(Resolve("files/memtest/mt86plus"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("regular")));
  tree_.Remove("files/memtest/mt86plus");
  tree_.MakeFolder("files/memtest/mt86plus");
  EXPECT_THAT(Resolve("files/memtest/mt86plus"), StatusIs(absl::StatusCode::kUnavailable));
}

// Faults, case 19: overwritten in place, before it is asked for.
TEST_F(FilesTest, AFileThatHasNotTheSizeThatWasCataloguedIsNotServedUntilItIsScanned) {
  tree_.Write("files/memtest/mt86plus", "another memory test");
  EXPECT_THAT(Resolve("files/memtest/mt86plus"),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("it has 19 bytes, and 11 when the catalog was made")));
  EXPECT_EQ(doubts_, 1);
}

// Faults, case 19: changed while it is served.
TEST_F(FilesTest, AFileThatIsReplacedIsServedAsItWasOpenedAndOneThatIsOverwrittenIsNoticed) {
  const auto resolved = Resolve("files/memtest/mt86plus");
  ASSERT_THAT(resolved, IsOk());
  tree_.Write("files/memtest/mt86plus", "MEMORY TEST");
  EXPECT_EQ(Bytes(*resolved->content), "memory test");
  EXPECT_THAT(resolved->content->CheckUnchanged(), IsOk());
  const auto again = Resolve("files/memtest/mt86plus");
  ASSERT_THAT(again, IsOk());
  EXPECT_NE(again->content->Version(), resolved->content->Version());
  tree_.WriteNow("files/memtest/mt86plus", "memory TEST");
  EXPECT_THAT(again->content->CheckUnchanged(), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace autopxe::agent
