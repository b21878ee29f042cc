#include "agent/net/unique_fd.h"

#include <fcntl.h>

#include <utility>

#include "gmock/gmock.h"

namespace autopxe::agent {
namespace {

int OpenSomething() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(UniqueFdTest, TheLastOwnerCloses) {
  const int fd = OpenSomething();
  ASSERT_GE(fd, 0);
  {
    UniqueFd first(fd);
    UniqueFd second(std::move(first));
    EXPECT_FALSE(first.is_open());  // NOLINT: what a move leaves is part of the contract.
    EXPECT_EQ(second.get(), fd);
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(UniqueFdTest, AssignmentClosesWhatWasHeld) {
  const int old_fd = OpenSomething();
  const int new_fd = OpenSomething();
  UniqueFd owner(old_fd);
  owner = UniqueFd(new_fd);
  EXPECT_FALSE(IsOpen(old_fd));
  EXPECT_TRUE(IsOpen(new_fd));
}

TEST(UniqueFdTest, WhatIsReleasedStaysOpen) {
  UniqueFd owner(OpenSomething());
  const int fd = owner.Release();
  EXPECT_FALSE(owner.is_open());
  owner.Reset();
  EXPECT_TRUE(IsOpen(fd));
  close(fd);
}

}  // namespace
}  // namespace autopxe::agent
