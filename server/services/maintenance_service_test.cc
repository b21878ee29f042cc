#include "server/services/maintenance_service.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "common/digest/sha256.h"
#include "common/runtime/captured_log.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/loopback_server.h"
#include "server/store/store.h"
#include "server/store/writer.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A file of some MiB, which is a backup once it has been copied.
class MaintenanceServiceTest : public ::testing::Test {
 protected:
  MaintenanceServiceTest() {
    std::string pattern = testing::TempDir() + "/maintenance_test.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    source_ = folder_ + "/source.db";
    copy_ = folder_ + "/copy.db";
    std::filesystem::copy_file(*made_, source_);
  }

  // The file is made once for all tests, as ten thousand hosts take their time.
  static void SetUpTestSuite() {
    std::string pattern = testing::TempDir() + "/maintenance_test.XXXXXX";
    made_ = new std::string(std::string(mkdtemp(pattern.data())) + "/made.db");
    auto store = Store::Open(*made_, absl::UnixEpoch());
    ASSERT_THAT(store, IsOk());
    Writer writer(
        store->get(), [] { return absl::UnixEpoch(); }, [](auto, auto) {},
        [](const absl::Status&) {}, {});
    WriteRequest request;
    for (int i = 0; i < 10'000; ++i) {
      request.batch.mutations.push_back(Assign{.host = MacAddress::FromNumber(0x525400000000 + i),
                                               .distro = Distro::Wait(),
                                               .allow_missing = false});
    }
    writer.Apply(std::move(request), [](const WriteOutcome& outcome) {
      EXPECT_TRUE(std::holds_alternative<WriteResult>(outcome));
    });
    writer.WaitUntilIdle();
  }

  static void TearDownTestSuite() {
    std::filesystem::remove_all(std::filesystem::path(*made_).parent_path());
    delete made_;
    made_ = nullptr;
  }

  absl::StatusOr<std::unique_ptr<BackupFile>> BackUp() {
    if (gate_ != nullptr) {
      asked_.Notify();
      gate_->WaitForNotification();
    }
    if (!failure_.ok()) return failure_;
    std::filesystem::copy_file(source_, copy_);
    return BackupFile::Open(copy_);
  }

  void Start() {
    service_ = std::make_unique<MaintenanceService>(
        [this] { return BackUp(); }, clock_,
        MaintenanceService::Options{.stalled_after = absl::Seconds(60),
                                    .tick = absl::Milliseconds(1)});
    server_ = std::make_unique<LoopbackServer>(std::vector<grpc::Service*>{service_.get()});
    stub_ = v1::MaintenanceService::NewStub(server_->ConnectWithSmallWindow());
  }

  ~MaintenanceServiceTest() override {
    if (server_ != nullptr) server_->Shutdown();
    std::filesystem::remove_all(folder_);
  }

  // A call with its answer as far as it was read.
  struct Call {
    explicit Call(v1::MaintenanceService::Stub& stub)
        : reader(stub.Backup(&context, v1::BackupRequest())) {}

    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::BackupResponse>> reader;
    v1::BackupResponse response;
  };

  // Until the service takes one again: the end of a call is known here before it is there.
  grpc::Status FinishOf(const std::function<grpc::Status()>& call) {
    while (true) {
      const grpc::Status status = call();
      if (!absl::StrContains(status.error_message(), "under way already")) return status;
    }
  }

  static inline const std::string* made_ = nullptr;
  std::string folder_;
  std::string source_;
  std::string copy_;
  FakeClock clock_;
  absl::Status failure_;
  absl::Notification asked_;
  std::unique_ptr<absl::Notification> gate_;
  std::unique_ptr<MaintenanceService> service_;
  std::unique_ptr<LoopbackServer> server_;
  std::unique_ptr<v1::MaintenanceService::Stub> stub_;
};

TEST_F(MaintenanceServiceTest, TheFileComesInPiecesBetweenABeginAndAnEnd) {
  Start();
  Call call(*stub_);
  ASSERT_TRUE(call.reader->Read(&call.response));
  ASSERT_TRUE(call.response.has_begin());
  const auto size = static_cast<size_t>(call.response.begin().size());
  EXPECT_EQ(size, std::filesystem::file_size(source_));
  // The file is gone from its folder, and yet it comes.
  EXPECT_FALSE(std::filesystem::exists(copy_));
  std::string bytes;
  int chunks = 0;
  while (call.reader->Read(&call.response) && !call.response.chunk().empty()) {
    ++chunks;
    EXPECT_LE(call.response.chunk().size(), 256u << 10);
    bytes += call.response.chunk();
  }
  EXPECT_GE(chunks, 4);
  ASSERT_TRUE(call.response.has_end());
  std::ifstream source(source_, std::ios::binary);
  EXPECT_TRUE(bytes == std::string(std::istreambuf_iterator<char>(source), {}));
  Sha256 sha256;
  sha256.Add(bytes);
  EXPECT_EQ(call.response.end().sha256(), sha256.Finish());
  EXPECT_FALSE(call.reader->Read(&call.response));
  EXPECT_TRUE(call.reader->Finish().ok());
}

TEST_F(MaintenanceServiceTest, OneIsUnderWayAtATimeUntilItsCallerIsGone) {
  Start();
  Call first(*stub_);
  ASSERT_TRUE(first.reader->Read(&first.response));
  Call second(*stub_);
  EXPECT_FALSE(second.reader->Read(&second.response));
  const grpc::Status refused = second.reader->Finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("under way already"));
  first.context.TryCancel();
  while (first.reader->Read(&first.response)) {
  }
  EXPECT_EQ(first.reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(FinishOf([this] {
                Call next(*stub_);
                while (next.reader->Read(&next.response)) {
                }
                return next.reader->Finish();
              }).ok());
}

TEST_F(MaintenanceServiceTest, AReaderThatStopsReadingLosesItsPlace) {
  const CapturedLog log;
  Start();
  Call stopped(*stub_);
  ASSERT_TRUE(stopped.reader->Read(&stopped.response));
  EXPECT_TRUE(FinishOf([this] {
                clock_.Advance(absl::Seconds(60));
                Call next(*stub_);
                while (next.reader->Read(&next.response)) {
                }
                return next.reader->Finish();
              }).ok());
  while (stopped.reader->Read(&stopped.response)) EXPECT_FALSE(stopped.response.has_end());
  EXPECT_EQ(stopped.reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_THAT(
      log.Lines(),
      Contains(AllOf(StartsWith("warning event=backup "), HasSubstr(" result=CANCELLED "),
                     HasSubstr("the caller has read nothing for"), HasSubstr(" duration_ms="))));
}

TEST_F(MaintenanceServiceTest, AReaderThatIsSlowKeepsItsPlace) {
  Start();
  Call slow(*stub_);
  const absl::Duration start = clock_.Monotonic();
  // Less than the limit for each message, and more for all of them.
  while (slow.reader->Read(&slow.response)) clock_.Advance(absl::Seconds(15));
  EXPECT_GT(clock_.Monotonic() - start, absl::Seconds(60));
  EXPECT_TRUE(slow.response.has_end());
  EXPECT_TRUE(slow.reader->Finish().ok());
}

TEST_F(MaintenanceServiceTest, ACallerThatGoesBeforeItIsMadeHarmsNobody) {
  gate_ = std::make_unique<absl::Notification>();
  Start();
  {
    Call call(*stub_);
    asked_.WaitForNotification();
    call.context.TryCancel();
    EXPECT_FALSE(call.reader->Read(&call.response));
    EXPECT_EQ(call.reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  gate_->Notify();
  server_->Shutdown();
  service_ = nullptr;
}

TEST_F(MaintenanceServiceTest, WhatKeepsABackupFromBeingMadeIsTold) {
  failure_ = absl::ResourceExhaustedError("no room");
  Start();
  Call call(*stub_);
  EXPECT_FALSE(call.reader->Read(&call.response));
  const grpc::Status status = call.reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "no room");
}

TEST_F(MaintenanceServiceTest, ADamagedCopyIsNotSent) {
  std::filesystem::resize_file(source_, 8192);
  Start();
  Call call(*stub_);
  EXPECT_FALSE(call.reader->Read(&call.response));
  EXPECT_EQ(call.reader->Finish().error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_FALSE(std::filesystem::exists(copy_));
}

TEST_F(MaintenanceServiceTest, StoppingEndsTheOneThatIsUnderWay) {
  Start();
  Call call(*stub_);
  ASSERT_TRUE(call.reader->Read(&call.response));
  service_->Stop();
  while (call.reader->Read(&call.response)) EXPECT_FALSE(call.response.has_end());
  EXPECT_EQ(call.reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  Call late(*stub_);
  EXPECT_FALSE(late.reader->Read(&late.response));
  EXPECT_EQ(late.reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace autopxe::server
