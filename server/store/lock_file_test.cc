#include "server/store/lock_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/temp_folder.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;

TEST(LockFileTest, TheRefusalNamesWhoHoldsIt) {
  const TempFolder folder;
  const std::string path = folder.File("a.lock");
  const auto lock = LockFile::Open(path);
  ASSERT_THAT(lock, IsOk());
  EXPECT_THAT(LockFile::Open(path),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(absl::StrCat("held by process ", getpid(), ";"))));
}

TEST(LockFileTest, ItIsFreeOnceTheHolderIsGone) {
  const TempFolder folder;
  const std::string path = folder.File("a.lock");
  ASSERT_THAT(LockFile::Open(path), IsOk());
  EXPECT_THAT(LockFile::Open(path), IsOk());

  // However the holder ends.
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = LockFile::Open(path);
    const char byte = lock.ok() ? 'y' : 'n';
    if (write(ready[1], &byte, 1) == 1) pause();
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_THAT(LockFile::Open(path), StatusIs(absl::StatusCode::kFailedPrecondition,
                                             HasSubstr(absl::StrCat("process ", child))));
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_THAT(LockFile::Open(path), IsOk());
  close(ready[0]);
  close(ready[1]);
}

// Case 48.
TEST(LockFileTest, ItIsTheOwnersAlone) {
  const TempFolder folder;
  const std::string path = folder.File("a.lock");
  ASSERT_THAT(LockFile::Open(path), IsOk());
  struct stat found;
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600);
}

TEST(LockFileTest, AFolderThatIsMissingIsUnavailable) {
  const TempFolder folder;
  EXPECT_THAT(LockFile::Open(folder.File("none/a.lock")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("make it, or name")));
}

}  // namespace
}  // namespace autopxe::server
