#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/status/grpc_status.h"
#include "common/status/status_matchers.h"
#include "common/wire/catalog_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/agent_service_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(AgentServiceTest, AStatusIsListedAndWrittenDown) {
  ASSERT_TRUE(Report("east", 0, 0).ok());
  Revise(1);
  ASSERT_TRUE(Report("east", 1, 0x1001).ok());
  const auto agents = List();
  ASSERT_EQ(agents.agents_size(), 1);
  EXPECT_EQ(agents.agents(0).status().applied().number(), 1);
  EXPECT_EQ(agents.agents(0).status().version(), "0.1.0");
  EXPECT_FALSE(agents.agents(0).connected());
  EXPECT_EQ(agents.agents(0).last_seen().seconds(), absl::ToUnixSeconds(clock_.Now()));
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(saved_, ElementsAre("east at 0", "east at 1"));
}

TEST_F(AgentServiceTest, AMalformedReportIsRefusedAndSavesNothing) {
  EXPECT_EQ(Report("", 0, 0).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Report("east", -1, 0).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Report("east", 0, 0, "").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::ReportCatalogRequest request;
  request.set_agent_id("east");
  request.mutable_catalog()->add_distros()->set_name("../etc");
  grpc::ClientContext context;
  v1::ReportCatalogResponse response;
  const grpc::Status status = stub_->ReportCatalog(&context, request, &response);
  EXPECT_THAT(ToAbslStatus(status),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("../etc")));
  EXPECT_THAT(List().agents(), IsEmpty());
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(saved_, IsEmpty());
  EXPECT_TRUE(catalogs_->empty());
}

TEST_F(AgentServiceTest, ACatalogOfAMalformedInstanceIsRefused) {
  v1::ReportCatalogRequest request;
  request.set_agent_id("east");
  request.set_instance("no instance");
  grpc::ClientContext context;
  v1::ReportCatalogResponse response;
  EXPECT_THAT(ToAbslStatus(stub_->ReportCatalog(&context, request, &response)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("instance")));
  EXPECT_THAT(List().agents(), IsEmpty());
  absl::MutexLock lock(&mutex_);
  EXPECT_TRUE(catalogs_->empty());
}

TEST_F(AgentServiceTest, AnotherInstanceThanTheOneThatToldTheCatalogIsAskedForIts) {
  const auto report_catalog = [&](const std::string& instance) {
    v1::ReportCatalogRequest request;
    request.set_agent_id("east");
    request.set_instance(instance);
    grpc::ClientContext context;
    v1::ReportCatalogResponse response;
    EXPECT_TRUE(stub_->ReportCatalog(&context, request, &response).ok());
  };
  v1::ReportStatusResponse response;
  ASSERT_TRUE(Report("east", 0, 0, "one", &response).ok());
  EXPECT_TRUE(response.catalog_wanted());
  report_catalog("one");
  ASSERT_TRUE(Report("east", 0, 0, "one", &response).ok());
  EXPECT_FALSE(response.catalog_wanted());
  {
    Watcher two(server_.Connect(), "east", absl::nullopt, "two");
    EXPECT_EQ(two.Next(), "snapshot 0");
    report_catalog("two");
    ASSERT_TRUE(Report("east", 0, 0, "one", &response).ok());
    EXPECT_FALSE(response.catalog_wanted());
  }
  while (List().agents(0).connected()) {
  }
  ASSERT_TRUE(Report("east", 0, 0, "one", &response).ok());
  EXPECT_TRUE(response.catalog_wanted());
  report_catalog("");  // As an agent of an earlier version does.
  ASSERT_TRUE(Report("east", 0, 0, "one", &response).ok());
  EXPECT_TRUE(response.catalog_wanted());
}

TEST_F(AgentServiceTest, ACatalogIsSavedAndItsKernelsAreCounted) {
  Catalog catalog;
  catalog.distros = {{"debian",
                      {{"bookworm",
                        "",
                        {{"latest", "6", "boot/vmlinuz-6", "boot/initrd.img-6"},
                         {"6", "6", "boot/vmlinuz-6", "boot/initrd.img-6"}}}}}};
  v1::ReportCatalogRequest request;
  request.set_agent_id("east");
  *request.mutable_catalog() = ToProto(catalog);
  grpc::ClientContext context;
  v1::ReportCatalogResponse response;
  ASSERT_TRUE(stub_->ReportCatalog(&context, request, &response).ok());
  const auto agents = List();
  ASSERT_EQ(agents.agents_size(), 1);
  EXPECT_EQ(agents.agents(0).kernels(), 2);
  absl::MutexLock lock(&mutex_);
  ASSERT_EQ(catalogs_->size(), 1u);
  EXPECT_EQ(*catalogs_->begin()->second, catalog);
}

TEST_F(AgentServiceTest, ANameThatStandsForAnotherKernelIsSavedWithTheHostsItAffects) {
  WriteRequest write;
  for (const uint64_t mac : {0x525400000001, 0x525400000002}) {
    write.batch.mutations.push_back(autopxe::Assign{MacAddress::FromNumber(mac),
                                                    *Distro::Parse("debian/bookworm/latest/nfs"),
                                                    /*allow_missing=*/true});
  }
  writer_.Apply(std::move(write), MustSucceed);
  const auto report = [&](const std::string& version) {
    Catalog catalog;
    catalog.distros = {{"debian",
                        {{"bookworm",
                          "",
                          {{.name = "latest",
                            .version = version,
                            .kernel_path = "boot/vmlinuz-" + version,
                            .initrd_path = "boot/initrd.img-" + version}}}}}};
    v1::ReportCatalogRequest request;
    request.set_agent_id("east");
    *request.mutable_catalog() = ToProto(catalog);
    grpc::ClientContext context;
    v1::ReportCatalogResponse response;
    ASSERT_TRUE(stub_->ReportCatalog(&context, request, &response).ok());
  };
  report("6.1.0-25");
  report("6.1.0-25");
  report("6.1.0-28");
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(saved_, ElementsAre("debian/bookworm/latest 6.1.0-25 to 6.1.0-28: 2"));
}

TEST_F(AgentServiceTest, AnAgentThatIsGoneCanBeDeletedOneThatIsConnectedCanNot) {
  EXPECT_EQ(Delete("no/id").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Delete("east").error_code(), grpc::StatusCode::NOT_FOUND);
  {
    Watcher watcher(server_.Connect(), "east");
    EXPECT_EQ(watcher.Next(), "snapshot 0");
    EXPECT_EQ(Delete("east").error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(List().agents_size(), 1);
  }
  while (List().agents(0).connected()) {
  }
  EXPECT_TRUE(Delete("east").ok());
  EXPECT_EQ(List().agents_size(), 0);
  // One that reports again is there again; what fails is told.
  ASSERT_TRUE(Report("east", 0, 0).ok());
  EXPECT_EQ(List().agents_size(), 1);
  {
    absl::MutexLock lock(&mutex_);
    forgotten_ = absl::UnavailableError("disk");
  }
  EXPECT_EQ(Delete("east").error_code(), grpc::StatusCode::UNAVAILABLE);
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(saved_, ElementsAre("east last seen", "east deleted", "east at 0", "east deleted"));
}

TEST_F(AgentServiceTest, AReportThatMeetsADeletionComesAfterItAsAWhole) {
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(Report("east", 0, 0).ok());
    std::atomic<bool> has_reported = false;
    std::thread reporter;
    {
      absl::MutexLock lock(&mutex_);
      on_forget_ = [&] {
        reporter = std::thread([&] {
          EXPECT_TRUE(Report("east", 0, 0).ok());
          has_reported = true;
        });
        // Time enough for a report that does not wait for the deletion.
        for (int i = 0; i < 10'000 && !has_reported; ++i) std::this_thread::yield();
      };
    }
    ASSERT_TRUE(Delete("east").ok());
    reporter.join();
    EXPECT_THAT(registry_.List("", 9), SizeIs(1));
    absl::MutexLock lock(&mutex_);
    EXPECT_EQ(saved_.back(), "east at 0") << "it is listed, so it is on disk";
  }
}

TEST_F(AgentServiceTest, WhenAnAgentWasLastSeenIsWrittenDownWhenItsWatchEnds) {
  {
    Watcher watcher(server_.Connect(), "east");
    EXPECT_EQ(watcher.Next(), "snapshot 0");
    absl::MutexLock lock(&mutex_);
    EXPECT_THAT(saved_, IsEmpty());
  }
  while (hub_.watches() > 0) std::this_thread::yield();
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(saved_, ElementsAre("east last seen"));
}

}  // namespace
}  // namespace autopxe::server
