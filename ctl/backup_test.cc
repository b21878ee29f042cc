#include <cstdio>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest/sha256.h"
#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class BackupTest : public AutopxectlTest {
 protected:
  BackupTest() : path_(absl::StrCat(testing::TempDir(), "/backup_test.db")) {
    std::remove(path_.c_str());
    Sha256 sha256;
    sha256.Add("onetwo");
    server_.backup.resize(4);
    server_.backup[0].mutable_begin()->mutable_revision()->set_number(17);
    server_.backup[0].mutable_begin()->set_size(6);
    server_.backup[1].set_chunk("one");
    server_.backup[2].set_chunk("two");
    server_.backup[3].mutable_end()->set_sha256(sha256.Finish());
  }

  bool IsThere() const { return std::ifstream(path_).good(); }

  const std::string path_;
};

TEST_F(BackupTest, ABackupThatCameWholeIsAFile) {
  EXPECT_EQ(Ctl({"backup", path_}), kExitOk) << err_;
  EXPECT_EQ(out_, absl::StrCat("revision 17, 6 bytes in ", path_, "\n"));
  std::string content;
  std::getline(std::ifstream(path_), content);
  EXPECT_EQ(content, "onetwo");
  EXPECT_EQ(Ctl({"backup", path_}), kExitRefused);
  EXPECT_THAT(err_, HasSubstr("--force"));
  EXPECT_EQ(Ctl({"backup", path_, "--force", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("\"number\": \"17\""), HasSubstr("\"size\": \"6\"")));
}

TEST_F(BackupTest, ABackupThatDidNotComeWholeIsNoFile) {
  const std::vector<v1::BackupResponse> whole = server_.backup;
  const auto with = [&whole](std::initializer_list<int> parts) {
    std::vector<v1::BackupResponse> some;
    for (const int part : parts) some.push_back(part < 0 ? v1::BackupResponse() : whole[part]);
    return some;
  };
  for (const auto& parts :
       {with({}), with({0}), with({0, 1}), with({0, 1, 2}), with({0, 1, 3}), with({1, 2, 3}),
        with({0, 2, 1, 3}), with({0, 0, 1, 2, 3}), with({0, 1, 2, 3, 3}), with({0, 1, 2, 3, 1}),
        with({0, 1, -1, 2, 3}), with({3})}) {
    server_.backup = parts;
    EXPECT_EQ(Ctl({"backup", path_}), kExitRefused);
    EXPECT_THAT(err_, AllOf(StartsWith("autopxectl: the backup "), HasSubstr("try again")));
    EXPECT_FALSE(IsThere());
  }
  server_.backup = with({0, 1});
  server_.backup_status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is stopping");
  EXPECT_EQ(Ctl({"backup", path_}), kExitUnreachable);
  EXPECT_THAT(err_, HasSubstr("the server is stopping"));
  EXPECT_FALSE(IsThere());
}

}  // namespace
}  // namespace autopxe::ctl
