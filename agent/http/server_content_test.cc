#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/http/server.h"
#include "agent/http/test_client.h"
#include "agent/http/test_server.h"
#include "agent/net/unique_fd.h"
#include "common/runtime/captured_log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(HttpServerTest, ATextIsServedAndNotToBeKept) {
  OfferText("/autopxe-525400123456", "#!ipxe\nshell\n");
  Start();
  const HttpTestClient::Answer answer = Ask("/autopxe-525400123456", "Range: bytes=0-1\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "#!ipxe\nshell\n");
  EXPECT_EQ(answer.fields.at("cache-control"), "no-store");
  EXPECT_EQ(answer.fields.at("content-type"), "text/plain; charset=utf-8");
}

TEST_F(HttpServerTest, AFileIsServedWholeAndInParts) {
  Offer("/kernel", "0123456789");
  Start();
  const HttpTestClient::Answer whole = Ask("/kernel");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, "0123456789");
  EXPECT_EQ(whole.fields.at("accept-ranges"), "bytes");
  // Faults, case 27.
  const struct {
    std::string fields;
    int status;
    std::string body;
    std::string content_range;
  } kCases[] = {
      {"Range: bytes=2-4\r\n", 206, "234", "bytes 2-4/10"},
      {"Range: bytes=-3\r\n", 206, "789", "bytes 7-9/10"},
      {"Range: bytes=4-\r\n", 206, "456789", "bytes 4-9/10"},
      {"Range: bytes=8-100\r\n", 206, "89", "bytes 8-9/10"},
      {"Range: bytes=10-\r\n", 416, "", "bytes */10"},
      {"Range: bytes=5-2\r\n", 200, "0123456789", ""},
      {"Range: bytes=0-1,4-5\r\n", 200, "0123456789", ""},
      {"Range: bytes=2-4\r\nIf-Range: \"old\"\r\n", 200, "0123456789", ""},
      {"If-None-Match: *\r\n", 304, "", ""},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.fields);
    const HttpTestClient::Answer answer = Ask("/kernel", c.fields);
    EXPECT_EQ(answer.status, c.status);
    EXPECT_EQ(answer.body, c.body);
    const auto field = answer.fields.find("content-range");
    EXPECT_EQ(field == answer.fields.end() ? "" : field->second, c.content_range);
  }
}

TEST_F(HttpServerTest, OnlyAnAnswerWithTheFirstByteIsAFetch) {
  OfferSettled("/kernel");
  Start();
  const std::string tag = Ask("/kernel", "", "HEAD").fields.at("etag");
  for (const std::string& fields :
       {std::string("Range: bytes=1-\r\n"), std::string("Range: bytes=-3\r\n"),
        std::string("Range: bytes=1000000000-\r\n"), std::string("If-Match: \"other\"\r\n"),
        absl::StrCat("If-None-Match: ", tag, "\r\n")}) {
    Ask("/kernel", fields);
    EXPECT_EQ(fetches_, 0) << fields;
  }
  Ask("/kernel", "", "POST");
  EXPECT_EQ(fetches_, 0);
  Ask("/kernel", "Range: bytes=0-1\r\n");
  EXPECT_EQ(fetches_, 1);
  Ask("/kernel");
  EXPECT_EQ(fetches_, 2);
}

// Faults, case 27: HEAD with the length.
TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  Offer("/kernel", "0123456789");
  OfferText("/menu", "#!ipxe\n");
  Offer("/empty", "");
  Start();
  HttpTestClient client(endpoint());
  const std::pair<std::string, std::string> kCases[] = {
      {"/kernel", "10"}, {"/menu", "7"}, {"/empty", "0"}};
  for (const auto& [path, length] : kCases) {
    client.Send(absl::StrCat("HEAD ", path, " HTTP/1.1\r\nHost: x\r\nRange: bytes=1-2\r\n\r\n"));
    const HttpTestClient::Answer answer = client.Read(false);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.fields.at("content-length"), length) << path;
  }
  client.Send("HEAD /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.Read(false).status, 404);
  EXPECT_EQ(client.ReadToEnd(), "");
}

// Faults, case 27: beyond 2^31.
TEST_F(HttpServerTest, RangesBeyondTwoGigabytesAreServed) {
  tree_.Write("file", "begin");
  const std::string path = tree_.folder() + "/file";
  constexpr int64_t kSize = 5'000'000'000;
  ASSERT_EQ(truncate(path.c_str(), kSize), 0);
  {
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(pwrite(fd.get(), "middle", 6, 3'000'000'000), 6);
    ASSERT_EQ(pwrite(fd.get(), "end", 3, kSize - 3), 3);
  }
  Offer("/large");
  Start();
  const HttpTestClient::Answer middle = Ask("/large", "Range: bytes=3000000000-3000000005\r\n");
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.body, "middle");
  EXPECT_EQ(middle.fields.at("content-range"), "bytes 3000000000-3000000005/5000000000");
  EXPECT_EQ(Ask("/large", "Range: bytes=-3\r\n").body, "end");
  EXPECT_EQ(Ask("/large", "", "HEAD").fields.at("content-length"), "5000000000");
}

// Faults, case 19.
TEST_F(HttpServerTest, AFileThatIsDeletedWhileItIsSentIsSentToTheEnd) {
  const std::string bytes(8 << 20, 'k');
  Offer("/kernel", bytes);
  Start();
  HttpTestClient client(endpoint(), {.receive_buffer = 4096, .address = {}});
  client.Send("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(client.ReadMore());
  tree_.Remove("file");
  tree_.Write("file", "another");
  EXPECT_EQ(client.Read().body, bytes);
}

TEST_F(HttpServerTest, ADownloadThatBrokeOffGoesOnByTheTagOfWhatIsThereForLong) {
  OfferSettled("/kernel");
  Start();
  const std::string tag = Ask("/kernel").fields.at("etag");
  const auto ask = [&](const std::string& if_range) {
    return Ask("/kernel", absl::StrCat("Range: bytes=2-4\r\nIf-Range: ", if_range, "\r\n"));
  };
  EXPECT_EQ(ask(tag).status, 206);
  EXPECT_EQ(ask(tag).body.size(), 3u);
  EXPECT_EQ(ask("\"old\"").status, 200);
}

// Faults, case 19: it may have been written to once more since, and look the same.
TEST_F(HttpServerTest, AFileThatWasJustWrittenIsSentAgainToWhoHasItsTag) {
  Offer("/kernel", "0123456789");
  Start();
  const std::string tag = Ask("/kernel").fields.at("etag");
  EXPECT_THAT(tag, StartsWith("W/\""));
  const HttpTestClient::Answer again = Ask("/kernel", absl::StrCat("If-None-Match: ", tag, "\r\n"));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, "0123456789");
  EXPECT_EQ(Ask("/kernel", absl::StrCat("If-Match: ", tag, "\r\n")).status, 412);
}

// Faults, case 27. What each condition says is tested with the reply.
TEST_F(HttpServerTest, ConditionsAreReadFromTheRequest) {
  OfferSettled("/kernel");
  Start();
  const HttpTestClient::Answer whole = Ask("/kernel");
  const std::string tag = whole.fields.at("etag");
  const std::string date = whole.fields.at("last-modified");
  const struct {
    std::string fields;
    int status;
  } kCases[] = {
      {absl::StrCat("If-Match: ", tag, "\r\n"), 200},
      {"If-Match: \"a\"\r\n", 412},
      {absl::StrCat("If-Match: \"a\"\r\nIf-Match: ", tag, "\r\n"), 200},
      {absl::StrCat("if-none-match: \"a\"\r\nIF-NONE-MATCH: ", tag, "\r\n"), 304},
      {absl::StrCat("If-Modified-Since: ", date, "\r\n"), 304},
      {absl::StrCat("If-Modified-Since: ", date, "\r\nIf-Modified-Since: ", date, "\r\n"), 200},
      {absl::StrCat("If-Unmodified-Since: ", date, "\r\n"), 200},
      {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 412},
      {"Range: bytes=0-1\r\nRange: bytes=4-5\r\n", 200},
      {absl::StrCat("Range: bytes=0-1\r\nIf-Range: ", tag, "\r\nIf-Range: ", tag, "\r\n"), 200},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Ask("/kernel", c.fields).status, c.status) << c.fields;
  }
  // The connection lives on, and a 304 has no body.
  HttpTestClient client(endpoint());
  for (const std::string method : {"GET", "HEAD"}) {
    client.Send(
        absl::StrCat(method, " /kernel HTTP/1.1\r\nHost: x\r\nIf-None-Match: ", tag, "\r\n\r\n"));
    const HttpTestClient::Answer answer = client.Read(false);
    EXPECT_EQ(answer.status, 304);
    EXPECT_EQ(answer.fields.at("etag"), tag);
    EXPECT_EQ(answer.fields.at("cache-control"), "no-cache");
    EXPECT_EQ(answer.fields.count("date"), 1u);
    // Of the file, as RFC 9110, 8.6, has it.
    EXPECT_EQ(answer.fields.at("content-length"), absl::StrCat(whole.body.size()));
    for (const char* name : {"content-type", "last-modified", "content-range"}) {
      EXPECT_EQ(answer.fields.count(name), 0u) << name;
    }
  }
}

// Faults, case 19: an answer that mixes two versions of a file never looks complete.
TEST_F(HttpServerTest, AFileThatIsWrittenIntoWhileItIsSentIsCutBeforeItsEnd) {
  constexpr size_t kSize = 8 << 20;
  const std::pair<const char*, std::function<void(int)>> kCases[] = {
      {"overwritten", [](int fd) { EXPECT_EQ(pwrite(fd, "other", 5, 0), 5); }},
      {"overwritten at the end", [](int fd) { EXPECT_EQ(pwrite(fd, "o", 1, kSize - 1), 1); }},
      {"truncated", [](int fd) { EXPECT_EQ(ftruncate(fd, 4096), 0); }},
      {"longer", [](int fd) { EXPECT_EQ(pwrite(fd, "o", 1, kSize), 1); }},
  };
  // The server's patience is not what ends it.
  Start({.limits = {.idle = absl::Minutes(10)}});
  for (const auto& [name, write] : kCases) {
    SCOPED_TRACE(name);
    CapturedLog log;
    tree_.Write("file", std::string(kSize, 'k'));
    const UniqueFd fd(open((tree_.folder() + "/file").c_str(), O_RDWR | O_CLOEXEC));
    const timespec long_ago[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    ASSERT_EQ(futimens(fd.get(), long_ago), 0);
    Offer("/kernel");
    HttpTestClient client(endpoint(), {.receive_buffer = 4096, .address = {}});
    client.Send("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(client.ReadMore());
    write(fd.get());
    const std::string got = client.ReadToEnd();
    EXPECT_THAT(got, StartsWith("HTTP/1.1 200 "));
    EXPECT_LT(got.size(), kSize);
    // The server logs after it has closed.
    while (log.Text().empty()) std::this_thread::yield();
    EXPECT_THAT(log.Lines(), ElementsAre(HasSubstr(" path=kernel result=changed bytes=")));
  }
}

}  // namespace
}  // namespace autopxe::agent
