// Case 33: what was acknowledged survives the process, whenever it ends. AUTOPXE_ROUNDS says how
// many times it ends; TestRounds(kRounds) times unless set.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>

#include "common/status/status_matchers.h"
#include "common/status/test_rounds.h"
#include "server/sqlite/temp_folder.h"
#include "server/store/configuration_sample.h"
#include "server/store/store.h"
#include "server/store/writer.h"

namespace autopxe::server {
namespace {

constexpr int kCallers = 64;

constexpr int kRounds = 100;

// Then a new database: each round reads all of it.
constexpr int kRoundsPerDatabase = 25;

// What a child tells of each acknowledged request. Written at once, so never torn (PIPE_BUF).
struct Acknowledged {
  int mac;
  int64_t number;
  uint64_t tag;
};

// Assigns hosts of their own, without end, from many callers at once.
[[noreturn]] void RunChild(const std::string& path, int round, int out) {
  auto store = Store::Open(path, absl::UnixEpoch());
  if (!store.ok()) _exit(2);
  Writer writer(
      store->get(), [] { return absl::UnixEpoch(); }, [](auto, auto) {}, [](const absl::Status&) {},
      {});
  absl::Mutex mutex;
  int next = round * 1'000'000;
  // Each answer asks for the next: as many are in flight all the time.
  std::function<void()> ask = [&] {
    int mac;
    {
      absl::MutexLock lock(&mutex);
      mac = ++next;
    }
    WriteRequest request;
    request.batch = BatchOf({SampleAssign(mac, "local")});
    writer.Apply(std::move(request), [&, mac](WriteOutcome outcome) {
      const auto* result = std::get_if<WriteResult>(&outcome);
      if (result == nullptr) _exit(3);
      const Acknowledged line{mac, result->revision.id.number, result->revision.id.tag};
      if (write(out, &line, sizeof(line)) != sizeof(line)) _exit(4);
      ask();
    });
  };
  for (int i = 0; i < kCallers; ++i) ask();
  while (true) pause();
}

// Kills as many children, one after the other, on one database.
void RunRounds(int rounds, uint32_t seed) {
  const TempFolder folder;
  const std::string path = folder.File("autopxe.db");
  std::mt19937 random(seed);
  std::map<int64_t, Acknowledged> acknowledged;
  for (int round = 0; round < rounds; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      RunChild(path, round, ends[1]);
    }
    close(ends[1]);
    // Somewhere between two answers.
    const int answers = 1 + static_cast<int>(random() % 200);
    Acknowledged line;
    int count = 0;
    const auto read_one = [&] {
      if (read(ends[0], &line, sizeof(line)) != sizeof(line)) return false;
      EXPECT_TRUE(acknowledged.emplace(line.number, line).second) << line.number << " came twice";
      return true;
    };
    while (count < answers && read_one()) ++count;
    ASSERT_EQ(count, answers);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (read_one()) {
    }
    close(ends[0]);

    auto store = Store::Open(path, absl::UnixEpoch());
    ASSERT_THAT(store, IsOk());
    const auto snapshot = (*store)->TakeContent().snapshot;
    // Every revision made one host: as many hosts as revisions is neither gap nor repeat.
    ASSERT_EQ(static_cast<int64_t>(snapshot->host_count()), snapshot->revision().id.number);
    ASSERT_GE(snapshot->revision().id.number, static_cast<int64_t>(acknowledged.size()));
    for (const auto& [number, one] : acknowledged) {
      const auto host = snapshot->FindHost(SampleMac(one.mac));
      ASSERT_NE(host, nullptr) << one.mac;
      ASSERT_EQ(host->etag, number);
    }
    const auto& [number, last] = *acknowledged.rbegin();
    EXPECT_TRUE((*store)->ChangesSince({.number = number, .tag = last.tag})->has_value());
  }
}

TEST(CrashTest, EveryAcknowledgedAssignSurvivesAKill) {
  uint32_t seed = 20241122;
  for (int left = TestRounds(kRounds); left > 0; left -= kRoundsPerDatabase) {
    RunRounds(std::min(left, kRoundsPerDatabase), seed++);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace autopxe::server
