#include <dirent.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "agent/http/server.h"
#include "agent/http/test_client.h"
#include "agent/http/test_server.h"
#include "common/runtime/captured_log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

extern "C" {
// There under the sanitizers alone.
__attribute__((weak)) void __asan_init();
__attribute__((weak)) void __tsan_init();
}

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

int OpenDescriptors() {
  int count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

// In bytes; 0 under a sanitizer, which keeps what is freed.
size_t MemoryInUse() {
  if (__asan_init != nullptr || __tsan_init != nullptr) return 0;
  std::ifstream statm("/proc/self/statm");
  size_t size = 0;
  size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// What malloc has given out, in bytes; 0 under a sanitizer, which tells of leaks itself.
size_t AllocatedBytes() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

// How often: `usually`, or what the environment says, for a soak.
int Count(const char* variable, int usually) {
  const char* value = std::getenv(variable);
  int count;
  return value != nullptr && absl::SimpleAtoi(value, &count) ? count : usually;
}

// A request is logged after its client is done with it.
void WaitForLines(const CapturedLog& log, size_t count) {
  while (log.Lines().size() < count) std::this_thread::yield();
}

// Faults, case 30.
TEST_F(HttpServerTest, AClientThatResetsInTheMiddleOfAFileCostsNothing) {
  tree_.Write("file", "");
  ASSERT_EQ(truncate((tree_.folder() + "/file").c_str(), 64 << 20), 0);
  Offer("/large");
  OfferText("/menu", "#!ipxe\n");
  // On one thread, a connection that was closed is gone when a later one is answered.
  Start({.threads = 1});
  const auto reset = [&] {
    HttpTestClient client(endpoint(), {.receive_buffer = 4096, .address = {}});
    client.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(client.ReadMore());
    client.Reset();
  };
  const auto reset_many = [&](int count) {
    const CapturedLog log;
    for (int i = 0; i < count; ++i) reset();
    WaitForLines(log, static_cast<size_t>(count));
    const std::vector<std::string> lines = log.Lines();
    EXPECT_THAT(lines, SizeIs(count));
    EXPECT_THAT(lines, Each(HasSubstr(" path=large result=aborted bytes=")));
    EXPECT_THAT(lines, Each(Not(HasSubstr(absl::StrCat(" bytes=", 64 << 20)))));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask("/menu").status, 200);
    WaitForLines(log, static_cast<size_t>(count) + 10);
    absl::MutexLock lock(&mutex_);
    requests_ = {};
  };
  const int count = Count("AUTOPXE_TEST_HTTP_RESETS", 1000);
  reset_many(count);
  const size_t memory = AllocatedBytes();
  const int descriptors = OpenDescriptors();
  reset_many(count);
  // The connection of the last answer may be open still, or have been.
  EXPECT_NEAR(OpenDescriptors(), descriptors, 1);
  // The smallest object takes 32 bytes: one left behind by every second connection shows.
  EXPECT_LT(AllocatedBytes(), memory + static_cast<size_t>(count) * 16);
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosedInTheEnd) {
  OfferText("/menu", "#!ipxe\n");
  Start({.limits = {.idle = absl::Seconds(1)}});
  HttpTestClient client(endpoint());
  client.Send("GET /menu HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_EQ(client.ReadToEnd(), "");
}

// Faults, case 29: libmicrohttpd's own time-out begins anew with each byte.
TEST_F(HttpServerTest, AHeadThatDribblesInIsCut) {
  OfferText("/menu", "#!ipxe\n");
  Start({.limits = {.head = absl::Milliseconds(500), .idle = absl::Minutes(10)}});
  HttpTestClient silent(endpoint());
  HttpTestClient kept(endpoint());
  kept.Send("GET /menu HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(kept.Read().status, 200);
  const struct {
    const char* name;
    std::string first;  // A whole request, or none.
    std::string begin;
  } kCases[] = {
      {"in the request line", "", "GET /"},
      {"in a field", "", "GET /menu HTTP/1.1\r\nA: "},
      {"in the second request", "GET /menu HTTP/1.1\r\nHost: x\r\n\r\n",
       "GET /menu HTTP/1.1\r\nA: "},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    HttpTestClient client(endpoint());
    client.Send(c.first);
    if (!c.first.empty()) {
      EXPECT_EQ(client.Read().status, 200);
    }
    client.Send(c.begin);
    int sent = 0;
    while (!client.IsClosed(/*patience_ms=*/20) && client.SendWhatIsTaken("a")) {
      ASSERT_LT(++sent, 3000);
    }
    EXPECT_GT(sent, 0);
  }
  EXPECT_TRUE(silent.IsClosed());
  // Who is kept has longer.
  kept.Send("GET /menu HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(kept.Read().status, 200);
}

// Faults, case 29. That a slow client who goes on is not cut is tested with the connections.
TEST_F(HttpServerTest, AnAnswerThatIsTakenDropByDropIsCut) {
  constexpr size_t kSize = 64 << 20;
  tree_.Write("file", "");
  ASSERT_EQ(truncate((tree_.folder() + "/file").c_str(), kSize), 0);
  Offer("/initrd");
  Start({.limits = {.idle = absl::Minutes(10),
                    .progress_interval = absl::Milliseconds(500),
                    .progress_bytes = 16 << 20}});
  CapturedLog log;
  HttpTestClient client(endpoint(), {.receive_buffer = 4096, .max_segment = 536, .address = {}});
  client.Send("GET /initrd HTTP/1.1\r\nHost: x\r\n\r\n");
  int drops = 0;
  while (!absl::StrContains(log.Text(), "event=request")) {
    ASSERT_TRUE(client.ReadMore(1));
    client.IsClosed(/*patience_ms=*/0);
    std::this_thread::yield();
    ASSERT_LT(++drops, 60'000'000);
  }
  EXPECT_THAT(log.Lines(), Contains(AllOf(HasSubstr("warning event=request"),
                                          HasSubstr(" path=initrd result=timeout bytes="))));
  EXPECT_LT(client.ReadToEnd().size(), kSize);
}

// Faults, case 29.
TEST_F(HttpServerTest, IdlersTakeNobodysPlace) {
  constexpr size_t kMostConnections = 2048;
  // Both ends of each connection are of this process.
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  const size_t idlers = std::min<size_t>(10'000, limit.rlim_cur - kMostConnections - 256);
  OfferText("/menu", "#!ipxe\n");
  Offer("/kernel", std::string(1 << 20, 'k'));
  Start({.max_connections = kMostConnections, .limits = {.head = absl::Minutes(10)}});
  HttpTestClient slow(endpoint(), {.receive_buffer = 4096, .address = {}});
  slow.Send("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(slow.ReadMore());
  std::vector<std::unique_ptr<HttpTestClient>> clients;
  clients.reserve(idlers);
  const size_t memory = MemoryInUse();
  for (size_t i = 0; i < idlers; ++i) {
    clients.push_back(std::make_unique<HttpTestClient>(endpoint()));
    if (i % 1000 == 999) {
      // Whoever has something to ask is served at once.
      EXPECT_EQ(Ask("/menu").body, "#!ipxe\n");
      EXPECT_EQ(Ask("/kernel").body.size(), size_t{1} << 20);
    }
  }
  EXPECT_LE(OpenDescriptors(), static_cast<int>(idlers + kMostConnections + 128));
  // Some 9 KiB for each connection of the server's, and the clients' own.
  EXPECT_LT(MemoryInUse(), memory + (64 << 20));
  EXPECT_TRUE(clients.front()->IsClosed());
  EXPECT_EQ(slow.Read().body.size(), size_t{1} << 20);
}

TEST_F(HttpServerTest, ClientsThatDoNotReadHoldUpNobody) {
  constexpr size_t kSize = 64 << 20;
  tree_.Write("file", "");
  ASSERT_EQ(truncate((tree_.folder() + "/file").c_str(), kSize), 0);
  Offer("/initrd");
  OfferText("/menu", "#!ipxe\n");
  Start({.threads = 1});
  std::vector<std::unique_ptr<HttpTestClient>> slow;
  for (int i = 0; i < 300; ++i) {
    slow.push_back(std::make_unique<HttpTestClient>(
        endpoint(), HttpTestClient::Options{.receive_buffer = 4096, .address = {}}));
    slow.back()->Send("GET /initrd HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(slow.back()->ReadMore(1));
  }
  EXPECT_EQ(Ask("/menu").body, "#!ipxe\n");
  EXPECT_EQ(Ask("/initrd").body.size(), kSize);
  // Whoever reads on gets everything.
  EXPECT_EQ(slow.front()->Read().body.size(), kSize);
}

TEST_F(HttpServerTest, OneAddressDoesNotTakeEveryPlace) {
  Offer("/kernel", std::string(8 << 20, 'k'));
  Start({.max_connections = 16});
  std::vector<std::unique_ptr<HttpTestClient>> slow;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(std::make_unique<HttpTestClient>(
        endpoint(), HttpTestClient::Options{.receive_buffer = 4096, .address = "127.0.0.2"}));
    slow.back()->Send("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(slow.back()->ReadMore());
  }
  HttpTestClient refused(endpoint(), {.address = "127.0.0.2"});
  refused.Send("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(refused.Read().status, 503);
  EXPECT_TRUE(refused.IsClosed());
  EXPECT_EQ(Ask("/kernel").status, 200);
  EXPECT_EQ(slow[0]->Read().body.size(), size_t{8} << 20);
}

}  // namespace
}  // namespace autopxe::agent
