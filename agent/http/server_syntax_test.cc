#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/content/requested_path.h"
#include "agent/http/server.h"
#include "agent/http/test_client.h"
#include "agent/http/test_server.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Faults, case 28.
TEST_F(HttpServerTest, RequestsOnOneConnectionAreAnsweredInOrder) {
  Offer("/kernel", std::string(1'000'000, 'k'));
  OfferText("/menu", "#!ipxe\n");
  Start();
  HttpTestClient client(endpoint());
  client.Send(
      "GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n"
      "HEAD /menu HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /menu HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.Read().body, std::string(1'000'000, 'k'));
  EXPECT_EQ(client.Read(false).status, 200);
  EXPECT_EQ(client.Read().status, 404);
  EXPECT_EQ(client.Read().body, "#!ipxe\n");
  EXPECT_EQ(client.ReadToEnd(), "");
}

// Faults, case 28.
TEST_F(HttpServerTest, Http10IsAnsweredAndClosed) {
  OfferText("/menu", "#!ipxe\n");
  Start();
  HttpTestClient client(endpoint());
  client.Send("GET /menu HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "#!ipxe\n");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(HttpServerTest, OtherMethodsAreRefusedWithTheOnesThatAreNot) {
  OfferText("/menu", "#!ipxe\n");
  Start();
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get"}) {
    HttpTestClient client(endpoint());
    client.Send(absl::StrCat(method, " /menu HTTP/1.1\r\nHost: x\r\n\r\n"));
    const HttpTestClient::Answer answer = client.Read();
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.fields.at("allow"), "GET, HEAD") << method;
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  EXPECT_THAT(Requests(), IsEmpty());
}

// Faults, case 28: two Content-Lengths, chunked requests.
TEST_F(HttpServerTest, ARequestWithABodyIsRefusedAndNothingIsSmuggledBehindIt) {
  OfferText("/menu", "#!ipxe\n");
  OfferText("/smuggled", "smuggled");
  Start();
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const std::string& fields : {
           absl::StrCat("Content-Length: ", smuggled.size(), "\r\n\r\n"),
           absl::StrCat("Content-Length: 0\r\nContent-Length: ", smuggled.size(), "\r\n\r\n"),
           absl::StrCat("Content-Length: ", smuggled.size(), "\r\nContent-Length: 0\r\n\r\n"),
           std::string("Content-Length: -1\r\n\r\n"),
           std::string("Content-Length: x\r\n\r\n"),
           std::string("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
           std::string("Transfer-Encoding: identity, xchunked\r\n\r\n"),
       }) {
    for (const std::string method : {"GET", "HEAD", "POST"}) {
      SCOPED_TRACE(absl::StrCat(method, " ", fields));
      HttpTestClient client(endpoint());
      client.Send(absl::StrCat(method, " /menu HTTP/1.1\r\nHost: x\r\n", fields, smuggled));
      EXPECT_THAT(client.Read(method != "HEAD").status, AnyOf(400, 405));
      // libmicrohttpd sends the head of its own refusals twice.
      EXPECT_THAT(client.ReadToEnd(), Not(AnyOf(HasSubstr("smuggled"), HasSubstr(" 200 "))));
    }
  }
  EXPECT_THAT(Requests(), IsEmpty());
}

// Faults, case 26. What a path means is the content's to say: its parser stands behind the server
// here.
TEST_F(HttpServerTest, TraversalRawAndEncodedFindsNothing) {
  const std::string kernel = "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
  auto server = HttpServer::Open(
      {.listen = {*IpEndpoint::Parse("127.0.0.1:0")}, .threads = 2},
      [&](const ContentRequest& request) -> absl::StatusOr<ResolvedContent> {
        const absl::StatusOr<RequestedPath> path = ParseRequestedPath(request.path);
        if (!path.ok()) return path.status();
        ResolvedContent found;
        found.path = FormatRequestedPath(*path);
        if (found.path == "ipxe.efi") {
          found.content = Content::FromText("loader");
        } else if (found.path == kernel) {
          found.content = Content::FromText("kernel");
        } else {
          return absl::NotFoundError("no such file");
        }
        return found;
      });
  ASSERT_THAT(server, IsOk());
  server_ = *std::move(server);
  EXPECT_EQ(Ask("/ipxe.efi").body, "loader");
  EXPECT_EQ(Ask("/" + kernel).body, "kernel");
  EXPECT_EQ(Ask("/%62oot/debian/bookworm%2fboot/vmlinuz-6%2E1.0-25-amd64").body, "kernel");
  for (const std::string& target : std::vector<std::string>{
           "/../secret",
           "/../../../../../../etc/passwd",
           "/..%2f..%2fsecret",
           "/%2e%2e/%2e%2e/secret",
           "/%2e%2e%2fsecret",
           "/%252e%252e/secret",
           "/..%5csecret",
           "/..\\secret",
           "/..%c0%afsecret",
           "/%c0%ae%c0%ae/secret",
           "/%e0%80%ae%e0%80%ae/secret",
           "/..;/secret",
           "//etc/passwd",
           "//secret",
           "/./secret",
           "/boot/../secret",
           "/boot/debian/bookworm/etc/shadow",
           "/boot/debian/bookworm/boot/../etc/shadow",
           "/boot/debian/bookworm/boot/%2e%2e/etc/shadow",
           "/boot/debian/bookworm//etc/shadow",
           "/boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64/../../etc/shadow",
           "/boot/debian/../debian/bookworm/boot/vmlinuz-6.1.0-25-amd64",
           "/boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64%00",
           "/ipxe.efi%00.txt",
           "/ipxe.efi%0a",
           "/ipxe.efi%",
           "/ipxe.efi%2",
           "/ipxe.efi%zz",
           "/ipxe.efi/",
           "http://x/../secret",
           "*",
           "../secret",
           "secret",
       }) {
    const HttpTestClient::Answer answer = Ask(target);
    EXPECT_THAT(answer.status, AnyOf(400, 404)) << testing::PrintToString(target);
    EXPECT_THAT(answer.body, Not(AnyOf("kernel", "loader"))) << testing::PrintToString(target);
  }
}

// Faults, case 26. libmicrohttpd takes a NUL itself for the end of the target: what is behind it is
// never looked at.
TEST_F(HttpServerTest, ARawNulEndsTheTarget) {
  OfferText("/menu", "#!ipxe\n");
  Start();
  Ask(std::string("/menu\0/../../etc/passwd", 23));
  ASSERT_THAT(Requests(), SizeIs(1));
  EXPECT_EQ(Requests()[0].path, "/menu");
}

TEST_F(HttpServerTest, BrokenRequestsLeaveNothingBehind) {
  OfferText("/menu", "#!ipxe\n");
  Start({.limits = {.idle = absl::Seconds(1)}});
  const std::vector<std::string> broken = {
      "",
      "G",
      "GET",
      "GET /menu",
      "GET /menu HTTP/1.1",
      "GET /menu HTTP/1.1\r\n",
      "GET /menu HTTP/1.1\r\nHost: x\r\n",
      "GET /menu HTTP/1.1\r\nHost",
      "GET /menu HTTP/1.1\r\n\r\n",
      "\r\n\r\n\r\n\r\n",
      "GET /menu HTTP/9.9\r\n\r\n",
      "GET  HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /menu\r\n\r\n",
      std::string(64, '\0'),
      "\x16\x03\x01\x02\x01\xfc",
      "GET /me nu HTTP/1.1\r\nHost: x\r\n\r\n",
      absl::StrCat("GET /", std::string(100'000, 'a'), " HTTP/1.1\r\nHost: x\r\n\r\n"),
      absl::StrCat("GET /menu HTTP/1.1\r\nHost: x\r\nA: ", std::string(100'000, 'a')),
  };
  std::vector<HttpTestClient> clients;
  for (const std::string& bytes : broken) {
    clients.emplace_back(endpoint());
    clients.back().SendWhatIsTaken(bytes);
    clients.back().EndSending();
  }
  for (size_t i = 0; i < broken.size(); ++i) {
    EXPECT_THAT(clients[i].ReadToEnd(), Not(StartsWith("HTTP/1.1 2")))
        << testing::PrintToString(broken[i].substr(0, 64));
  }
  EXPECT_EQ(Ask("/menu").status, 200);
  EXPECT_EQ(server_->Drain(absl::Seconds(20)), 0u);
}

// Faults, case 28: what libmicrohttpd alone would take.
TEST_F(HttpServerTest, AHeadThatTwoProgramsCouldReadInTwoWaysIsRefused) {
  OfferText("/menu", "#!ipxe\n");
  OfferText("/smuggled", "smuggled");
  Start();
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const std::string& head : {
           std::string("Host: x\r\nContent-Length : 37\r\n\r\n"),
           std::string("Host: x\r\nTransfer-Encoding : chunked\r\n\r\n"),
           std::string("Host: x\r\nTransfer-Encoding\x0b: chunked\r\n\r\n"),
           std::string("Host: x\r\nTransfer-Encoding: \x0b"
                       "chunked\r\n\r\n"),
           std::string("Host: x\r\nTransfer-Encoding:\r\n\r\n"),
           std::string("Host: x\r\nBad Name: x\r\n\r\n"),
           std::string(" Host: x\r\n\r\n"),
           std::string("Host: x\r\nA: b\r\n Content-Length: 37\r\n\r\n"),
           std::string("Host: x\r\nA: b\r\n\tTransfer-Encoding: chunked\r\n\r\n"),
           std::string("Host: x\r\nA: b\rContent-Length: 37\r\n\r\n"),
           std::string("Host: x\r\nA: b\r\r\r\n\r\n"),
           std::string("Host: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"),
           std::string("Host: x\r\nContent-Length: 0, 37\r\n\r\n"),
           std::string("Host: x\r\nContent-Length: +0\r\n\r\n"),
           std::string("Host: x\r\nContent-Length: 0x0\r\n\r\n"),
           std::string("Host: x\r\nContent-Length:\r\n\r\n"),
           std::string("Host: x\r\nContent-Length: 37\0\r\n\r\n", 33),
           std::string("Host: x\r\nNoColon\r\n\r\n"),
           std::string("Host: x\r\nHost: y\r\n\r\n"),
           std::string("\r\n"),
       }) {
    SCOPED_TRACE(testing::PrintToString(head));
    HttpTestClient client(endpoint());
    client.Send(absl::StrCat("GET /menu HTTP/1.1\r\n", head, smuggled));
    EXPECT_THAT(client.ReadToEnd(), AllOf(StartsWith("HTTP/1.1 400 "), Not(HasSubstr("smuggled")),
                                          Not(HasSubstr(" 200 "))));
  }
  EXPECT_THAT(Requests(), IsEmpty());
}

// RFC 9112, section 2.2, lets a line end in LF alone.
TEST_F(HttpServerTest, ABareLineFeedEndsALine) {
  OfferText("/menu", "#!ipxe\n");
  Start();
  HttpTestClient client(endpoint());
  client.Send("GET /menu HTTP/1.1\nHost: x\nContent-Length: 5\n\nabcde");
  EXPECT_EQ(client.Read().status, 400);
  EXPECT_TRUE(client.IsClosed());
  HttpTestClient other(endpoint());
  other.Send("GET /menu HTTP/1.1\nHost: x\n\n");
  EXPECT_EQ(other.Read().status, 200);
}

TEST_F(HttpServerTest, OtherVersionsAreRefused) {
  OfferText("/menu", "#!ipxe\n");
  Start();
  const std::pair<std::string, std::string> kCases[] = {
      {"GET /menu\r\n", "HTTP/1.1 400 "},  // HTTP/0.9.
      {"GET /menu HTTP/0.9\r\n\r\n", "HTTP/1.1 505 "},
      {"GET /menu HTTP/2.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505 "},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 505 "},
  };
  for (const auto& [request, answer] : kCases) {
    HttpTestClient client(endpoint());
    client.Send(request);
    EXPECT_THAT(client.ReadToEnd(), StartsWith(answer)) << request;
  }
  EXPECT_THAT(Requests(), IsEmpty());
}

// Faults, case 28.
TEST_F(HttpServerTest, AConnectionEndsWhenItsClientSaysSoAndNotBefore) {
  OfferText("/menu", "#!ipxe\n");
  Start();
  const std::string next = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const std::string& ending :
       {std::string("HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        std::string("HTTP/1.1\r\nHost: x\r\nConnection: upgrade, Close\r\n\r\n"),
        std::string("HTTP/1.0\r\n\r\n"), std::string("HTTP/1.0\r\nConnection: close\r\n\r\n")}) {
    HttpTestClient client(endpoint());
    client.Send(absl::StrCat("GET /menu ", ending, next));
    EXPECT_EQ(client.Read().status, 200) << ending;
    EXPECT_EQ(client.ReadToEnd(), "") << ending;
  }
  HttpTestClient client(endpoint());
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /menu HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(client.Read().status, 200);
  }
}

}  // namespace
}  // namespace autopxe::agent
