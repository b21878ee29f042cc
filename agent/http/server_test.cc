#include "agent/http/server.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "agent/catalog/test_tree.h"
#include "agent/content/requested_path.h"
#include "agent/net/socket_address.h"
#include "agent/net/unique_fd.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int kPatienceMs = 20'000;  // How long a test waits before it gives an answer up.

struct Answer {
  int status = 0;                             // 0: none came.
  std::map<std::string, std::string> fields;  // By lower-case name.
  std::string body;
};

// A client that sends what it is told to, byte for byte.
class RawClient {
 public:
  explicit RawClient(const IpEndpoint& server, int receive_buffer = 0) {
    const SocketAddress address(server);
    fd_.Reset(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer > 0) {
      setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    EXPECT_EQ(connect(fd_.get(), address.get(), address.size()), 0);
  }

  void Send(const std::string& bytes) {
    EXPECT_EQ(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  // The server may refuse, and close, before it has read it all.
  void SendWhatIsTaken(const std::string& bytes) {
    send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  void EndSending() { shutdown(fd_.get(), SHUT_WR); }

  // Closes as a host does that is switched off and on: by a reset.
  void Reset() {
    const linger now = {1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.Reset();
  }

  // The next answer on the connection. `has_body` is false for the answer to a HEAD.
  Answer Read(bool has_body = true) {
    Answer answer;
    size_t end;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore()) return answer;
    }
    const std::vector<std::string> lines = absl::StrSplit(pending_.substr(0, end), "\r\n");
    const std::vector<std::string> words = absl::StrSplit(lines[0], ' ');
    EXPECT_TRUE(absl::SimpleAtoi(words.at(1), &answer.status)) << lines[0];
    for (size_t i = 1; i < lines.size(); ++i) {
      const std::pair<std::string, std::string> field =
          absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
      answer.fields[absl::AsciiStrToLower(field.first)] = field.second;
    }
    pending_.erase(0, end + 4);
    size_t length = 0;
    if (!has_body || answer.status == 304) return answer;
    EXPECT_TRUE(absl::SimpleAtoi(answer.fields["content-length"], &length)) << lines[0];
    while (pending_.size() < length && ReadMore()) {
    }
    answer.body = pending_.substr(0, length);
    pending_.erase(0, length);
    return answer;
  }

  // What comes until the server closes.
  std::string ReadToEnd() {
    while (ReadMore()) {
    }
    return std::exchange(pending_, "");
  }

  bool ReadMore() {
    pollfd waiting = {fd_.get(), POLLIN, 0};
    if (poll(&waiting, 1, kPatienceMs) != 1) {
      ADD_FAILURE() << "no answer";
      return false;
    }
    char bytes[65536];
    const ssize_t count = recv(fd_.get(), bytes, sizeof bytes, 0);
    if (count > 0) pending_.append(bytes, static_cast<size_t>(count));
    return count > 0;
  }

 private:
  UniqueFd fd_;
  std::string pending_;
};

int OpenDescriptors() {
  int count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

// Gathers what is logged while it lives.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_));
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(logger);
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }

  std::vector<std::string> Lines() const {
    return absl::StrSplit(stream_.str(), '\n', absl::SkipEmpty());
  }

 private:
  std::ostringstream stream_;
  std::shared_ptr<spdlog::logger> before_;
};

class HttpServerTest : public ::testing::Test {
 protected:
  // 127.0.0.1 and any port, and what `resolve_` finds.
  void Start(HttpServer::Options options = {}) {
    if (options.listen.empty()) options.listen = {*IpEndpoint::Parse("127.0.0.1:0")};
    if (options.threads == 0) options.threads = 2;
    auto server = HttpServer::Open(
        options, [this](const ContentRequest& request) { return Resolve(request); });
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  const IpEndpoint& endpoint() const { return server_->endpoints().at(0); }

  void Offer(const std::string& path, const std::string& bytes) {
    tree_.Write("file", bytes);
    Offer(path);
  }

  // The file that is called "file".
  void Offer(const std::string& path) {
    ResolvedContent found;
    found.content =
        *Content::FromFile(open((tree_.folder() + "/file").c_str(), O_RDONLY | O_CLOEXEC));
    found.path = path.substr(1);
    found.result = "kernel";
    found.cacheable = true;
    answers_.emplace(path, found);
  }

  void OfferText(const std::string& path, const std::string& text) {
    ResolvedContent found;
    found.content = Content::FromText(text);
    found.path = path.substr(1);
    found.host = *MacAddress::Parse("52:54:00:12:34:56");
    found.result = "menu";
    answers_.emplace(path, found);
  }

  absl::StatusOr<ResolvedContent> Resolve(const ContentRequest& request) {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(request);
    const auto found = answers_.find(request.path);
    if (found == answers_.end()) return absl::NotFoundError("no such file");
    return found->second;
  }

  std::vector<ContentRequest> Requests() {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }

  // One request on a connection of its own. `fields` end in "\r\n" each.
  Answer Ask(const std::string& target, const std::string& fields = "",
             const std::string& method = "GET") {
    RawClient client(endpoint());
    client.Send(absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: x\r\n", fields, "\r\n"));
    return client.Read(method != "HEAD");
  }

  TestTree tree_;
  absl::Mutex mutex_;
  std::map<std::string, absl::StatusOr<ResolvedContent>> answers_;
  std::vector<ContentRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ListensOnEveryEndpointAndTellsThePorts) {
  OfferText("/boot.ipxe", "#!ipxe\n");
  Start({.listen = {*IpEndpoint::Parse("127.0.0.1:0"), *IpEndpoint::Parse("[::1]:0")}});
  ASSERT_THAT(server_->endpoints(), SizeIs(2));
  for (const IpEndpoint& endpoint : server_->endpoints()) {
    EXPECT_NE(endpoint.port, 0);
    RawClient client(endpoint);
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

TEST_F(HttpServerTest, ATextIsServedAndNotToBeKept) {
  OfferText("/autopxe-525400123456", "#!ipxe\nshell\n");
  Start();
  const Answer answer = Ask("/autopxe-525400123456", "Range: bytes=0-1\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "#!ipxe\nshell\n");
  EXPECT_EQ(answer.fields.at("cache-control"), "no-store");
  EXPECT_EQ(answer.fields.at("content-type"), "text/plain; charset=utf-8");
}

TEST_F(HttpServerTest, AFileIsServedWholeAndInParts) {
  Offer("/kernel", "0123456789");
  Start();
  const Answer whole = Ask("/kernel");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, "0123456789");
  EXPECT_EQ(whole.fields.at("accept-ranges"), "bytes");
  const std::string tag = whole.fields.at("etag");
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
      {absl::StrCat("Range: bytes=2-4\r\nIf-Range: ", tag, "\r\n"), 206, "234", "bytes 2-4/10"},
      {"Range: bytes=2-4\r\nIf-Range: \"old\"\r\n", 200, "0123456789", ""},
      {absl::StrCat("If-None-Match: ", tag, "\r\n"), 304, "", ""},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.fields);
    const Answer answer = Ask("/kernel", c.fields);
    EXPECT_EQ(answer.status, c.status);
    EXPECT_EQ(answer.body, c.body);
    const auto field = answer.fields.find("content-range");
    EXPECT_EQ(field == answer.fields.end() ? "" : field->second, c.content_range);
  }
}

// Faults, case 27: HEAD with the length.
TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  Offer("/kernel", "0123456789");
  OfferText("/menu", "#!ipxe\n");
  Offer("/empty", "");
  Start();
  RawClient client(endpoint());
  const std::pair<std::string, std::string> kCases[] = {
      {"/kernel", "10"}, {"/menu", "7"}, {"/empty", "0"}};
  for (const auto& [path, length] : kCases) {
    client.Send(absl::StrCat("HEAD ", path, " HTTP/1.1\r\nHost: x\r\nRange: bytes=1-2\r\n\r\n"));
    const Answer answer = client.Read(false);
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
  const Answer middle = Ask("/large", "Range: bytes=3000000000-3000000005\r\n");
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.body, "middle");
  EXPECT_EQ(middle.fields.at("content-range"), "bytes 3000000000-3000000005/5000000000");
  EXPECT_EQ(Ask("/large", "Range: bytes=-3\r\n").body, "end");
  EXPECT_EQ(Ask("/large", "", "HEAD").fields.at("content-length"), "5000000000");
}

// Faults, case 28.
TEST_F(HttpServerTest, RequestsOnOneConnectionAreAnsweredInOrder) {
  Offer("/kernel", std::string(1'000'000, 'k'));
  OfferText("/menu", "#!ipxe\n");
  Start();
  RawClient client(endpoint());
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
  RawClient client(endpoint());
  client.Send("GET /menu HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "#!ipxe\n");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(HttpServerTest, OtherMethodsAreRefusedWithTheOnesThatAreNot) {
  OfferText("/menu", "#!ipxe\n");
  Start();
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get"}) {
    RawClient client(endpoint());
    client.Send(absl::StrCat(method, " /menu HTTP/1.1\r\nHost: x\r\n\r\n"));
    const Answer answer = client.Read();
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
      RawClient client(endpoint());
      client.Send(absl::StrCat(method, " /menu HTTP/1.1\r\nHost: x\r\n", fields, smuggled));
      EXPECT_THAT(client.Read(method != "HEAD").status, AnyOf(400, 405));
      // libmicrohttpd sends the head of its own refusals twice.
      EXPECT_THAT(client.ReadToEnd(), Not(AnyOf(HasSubstr("smuggled"), HasSubstr(" 200 "))));
    }
  }
  EXPECT_THAT(Requests(), IsEmpty());
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
    const Answer answer = Ask(path);
    EXPECT_EQ(answer.status, expected.first) << path;
    EXPECT_EQ(answer.body, expected.second) << path;
    EXPECT_EQ(answer.fields.at("content-type"), "text/plain; charset=utf-8");
  }
}

TEST_F(HttpServerTest, AnIgnoredHostGetsNotAByte) {
  answers_.emplace("/autopxe-525400123456", absl::PermissionDeniedError("is set to be ignored"));
  Start();
  RawClient client(endpoint());
  client.Send("GET /autopxe-525400123456 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.ReadToEnd(), "");
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
    const Answer answer = Ask(target);
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
  Start({.idle_timeout = absl::Seconds(1)});
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
  std::vector<RawClient> clients;
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
  RawClient ignored(endpoint());
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

// Faults, case 30, in short.
TEST_F(HttpServerTest, AClientThatResetsInTheMiddleOfAFileCostsNothing) {
  tree_.Write("file", "");
  ASSERT_EQ(truncate((tree_.folder() + "/file").c_str(), 64 << 20), 0);
  Offer("/large");
  Start();
  CapturedLog log;
  for (int i = 0; i < 50; ++i) {
    RawClient client(endpoint(), 4096);
    client.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(client.ReadMore());
    client.Reset();
  }
  ASSERT_EQ(server_->Drain(absl::Seconds(20)), 0u);
  const std::vector<std::string> lines = log.Lines();
  EXPECT_THAT(lines, SizeIs(50));
  EXPECT_THAT(lines, Each(HasSubstr(" path=large result=aborted bytes=")));
  EXPECT_THAT(lines, Each(Not(HasSubstr(absl::StrCat(" bytes=", 64 << 20)))));
  server_.reset();
  answers_.clear();
  const int before = OpenDescriptors();
  Start();
  server_.reset();
  EXPECT_EQ(OpenDescriptors(), before);
}

// Faults, case 19.
TEST_F(HttpServerTest, AFileThatIsDeletedWhileItIsSentIsSentToTheEnd) {
  const std::string bytes(8 << 20, 'k');
  Offer("/kernel", bytes);
  Start();
  RawClient client(endpoint(), 4096);
  client.Send("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(client.ReadMore());
  tree_.Remove("file");
  tree_.Write("file", "another");
  EXPECT_EQ(client.Read().body, bytes);
}

TEST_F(HttpServerTest, DrainTakesNoMoreConnectionsAndWaitsForWhatIsUnderWay) {
  Offer("/kernel", std::string(8 << 20, 'k'));
  Start();
  RawClient slow(endpoint(), 4096);
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
  RawClient slow(endpoint(), 4096);
  RawClient idle(endpoint());
  slow.Send("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(slow.ReadMore());
  server_.reset();
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_LT(slow.ReadToEnd().size(), size_t{8} << 20);
  EXPECT_THAT(log.Lines(), testing::ElementsAre(HasSubstr(" result=shutdown ")));
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosedInTheEnd) {
  Start({.idle_timeout = absl::Seconds(1)});
  RawClient client(endpoint());
  EXPECT_EQ(client.ReadToEnd(), "");
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
