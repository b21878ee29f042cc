#include "agent/http/server.h"

#include <sys/stat.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/http/test_client.h"
#include "agent/http/test_server.h"
#include "common/runtime/captured_log.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(HttpServerTest, ListensOnEveryEndpointAndTellsThePorts) {
  OfferText("/boot.ipxe", "#!ipxe\n");
  Start({.listen = {*IpEndpoint::Parse("127.0.0.1:0"), *IpEndpoint::Parse("[::1]:0")}});
  ASSERT_THAT(server_->endpoints(), SizeIs(2));
  for (const IpEndpoint& endpoint : server_->endpoints()) {
    EXPECT_NE(endpoint.port, 0);
    HttpTestClient client(endpoint);
    client.Send("GET /boot.ipxe HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(client.Read().body, "#!ipxe\n");
  }
  ASSERT_THAT(Requests(), SizeIs(2));
  EXPECT_EQ(Requests()[0].asked_at, *IpAddress::Parse("127.0.0.1"));
  EXPECT_EQ(Requests()[1].asked_at, *IpAddress::Parse("::1"));
}

TEST_F(HttpServerTest, AnEndpointThatIsTakenIsNamed) {
  Start();
  EXPECT_THAT(HttpServer::Open({.listen = {endpoint()}},
                               [](const ContentRequest&) { return absl::NotFoundError(""); }),
              StatusIs(absl::ErrnoToStatusCode(EADDRINUSE),
                       absl::StrCat("listen for HTTP at ", endpoint().Format(),
                                    ": Address already in use")));
}

TEST_F(HttpServerTest, WhatIsAskedReachesTheResolverDecodedOnce) {
  Start();
  Ask("/autopxe-52%3A54?stage=poll&serial=A%20B", "User-Agent: iPXE/1.0.0+git-20190125\r\n");
  Ask("http://elsewhere.example/a%2520b", "User-Agent: curl/7.88 iPXE\r\n");
  const std::vector<ContentRequest> requests = Requests();
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(requests[0].transport, Transport::kHttp);
  EXPECT_EQ(requests[0].path, "/autopxe-52:54");
  EXPECT_EQ(requests[0].query,
            (std::map<std::string, std::string>{{"stage", "poll"}, {"serial", "A B"}}));
  EXPECT_TRUE(requests[0].from_ipxe);
  EXPECT_EQ(requests[0].asked_at, *IpAddress::Parse("127.0.0.1"));
  EXPECT_EQ(requests[1].path, "/a%20b");
  EXPECT_FALSE(requests[1].from_ipxe);
}

TEST_F(HttpServerTest, AFailureIsItsMessageInPlainText) {
  answers_.emplace("/none", absl::NotFoundError("path \"/none\": no such file"));
  answers_.emplace("/bad", absl::InvalidArgumentError("path \"/bad\": bad"));
  answers_.emplace("/away", absl::UnavailableError("not now"));
  answers_.emplace("/broken", absl::InternalError("broken"));
  Start();
  const std::pair<std::string, std::pair<int, std::string>> kCases[] = {
      {"/none", {404, "path \"/none\": no such file\n"}},
      {"/bad", {400, "path \"/bad\": bad\n"}},
      {"/away", {503, "not now\n"}},
      {"/broken", {500, "broken\n"}},
  };
  for (const auto& [path, expected] : kCases) {
    const HttpTestClient::Answer answer = Ask(path);
    EXPECT_EQ(answer.status, expected.first) << path;
    EXPECT_EQ(answer.body, expected.second) << path;
    EXPECT_EQ(answer.fields.at("content-type"), "text/plain; charset=utf-8");
  }
}

TEST_F(HttpServerTest, AnIgnoredHostGetsNotAByte) {
  answers_.emplace("/autopxe-525400123456", absl::PermissionDeniedError("is set to be ignored"));
  Start();
  HttpTestClient client(endpoint());
  client.Send("GET /autopxe-525400123456 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(HttpServerTest, EachFinishedRequestIsOneLine) {
  Offer("/boot/debian/bookworm/vmlinuz", "0123456789");
  OfferText("/autopxe-525400123456", "#!ipxe\n");
  answers_.emplace("/ignored", absl::PermissionDeniedError("is set to be ignored"));
  Start();
  CapturedLog log;
  Ask("/autopxe-525400123456?platform=efi");
  Ask("/boot/debian/bookworm/vmlinuz", "Range: bytes=0-3\r\n");
  Ask("/boot/debian/bookworm/vmlinuz", "", "HEAD");
  Ask("/grub/x86_64-efi/command.lst");
  Ask("/a%0Ab%00");
  HttpTestClient ignored(endpoint());
  ignored.Send("GET /ignored HTTP/1.1\r\nHost: x\r\n\r\n");
  ignored.ReadToEnd();
  ASSERT_EQ(server_->Drain(absl::Seconds(20)), 0u);
  const std::vector<std::string> lines = log.Lines();
  EXPECT_THAT(lines, Each(HasSubstr(" client=127.0.0.1:")));
  // A connection's thread logs after the client has its answer, so the next may come first.
  EXPECT_THAT(
      lines,
      testing::UnorderedElementsAre(
          testing::MatchesRegex("info event=request protocol=http host=52:54:00:12:34:56 "
                                "client=127.0.0.1:[0-9]+ path=autopxe-525400123456 result=menu "
                                "bytes=7 duration_ms=[0-9]+"),
          HasSubstr(" path=boot/debian/bookworm/vmlinuz result=kernel bytes=4 "),
          HasSubstr(" path=boot/debian/bookworm/vmlinuz result=kernel bytes=0 "),
          testing::AllOf(HasSubstr(" host=- client="),
                         HasSubstr(" path=/grub/x86_64-efi/command.lst result=not-found ")),
          HasSubstr(" path=/a%0Ab%00 result=refused "),
          HasSubstr(" path=/ignored result=ignored bytes=0 ")));
}

TEST_F(HttpServerTest, DrainTakesNoMoreConnectionsAndWaitsForWhatIsUnderWay) {
  Offer("/kernel", std::string(8 << 20, 'k'));
  Start();
  HttpTestClient slow(endpoint(), {.receive_buffer = 4096, .address = {}});
  slow.Send("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(slow.ReadMore());
  EXPECT_EQ(server_->Drain(absl::ZeroDuration()), 1u);
  EXPECT_EQ(slow.Read().body.size(), size_t{8} << 20);
  EXPECT_EQ(server_->Drain(absl::Seconds(20)), 0u);
}

TEST_F(HttpServerTest, AnEndWithoutDrainCutsWhatIsOpen) {
  Offer("/kernel", std::string(8 << 20, 'k'));
  Start();
  CapturedLog log;
  HttpTestClient slow(endpoint(), {.receive_buffer = 4096, .address = {}});
  HttpTestClient idle(endpoint());
  slow.Send("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(slow.ReadMore());
  server_.reset();
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_LT(slow.ReadToEnd().size(), size_t{8} << 20);
  EXPECT_THAT(log.Lines(), testing::ElementsAre(HasSubstr(" result=shutdown ")));
}

std::string Curl(const std::string& arguments) {
  const std::string command = absl::StrCat("curl -sS --max-time 20 ", arguments, " 2>&1");
  FILE* const pipe = popen(command.c_str(), "r");
  std::string output;
  char bytes[4096];
  for (size_t count; (count = fread(bytes, 1, sizeof bytes, pipe)) > 0;) {
    output.append(bytes, count);
  }
  EXPECT_EQ(pclose(pipe), 0) << command << "\n" << output;
  return output;
}

TEST_F(HttpServerTest, CurlIsServed) {
  const std::string bytes(3'000'000, 'k');
  Offer("/boot/debian/bookworm/boot/vmlinuz-6.1", bytes);
  OfferText("/autopxe-525400123456", "#!ipxe\n");
  Start();
  const std::string root = absl::StrCat("http://", endpoint().Format());
  const std::string kernel = root + "/boot/debian/bookworm/boot/vmlinuz-6.1";
  EXPECT_EQ(Curl(root + "/autopxe-525400123456"), "#!ipxe\n");
  EXPECT_EQ(Curl(kernel), bytes);
  EXPECT_EQ(Curl(absl::StrCat(kernel, " -r 10-14")), "kkkkk");
  EXPECT_THAT(Curl(absl::StrCat("-I ", kernel)), HasSubstr("Content-Length: 3000000\r\n"));
  // Continues at byte 2,999,990, as a download that broke off.
  const std::string part = tree_.folder() + "/part";
  tree_.Write("part", bytes.substr(0, 2'999'990));
  Curl(absl::StrCat("-C - -o ", part, " ", kernel));
  struct stat found;
  ASSERT_EQ(stat(part.c_str(), &found), 0);
  EXPECT_EQ(found.st_size, 3'000'000);
  EXPECT_EQ(
      Curl(absl::StrCat("-o /dev/null -w '%{http_code}' --path-as-is ", root, "/../../etc/passwd")),
      "404");
  EXPECT_EQ(Curl(absl::StrCat("-o /dev/null -w '%{http_code}' -d x=y ", kernel)), "405");
}

}  // namespace
}  // namespace autopxe::agent
