#include "agent/journal/journal.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "common/runtime/captured_log.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

JournalUse Use(int64_t host, int64_t token = 7) {
  return {.used = {HostId{host}, token},
          .mac = MacAddress::FromNumber(0x525400000000 + static_cast<uint64_t>(host)),
          .time = absl::FromUnixSeconds(1'700'000'000 + host)};
}

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    std::string folder = absl::StrCat(testing::TempDir(), "/journalXXXXXX");
    folder_ = mkdtemp(folder.data());
    options_.retry = absl::Milliseconds(1);
    options_.tell = [this](Journal::Trouble trouble, absl::string_view sentence) {
      absl::MutexLock lock(&mutex_);
      troubles_[trouble] = std::string(sentence);
    };
  }
  ~JournalTest() override {
    // The one in use tells until its end.
    journal_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  void Open() {
    journal_ = nullptr;
    auto journal = Journal::Open(folder_, options_);
    ASSERT_THAT(journal, IsOk());
    journal_ = *std::move(journal);
  }

  std::string path() const { return folder_ + "/journal"; }

  std::string Read(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  void Write(const std::string& text) { std::ofstream(path(), std::ios::binary) << text; }

  std::string TroubleOf(Journal::Trouble trouble) {
    absl::MutexLock lock(&mutex_);
    return troubles_[trouble];
  }

  // Another thread does it soon.
  void AwaitLines(size_t count) const {
    while (std::vector<std::string>(absl::StrSplit(Read(path()), '\n', absl::SkipEmpty())).size() !=
           count) {
      std::this_thread::yield();
    }
  }

  std::string folder_;
  Journal::Options options_;
  absl::Mutex mutex_;
  std::map<Journal::Trouble, std::string> troubles_;  // Guarded by mutex_.
  CapturedLog log_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, FactsAreThereAgainInTheirOrder) {
  Open();
  EXPECT_THAT(journal_->Pending(10), IsEmpty());
  for (const int64_t host : {3, 1, 2}) journal_->Add(Use(host));
  journal_->Add(Use(1));  // Once more.
  EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(3), Use(1), Use(2)));
  EXPECT_THAT(journal_->Pending(2), ElementsAre(Use(3), Use(1)));
  Open();
  EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(3), Use(1), Use(2)));
  struct stat found;
  ASSERT_EQ(stat(path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  EXPECT_THAT(TroubleOf(Journal::Trouble::kDamaged), IsEmpty());
}

TEST_F(JournalTest, WhatWasReportedIsKeptUntilItIsNotNeeded) {
  Open();
  for (const int64_t host : {1, 2, 3}) journal_->Add(Use(host));
  journal_->NoteReported({Use(1), Use(2), Use(9)});
  EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(3)));
  Open();
  EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(3)));
  EXPECT_THAT(journal_->Kept(), ElementsAre(Use(1).used, Use(2).used, Use(3).used));
  journal_->Forget([](const UsedNextBoot& used) { return used == Use(2).used; });
  EXPECT_THAT(journal_->Kept(), ElementsAre(Use(2).used, Use(3).used));
  journal_->Forget([](const UsedNextBoot&) { return false; });
  EXPECT_THAT(journal_->Kept(), ElementsAre(Use(3).used)) << "the server has not heard of it";
}

// kill -9 right after Add: the fact is in the file without anything that happens later.
TEST_F(JournalTest, WhatWasAddedSurvivesAKill) {
  const pid_t child = fork();
  if (child == 0) {
    auto journal = Journal::Open(folder_, Journal::Options());
    if (journal.ok()) {
      (*journal)->Add(Use(1));
      (*journal)->Add(Use(2));
      (*journal)->NoteReported({Use(1)});
    }
    kill(getpid(), SIGKILL);
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  Open();
  EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(2)));
  EXPECT_THAT(journal_->Kept(), SizeIs(2));
}

TEST_F(JournalTest, ATornLastLineIsCutOff) {
  const std::string whole =
      absl::StrCat(kJournalHeader, FormatJournalLine(Use(1)), FormatJournalLine(Use(2)));
  const std::string next = FormatJournalLine(Use(3));
  for (size_t cut = 1; cut < next.size(); ++cut) {
    Write(whole + next.substr(0, cut));
    Open();
    ASSERT_THAT(journal_->Pending(10), ElementsAre(Use(1), Use(2))) << cut;
    journal_->Add(Use(4));
    Open();
    ASSERT_THAT(journal_->Pending(10), ElementsAre(Use(1), Use(2), Use(4))) << cut;
  }
  // A machine that died can leave zeros.
  Write(whole + std::string(100, '\0'));
  Open();
  EXPECT_THAT(journal_->Pending(10), SizeIs(2));
  EXPECT_THAT(log_.Text(), HasSubstr("event=journal-torn"));
  EXPECT_THAT(TroubleOf(Journal::Trouble::kDamaged), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path() + ".damaged"));
}

TEST_F(JournalTest, ADamagedFileIsSetAsideAndItsWholeLinesAreKept) {
  std::string second = FormatJournalLine(Use(2));
  second[6] ^= 1;
  const std::string damaged =
      absl::StrCat(kJournalHeader, FormatJournalLine(Use(1)), second, FormatJournalLine(Use(3)));
  const std::vector<std::string> asides = {".damaged", ".damaged.2", ".damaged.3", ".damaged.4"};
  for (const std::string& aside : asides) {
    Write(damaged);
    Open();
    EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(1), Use(3)));
    EXPECT_EQ(Read(path() + aside), damaged);
    EXPECT_THAT(TroubleOf(Journal::Trouble::kDamaged), HasSubstr("set aside as journal" + aside));
    journal_->Add(Use(4));
    Open();
    EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(1), Use(3), Use(4)));
  }
}

TEST_F(JournalTest, AFileThatIsNoJournalIsSetAside) {
  for (const std::string& text : {std::string("something else\n"), std::string("\n\n"),
                                  std::string("autopxe-journal 2\nused x\n")}) {
    Write(text);
    Open();
    EXPECT_THAT(journal_->Kept(), IsEmpty());
    journal_->Add(Use(1));
    Open();
    EXPECT_THAT(journal_->Kept(), SizeIs(1));
    journal_ = nullptr;
    std::filesystem::remove(path());
  }
}

TEST_F(JournalTest, OfMoreThanItKeepsTheOldestStay) {
  options_.most = 3;
  Open();
  for (const int64_t host : {1, 2, 3, 4, 5}) journal_->Add(Use(host));
  EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(1), Use(2), Use(3)));
  EXPECT_THAT(TroubleOf(Journal::Trouble::kFull), HasSubstr("the journal is full: 3 "));
  // What the server has makes room.
  journal_->NoteReported({Use(2)});
  journal_->Add(Use(6));
  EXPECT_THAT(journal_->Kept(), ElementsAre(Use(1).used, Use(3).used, Use(6).used));
  Open();
  journal_->Add(Use(7));
  EXPECT_THAT(journal_->Pending(10), SizeIs(3));
  journal_->NoteReported(journal_->Pending(10));
  journal_->Forget([](const UsedNextBoot&) { return false; });
  EXPECT_THAT(TroubleOf(Journal::Trouble::kFull), IsEmpty());
}

TEST_F(JournalTest, AFileThatIsMostlyForgottenIsWrittenAnew) {
  options_.most_stale_lines = 10;
  Open();
  std::vector<JournalUse> uses;
  for (int64_t host = 1; host <= 100; ++host) uses.push_back(Use(host));
  for (const JournalUse& use : uses) journal_->Add(use);
  journal_->Add(Use(1000));
  journal_->NoteReported(uses);
  journal_->Forget([](const UsedNextBoot&) { return false; });
  AwaitLines(2);
  EXPECT_EQ(Read(path()), absl::StrCat(kJournalHeader, FormatJournalLine(Use(1000))));
  journal_->Add(Use(1001));
  Open();
  EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(1000), Use(1001)));
}

TEST_F(JournalTest, WhatIsAddedWhileTheFileIsWrittenAnewIsKept) {
  options_.most_stale_lines = 0;
  Open();
  constexpr int64_t kCount = 300;
  for (int64_t host = 1; host <= kCount; ++host) {
    journal_->Add(Use(host));
    if (host % 3 != 0) continue;
    journal_->NoteReported({Use(host - 1)});
    journal_->Forget([](const UsedNextBoot&) { return false; });
  }
  Open();
  std::vector<JournalUse> expected;
  for (int64_t host = 1; host <= kCount; ++host) {
    if (host % 3 != 2) expected.push_back(Use(host));
  }
  EXPECT_EQ(journal_->Pending(1'000), expected);
}

TEST_F(JournalTest, WhatCannotBeWrittenIsKeptInMemoryAndWrittenLater) {
  // Even root can make no file here.
  std::filesystem::create_directories(folder_ + "/journal.new/in-the-way");
  Open();
  EXPECT_THAT(TroubleOf(Journal::Trouble::kNotWritten), HasSubstr("journal.new"));
  journal_->Add(Use(1));
  EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(1)));
  EXPECT_FALSE(std::filesystem::exists(path()));

  std::filesystem::remove_all(folder_ + "/journal.new");
  while (!TroubleOf(Journal::Trouble::kNotWritten).empty()) std::this_thread::yield();
  journal_->Add(Use(2));
  Open();
  EXPECT_THAT(journal_->Pending(10), ElementsAre(Use(1), Use(2)));
}

TEST_F(JournalTest, ThreadsBesideEachOtherLoseNothing) {
  options_.most_stale_lines = 5;
  Open();
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (int64_t n = 1; n <= 50; ++n) {
        const JournalUse use = Use(i * 1000 + n);
        journal_->Add(use);
        if (n % 2 == 0) journal_->NoteReported({use});
        if (n % 10 == 0) journal_->Forget([](const UsedNextBoot&) { return false; });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(journal_->Pending(1000), SizeIs(100));
  Open();
  EXPECT_THAT(journal_->Pending(1000), SizeIs(100));
}

TEST_F(JournalTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_THAT(Journal::Open(folder_ + "/none", Journal::Options()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(folder_ + "/none")));
}

}  // namespace
}  // namespace autopxe::agent
