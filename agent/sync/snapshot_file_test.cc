#include "agent/sync/snapshot_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const Snapshot> SnapshotAt(int64_t number, int hosts = 3) {
  Revision revision;
  revision.id = {number, 0x1234567890abcdef};
  revision.time = absl::FromUnixSeconds(1'700'000'000 + number);
  revision.user = "root@admin";
  Settings settings;
  settings.default_distro = *Distro::Parse("debian/stable/latest/overlayfs");
  settings.variables.emplace(*VariableName::Parse("nfs-server"),
                             *VariableValue::Parse("172.25.2.11"));
  std::vector<std::shared_ptr<const Host>> all;
  for (int i = 1; i <= hosts; ++i) {
    Host host{.id = HostId{i},
              .name = *HostName::Parse(absl::StrCat("host", i)),
              .macs = {MacAddress::FromNumber(0x525400000000 + i)},
              .distro = Distro::Local(),
              .etag = number};
    all.push_back(std::make_shared<const Host>(std::move(host)));
  }
  return *Snapshot::Create(
      revision, settings,
      {Profile{*ProfileName::Parse("overlayfs"), *CommandLineTemplate::Parse("root=${rootfs-path}"),
               1}},
      all,
      {AgentSettings{*AgentId::Parse("rack1"), *Distro::Parse("wait"), settings.variables,
                     *RootfsPathPrefix::Parse("/export"), 1}});
}

absl::Time SavedAt() { return absl::FromUnixSeconds(1'750'000'000); }

std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void Spill(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

int ModeOf(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : -1;
}

class SnapshotFileTest : public testing::Test {
 protected:
  SnapshotFileTest() {
    std::string folder = absl::StrCat(testing::TempDir(), "/stateXXXXXX");
    folder_ = mkdtemp(folder.data());
  }
  ~SnapshotFileTest() override {
    for (const char* name :
         {"", ".previous", ".damaged", ".damaged.2", ".damaged.3", ".damaged.4", ".new"}) {
      unlink(Path(name).c_str());
    }
    unlink(absl::StrCat(folder_, "/lock").c_str());
    rmdir(folder_.c_str());
  }

  std::string Path(const std::string& suffix = "") const {
    return absl::StrCat(folder_, "/configuration.snapshot", suffix);
  }

  std::unique_ptr<SnapshotFile> OpenFile() {
    auto file = SnapshotFile::Open(folder_);
    EXPECT_THAT(file, IsOk());
    return *std::move(file);
  }

  Problems problems_;
  std::string folder_;
};

TEST_F(SnapshotFileTest, WhatWasSavedIsLoaded) {
  ASSERT_THAT(OpenFile()->Save({SnapshotAt(7, 1203), SavedAt()}), IsOk());
  const absl::StatusOr<StoredSnapshot> stored = OpenFile()->Load(problems_);
  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ(stored->saved_at, SavedAt());
  const Snapshot& snapshot = *stored->snapshot;
  EXPECT_EQ(snapshot.revision(), SnapshotAt(7)->revision());
  EXPECT_EQ(snapshot.settings(), SnapshotAt(7)->settings());
  EXPECT_EQ(snapshot.agent_settings(), SnapshotAt(7)->agent_settings());
  EXPECT_EQ(snapshot.profiles(), SnapshotAt(7)->profiles());
  ASSERT_EQ(snapshot.host_count(), 1203u);
  EXPECT_EQ(*snapshot.FindHost(HostId{1203}), *SnapshotAt(7, 1203)->FindHost(HostId{1203}));
  EXPECT_THAT(problems_.Current(), testing::IsEmpty());
}

TEST_F(SnapshotFileTest, AnEmptyConfigurationIsOneToo) {
  ASSERT_THAT(OpenFile()->Save({Snapshot::Empty(Revision()), SavedAt()}), IsOk());
  EXPECT_EQ((*OpenFile()->Load(problems_)).snapshot->revision().id.number, 0);
}

TEST_F(SnapshotFileTest, AFolderThatWasNeverUsedHasNone) {
  EXPECT_THAT(OpenFile()->Load(problems_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(folder_)));
}

TEST_F(SnapshotFileTest, AFileTornAtAnyLengthGivesThePreviousOne) {  // faults.md, case 43.
  auto file = OpenFile();
  ASSERT_THAT(file->Save({SnapshotAt(1), SavedAt()}), IsOk());
  ASSERT_THAT(file->Save({SnapshotAt(2), SavedAt()}), IsOk());
  const std::string previous = Slurp(Path(".previous"));
  const std::string newest = Slurp(Path());
  for (size_t length = 0; length < newest.size(); ++length) {
    Spill(Path(".previous"), previous);
    Spill(Path(), newest.substr(0, length));
    const absl::StatusOr<StoredSnapshot> stored = file->Load(problems_);
    ASSERT_THAT(stored, IsOk()) << length;
    EXPECT_EQ(stored->snapshot->revision().id.number, 1) << length;
    EXPECT_EQ(Slurp(Path(".damaged")).size(), length);
    EXPECT_EQ(ModeOf(Path()), -1) << "set aside";
    unlink(Path(".damaged").c_str());
  }
  EXPECT_THAT(problems_.Current(),
              testing::ElementsAre(testing::StartsWith(absl::StrCat(
                  "at the start ", Path(), " could not be used and was set aside: "))));
}

TEST_F(SnapshotFileTest, AnyFlippedBitIsNoticed) {
  const std::string good = EncodeSnapshot({SnapshotAt(2), SavedAt()});
  ASSERT_THAT(DecodeSnapshot(good), IsOk());
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    ASSERT_THAT(DecodeSnapshot(bad), StatusIs(absl::StatusCode::kDataLoss)) << bit;
  }
  EXPECT_THAT(DecodeSnapshot(good + "x"), StatusIs(absl::StatusCode::kDataLoss));
}

// What several threads decode, which begin before the checksum is known.
TEST_F(SnapshotFileTest, AllHostsOfManyPartsAreLoadedAndNoneOfADamagedFile) {
  constexpr int kHosts = 15'007;
  const std::shared_ptr<const Snapshot> saved = SnapshotAt(7, kHosts);
  const std::string good = EncodeSnapshot({saved, SavedAt()});
  const absl::StatusOr<StoredSnapshot> stored = DecodeSnapshot(good);
  ASSERT_THAT(stored, IsOk());
  ASSERT_EQ(stored->snapshot->host_count(), static_cast<size_t>(kHosts));
  saved->ForEachHost([&](const std::shared_ptr<const Host>& host) {
    const std::shared_ptr<const Host> found = stored->snapshot->FindHost(host->id);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found, *host);
    EXPECT_EQ(stored->snapshot->FindHost(host->name), found);
    EXPECT_EQ(stored->snapshot->FindHost(host->macs[0]), found);
  });
  for (const double where : {0.1, 0.5, 0.9}) {
    std::string bad = good;
    char& byte = bad[static_cast<size_t>(where * static_cast<double>(bad.size()))];
    byte = static_cast<char>(byte ^ 1);
    EXPECT_THAT(DecodeSnapshot(bad),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("its checksum is wrong")));
  }
}

TEST_F(SnapshotFileTest, AFileWhoseEndIsZerosIsDamaged) {  // What a power cut leaves of one.
  std::string bytes = EncodeSnapshot({SnapshotAt(2), SavedAt()});
  std::fill(bytes.begin() + 40, bytes.end(), '\0');
  EXPECT_THAT(DecodeSnapshot(bytes),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("its checksum is wrong")));
}

TEST_F(SnapshotFileTest, BothFilesDamagedIsLikeNone) {
  auto file = OpenFile();
  Spill(Path(), "garbage");
  Spill(Path(".previous"), "");
  EXPECT_THAT(file->Load(problems_), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Slurp(Path(".damaged")), "garbage");
  EXPECT_EQ(Slurp(Path(".damaged.2")), "");
}

TEST_F(SnapshotFileTest, TheFirstDamagedFilesAreKeptAndTheNewestOne) {
  auto file = OpenFile();
  for (int i = 1; i <= 9; ++i) {
    Spill(Path(), absl::StrCat("garbage ", i));
    EXPECT_THAT(file->Load(problems_), StatusIs(absl::StatusCode::kNotFound));
  }
  EXPECT_EQ(Slurp(Path(".damaged")), "garbage 1");
  EXPECT_EQ(Slurp(Path(".damaged.2")), "garbage 2");
  EXPECT_EQ(Slurp(Path(".damaged.3")), "garbage 3");
  EXPECT_EQ(Slurp(Path(".damaged.4")), "garbage 9");
  EXPECT_EQ(ModeOf(Path(".damaged.5")), -1);
}

TEST_F(SnapshotFileTest, DyingBetweenTheRenamesLeavesThePreviousOne) {
  auto file = OpenFile();
  ASSERT_THAT(file->Save({SnapshotAt(1), SavedAt()}), IsOk());
  ASSERT_EQ(rename(Path().c_str(), Path(".previous").c_str()), 0);
  Spill(Path(".new"), "half of a snapsh");
  EXPECT_EQ((*file->Load(problems_)).snapshot->revision().id.number, 1);
  // And what lies about does not keep the next one from being saved.
  ASSERT_THAT(file->Save({SnapshotAt(2), SavedAt()}), IsOk());
  EXPECT_EQ((*file->Load(problems_)).snapshot->revision().id.number, 2);
}

TEST_F(SnapshotFileTest, ADamagedNewestNeverBecomesThePreviousOne) {
  auto file = OpenFile();
  ASSERT_THAT(file->Save({SnapshotAt(1), SavedAt()}), IsOk());
  ASSERT_THAT(file->Save({SnapshotAt(2), SavedAt()}), IsOk());
  Spill(Path(), "garbage");
  ASSERT_THAT(file->Load(problems_), IsOk());
  ASSERT_THAT(file->Save({SnapshotAt(3), SavedAt()}), IsOk());
  Spill(Path(), "garbage again");
  EXPECT_EQ((*file->Load(problems_)).snapshot->revision().id.number, 1);
}

TEST_F(SnapshotFileTest, NobodyElseCanReadTheFiles) {  // faults.md, case 48.
  const mode_t before = umask(0);
  auto file = OpenFile();
  ASSERT_THAT(file->Save({SnapshotAt(1), SavedAt()}), IsOk());
  // A left-over with an open mode does not hand its mode on.
  Spill(Path(".new"), "");
  chmod(Path(".new").c_str(), 0666);
  ASSERT_THAT(file->Save({SnapshotAt(2), SavedAt()}), IsOk());
  umask(before);
  EXPECT_EQ(ModeOf(Path()), 0600);
  EXPECT_EQ(ModeOf(Path(".previous")), 0600);
  EXPECT_EQ(ModeOf(absl::StrCat(folder_, "/lock")), 0600);
}

TEST_F(SnapshotFileTest, TheFolderIsMadeForItsOwnerOnly) {
  const std::string folder = absl::StrCat(folder_, "/new");
  ASSERT_THAT(SnapshotFile::Open(folder), IsOk());
  EXPECT_EQ(ModeOf(folder), 0700);
  unlink(absl::StrCat(folder, "/lock").c_str());
  rmdir(folder.c_str());
}

TEST_F(SnapshotFileTest, TwoAgentsNeverShareAFolder) {
  auto file = OpenFile();
  EXPECT_THAT(SnapshotFile::Open(folder_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another agent uses")));
  file.reset();
  EXPECT_THAT(SnapshotFile::Open(folder_), IsOk());
}

TEST_F(SnapshotFileTest, AFolderThatCannotBeUsedIsNamed) {
  EXPECT_THAT(SnapshotFile::Open(absl::StrCat(folder_, "/no/such")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such")));
  Spill(Path(), "a file");
  EXPECT_THAT(std::string(SnapshotFile::Open(Path()).status().message()), HasSubstr(Path()));
}

TEST_F(SnapshotFileTest, ASaveThatFailsKeepsWhatIsThere) {
  auto file = OpenFile();
  ASSERT_THAT(file->Save({SnapshotAt(1), SavedAt()}), IsOk());
  ASSERT_EQ(mkdir(Path(".new").c_str(), 0700), 0);  // Can't be unlinked, even by root.
  const absl::Status status = file->Save({SnapshotAt(2), SavedAt()});
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path(".new")));
  EXPECT_FALSE(status.ok());
  rmdir(Path(".new").c_str());
  EXPECT_EQ((*file->Load(problems_)).snapshot->revision().id.number, 1);
}

}  // namespace
}  // namespace autopxe::agent
