#include "agent/http/reply.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/http/http_date.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::StartsWith;

constexpr int64_t kWritten = 1'000'000'000;  // Sun, 09 Sep 2001 01:46:40 GMT.

std::string Field(const Reply& reply, const std::string& name) {
  for (const auto& [key, value] : reply.fields) {
    if (key == name) return value;
  }
  return "";
}

ResolvedContent Kernel(int fd) {
  ResolvedContent found;
  found.content = *Content::FromFile(fd);
  found.result = "kernel";
  found.cacheable = true;
  return found;
}

class ReplyTest : public ::testing::Test {
 protected:
  ReplyTest() {
    std::string path = absl::StrCat(::testing::TempDir(), "/replyXXXXXX");
    const int fd = mkstemp(path.data());
    EXPECT_EQ(write(fd, "0123456789", 10), 10);
    const timespec times[2] = {{kWritten, 0}, {kWritten, 0}};
    EXPECT_EQ(futimens(fd, times), 0);
    unlink(path.c_str());
    file_ = Kernel(fd);
    // Nothing but time makes a file's ctime old, so that it is one of the system's.
    settled_ = Kernel(open("/bin/sh", O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(settled_.content->Identity().has_value());
    tag_ = absl::StrCat("\"", settled_.content->Version(), "\"");
  }

  ResolvedContent file_;  // "0123456789", changed just now.
  ResolvedContent settled_;
  std::string tag_;  // Of the settled one.
  ReplyConditions plain_ = {.is_get = true,
                            .range = {},
                            .if_range = {},
                            .if_match = {},
                            .if_none_match = {},
                            .if_modified_since = {},
                            .if_unmodified_since = {},
                            .now = absl::FromUnixSeconds(kWritten + 3600)};
};

TEST_F(ReplyTest, AFileHasItsValidatorsAndMayBeAskedForInParts) {
  const Reply reply = BuildReply(plain_, file_);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content, file_.content);
  EXPECT_EQ(reply.offset, 0u);
  EXPECT_EQ(reply.length, 10u);
  EXPECT_NE(Field(reply, "ETag"), "");
  EXPECT_EQ(Field(reply, "Last-Modified"), "Sun, 09 Sep 2001 01:46:40 GMT");
  EXPECT_EQ(Field(reply, "Accept-Ranges"), "bytes");
  EXPECT_EQ(Field(reply, "Cache-Control"), "no-cache");
  EXPECT_EQ(Field(reply, "Content-Type"), "application/octet-stream");
  // The tag of one that nobody has written to for long is of its version, whenever it is asked for.
  EXPECT_EQ(Field(BuildReply(plain_, settled_), "ETag"), tag_);
  plain_.now += absl::Hours(1);
  EXPECT_EQ(Field(BuildReply(plain_, settled_), "ETag"), tag_);
}

TEST_F(ReplyTest, WhatIsRenderedIsNeverKeptAndHasNoParts) {
  ResolvedContent menu;
  menu.content = Content::FromText("#!ipxe\n");
  plain_.range = "bytes=0-1";
  plain_.if_none_match = "*";
  const Reply reply = BuildReply(plain_, menu);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.length, 7u);
  EXPECT_EQ(Field(reply, "Cache-Control"), "no-store");
  EXPECT_EQ(Field(reply, "Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(Field(reply, "ETag"), "");
  EXPECT_EQ(Field(reply, "Accept-Ranges"), "");
}

// Faults, case 27.
TEST_F(ReplyTest, ARangeIsAnsweredByTheRfc) {
  const struct {
    std::string range;
    bool is_get;
    int status;
    uint64_t offset;
    uint64_t length;
    std::string content_range;
  } kCases[] = {
      {"bytes=2-4", true, 206, 2, 3, "bytes 2-4/10"},
      {"bytes=-3", true, 206, 7, 3, "bytes 7-9/10"},
      {"bytes=4-", true, 206, 4, 6, "bytes 4-9/10"},
      {"bytes=0-9", true, 206, 0, 10, "bytes 0-9/10"},
      {"bytes=10-", true, 416, 0, 0, "bytes */10"},
      {"bytes=5-2", true, 200, 0, 10, ""},
      {"bytes=0-1,4-5", true, 200, 0, 10, ""},
      {"bytes=2-4", false, 200, 0, 10, ""},
      {"bytes=10-", false, 200, 0, 10, ""},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(absl::StrCat(c.range, c.is_get ? " GET" : " HEAD"));
    plain_.range = c.range;
    plain_.is_get = c.is_get;
    const Reply reply = BuildReply(plain_, file_);
    EXPECT_EQ(reply.status, c.status);
    EXPECT_EQ(reply.offset, c.offset);
    EXPECT_EQ(reply.length, c.length);
    EXPECT_EQ(Field(reply, "Content-Range"), c.content_range);
  }
}

// Faults, case 27: If-Range.
TEST_F(ReplyTest, IfRangeGivesThePartOnlyOfTheVersionThatIsMeant) {
  const absl::Time modified = settled_.content->Modified();
  const struct {
    std::string if_range;
    absl::Duration age;  // Of the file.
    int status;
  } kCases[] = {
      {FormatHttpDate(modified), absl::Hours(1), 206},
      {FormatHttpDate(modified + absl::Seconds(1)), absl::Hours(1), 200},
      // It may be written again within the same second: the date is no strong validator.
      {FormatHttpDate(modified), absl::Seconds(1), 200},
      {"", absl::Hours(1), 200},
  };
  plain_.range = "bytes=2-4";
  for (const auto& c : kCases) {
    plain_.if_range = c.if_range;
    plain_.now = modified + c.age;
    EXPECT_EQ(BuildReply(plain_, settled_).status, c.status) << c.if_range;
  }
  // A date that the file was given just now, as by tar, says nothing of its bytes.
  plain_.if_range = FormatHttpDate(file_.content->Modified());
  plain_.now = file_.content->Modified() + absl::Hours(1);
  EXPECT_EQ(BuildReply(plain_, file_).status, 200);
  for (const std::string& field : {tag_, " " + tag_}) {
    plain_.if_range = field;
    EXPECT_EQ(BuildReply(plain_, settled_).status, 206) << field;
  }
  // The strong comparison, of one tag.
  for (const std::string& field :
       {std::string("\"another\""), "W/" + tag_, "\"another\", " + tag_, std::string("*")}) {
    plain_.if_range = field;
    EXPECT_EQ(BuildReply(plain_, settled_).status, 200) << field;
  }
  // Without a range that could be satisfied, it means nothing.
  plain_.if_range = "\"another\"";
  plain_.range = "bytes=10-";
  EXPECT_EQ(BuildReply(plain_, file_).status, 200);
  plain_.range = absl::nullopt;
  EXPECT_EQ(BuildReply(plain_, file_).status, 200);
}

// Faults, case 19: it may be written again within a tick of the file system, and look the same.
TEST_F(ReplyTest, TheTagOfAFileThatWasJustWrittenIsOfOneAnswer) {
  ASSERT_FALSE(file_.content->Identity().has_value());
  const std::string weak = Field(BuildReply(plain_, file_), "ETag");
  plain_.now += absl::Nanoseconds(1);
  const std::string next = Field(BuildReply(plain_, file_), "ETag");
  EXPECT_THAT(next, StartsWith("W/\""));
  EXPECT_NE(next, weak);
  // Nor is there a 304 for the version alone, which is what its tag will be made of.
  const std::string version = absl::StrCat("\"", file_.content->Version(), "\"");
  for (const std::string& field : {weak, weak.substr(2), version, "W/" + version}) {
    ReplyConditions conditions = plain_;
    conditions.if_none_match = field;
    const Reply reply = BuildReply(conditions, file_);
    EXPECT_EQ(reply.status, 200) << field;
    EXPECT_EQ(reply.length, 10u);
  }
  // And where it is settled with the version that it had, that is another tag.
  const std::string of_one_answer = absl::StrCat(tag_.substr(0, tag_.size() - 1), "-1\"");
  for (const std::string& field : {of_one_answer, "W/" + of_one_answer}) {
    plain_.if_none_match = field;
    EXPECT_EQ(BuildReply(plain_, settled_).status, 200) << field;
  }
}

// Faults, case 19; RFC 9110, section 8.8.3.2.
TEST_F(ReplyTest, TheTagOfAFileThatWasJustWrittenIsComparedAsAWeakOne) {
  ASSERT_FALSE(file_.content->Identity().has_value());
  const std::string weak = Field(BuildReply(plain_, file_), "ETag");
  const absl::optional<std::string> none;
  for (const std::string& tag : {weak, weak.substr(2), "\"a\", " + weak}) {
    const struct {
      const char* name;
      absl::optional<std::string> match, none_match, if_range;
      int status;
    } kCases[] = {
        {"no condition", none, none, none, 206},
        {"match", tag, none, none, 412},
        {"match any", "*", none, none, 206},
        {"match a list, where \"*\" is none", tag + ", *", none, none, 412},
        {"none match", none, tag, none, 304},
        {"range", none, none, tag, 200},
    };
    for (const auto& c : kCases) {
      SCOPED_TRACE(absl::StrCat(c.name, " ", tag));
      ReplyConditions conditions = plain_;
      conditions.range = "bytes=2-4";
      conditions.if_match = c.match;
      conditions.if_none_match = c.none_match;
      conditions.if_range = c.if_range;
      const Reply reply = BuildReply(conditions, file_);
      EXPECT_EQ(reply.status, c.status);
      EXPECT_EQ(Field(reply, "ETag"), weak);
    }
  }
  // That there is one at all is true of any.
  plain_.if_match = "*";
  EXPECT_EQ(BuildReply(plain_, file_).status, 200);
  plain_.if_none_match = "*";
  EXPECT_EQ(BuildReply(plain_, file_).status, 304);
}

TEST_F(ReplyTest, WhoHasTheVersionAlreadyIsToldSo) {
  for (const std::string& field : {tag_, absl::StrCat("W/", tag_), std::string("*"),
                                   absl::StrCat("\"a\", ", tag_, ", \"b\"")}) {
    plain_.if_none_match = field;
    const Reply reply = BuildReply(plain_, settled_);
    EXPECT_EQ(reply.status, 304) << field;
    EXPECT_EQ(reply.length, settled_.content->size());
    EXPECT_EQ(Field(reply, "ETag"), tag_);
  }
  for (const std::string field : {"", "\"another\"", "W/", "W/*"}) {
    plain_.if_none_match = field;
    EXPECT_EQ(BuildReply(plain_, settled_).status, 200) << field;
  }
}

// Faults, case 27; RFC 9110, section 13.2.2.
TEST_F(ReplyTest, ConditionsAreLookedAtInTheOrderOfTheRfc) {
  const std::string before = FormatHttpDate(settled_.content->Modified() - absl::Seconds(1));
  const std::string exactly = FormatHttpDate(settled_.content->Modified());
  const std::string beyond = absl::StrCat("bytes=", settled_.content->size(), "-");
  const std::string other = "\"another\"";
  const absl::optional<std::string> none;
  const struct {
    const char* name;
    absl::optional<std::string> match, unmodified, none_match, modified, range, if_range;
    int status;
  } kCases[] = {
      {"match", tag_, none, none, none, none, none, 200},
      {"match any", "*", none, none, none, none, none, 200},
      {"match one of a list", other + ", " + tag_, none, none, none, none, none, 200},
      {"match another", other, none, none, none, none, none, 412},
      {"match is strong", "W/" + tag_, none, none, none, none, none, 412},
      {"match nothing", "", none, none, none, none, none, 412},
      {"unmodified", none, exactly, none, none, none, none, 200},
      {"modified", none, before, none, none, none, none, 412},
      {"no date", none, "yesterday", none, none, none, none, 200},
      {"match before unmodified", tag_, before, none, none, none, none, 200},
      {"not modified", none, none, none, exactly, none, none, 304},
      {"modified since", none, none, none, before, none, none, 200},
      {"no date", none, none, none, "yesterday", none, none, 200},
      {"two dates", none, none, none, exactly + ", " + exactly, none, none, 200},
      {"none match before modified", none, none, other, exactly, none, none, 200},
      {"match, then none match", tag_, none, tag_, none, none, none, 304},
      {"match fails before none match", other, none, tag_, none, none, none, 412},
      {"unmodified, then modified", none, exactly, none, exactly, none, none, 304},
      {"all before the range", none, none, tag_, none, "bytes=0-1", tag_, 304},
      {"fails before the range", other, none, none, none, "bytes=0-1", tag_, 412},
      {"fails before a bad range", other, none, none, none, beyond, none, 412},
      {"holds, then the range", tag_, none, other, none, "bytes=0-1", none, 206},
      {"holds, then the bad range", tag_, none, other, none, beyond, none, 416},
  };
  for (const auto& c : kCases) {
    for (const bool is_get : {true, false}) {
      SCOPED_TRACE(absl::StrCat(c.name, is_get ? " GET" : " HEAD"));
      ReplyConditions conditions = plain_;
      conditions.is_get = is_get;
      conditions.if_match = c.match;
      conditions.if_unmodified_since = c.unmodified;
      conditions.if_none_match = c.none_match;
      conditions.if_modified_since = c.modified;
      conditions.range = c.range;
      conditions.if_range = c.if_range;
      const Reply reply = BuildReply(conditions, settled_);
      EXPECT_EQ(reply.status, !is_get && (c.status == 206 || c.status == 416) ? 200 : c.status);
      EXPECT_EQ(Field(reply, "ETag"), tag_);
      EXPECT_EQ(Field(reply, "Cache-Control"), "no-cache");
      if (c.status != 304 && c.status != 412) continue;
      EXPECT_EQ(reply.length, c.status == 304 ? settled_.content->size() : 0u);
      // Section 15.4.5: nothing else about the file.
      EXPECT_EQ(Field(reply, "Last-Modified"), "");
      EXPECT_EQ(Field(reply, "Content-Type"), "");
      EXPECT_EQ(Field(reply, "Content-Range"), "");
    }
  }
}

TEST(ErrorReplyTest, AFailureIsItsMessageAndANewline) {
  const struct {
    absl::Status error;
    int status;
    std::string result;
  } kCases[] = {
      {absl::NotFoundError("path \"x\": no such file"), 404, "not-found"},
      {absl::InvalidArgumentError("path \"..\": no"), 400, "refused"},
      {absl::UnimplementedError("only GET and HEAD are answered"), 405, "refused"},
      {absl::UnavailableError("not now"), 503, "unavailable"},
      {absl::InternalError("broken"), 500, "failed"},
      {absl::UnknownError(""), 500, "failed"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.error.ToString());
    const Reply reply = BuildErrorReply(c.error);
    EXPECT_EQ(reply.status, c.status);
    EXPECT_EQ(reply.content->text(), absl::StrCat(c.error.message(), "\n"));
    EXPECT_EQ(reply.length, reply.content->size());
    EXPECT_EQ(Field(reply, "Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(Field(reply, "Cache-Control"), "no-store");
    EXPECT_EQ(Field(reply, "Allow"), c.status == 405 ? "GET, HEAD" : "");
    EXPECT_EQ(ErrorResult(c.error), c.result);
  }
}

}  // namespace
}  // namespace autopxe::agent
