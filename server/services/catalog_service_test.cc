#include "server/services/catalog_service.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/model/catalog.h"
#include "common/model/command_line_template.h"
#include "common/status/grpc_status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/loopback_server.h"
#include "server/services/memory_writer.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<const Catalog> WithReleases(int count) {
  Catalog catalog;
  catalog.distros.push_back({"debian", {}});
  for (int i = 0; i < count; ++i) {
    catalog.distros[0].releases.push_back({absl::StrCat("r", 1000 + i),
                                           "",
                                           {{.name = "latest",
                                             .version = "6.1.0-9",
                                             .kernel_path = "boot/vmlinuz-6.1.0-9",
                                             .initrd_path = "boot/initrd.img-6.1.0-9",
                                             .architecture = Architecture::kX86_64,
                                             .kernel_size = 8'000'000,
                                             .initrd_size = 5'000'000'000}}});
  }
  return std::make_shared<const Catalog>(std::move(catalog));
}

class CatalogServiceTest : public ::testing::Test {
 protected:
  CatalogServiceTest() {
    WriteRequest request;
    request.batch.mutations.push_back(
        SetProfile{*ProfileName::Parse("nfs"), *CommandLineTemplate::Parse("ro")});
    writer_.Apply(std::move(request), [](const WriteOutcome& outcome) {
      ASSERT_TRUE(std::holds_alternative<WriteResult>(outcome));
    });
  }

  void Declare(DeclaredDistro distro) {
    WriteRequest request;
    request.batch.mutations.push_back(DeclareDistro{std::move(distro)});
    writer_.Apply(std::move(request), [](const WriteOutcome& outcome) {
      ASSERT_TRUE(std::holds_alternative<WriteResult>(outcome));
    });
  }

  void Offer(Catalogs catalogs) {
    catalogs_ = std::make_shared<const Catalogs>(std::move(catalogs));
  }

  grpc::Status List(int32_t size, const std::string& token, v1::ListDistrosResponse* response) {
    grpc::ClientContext context;
    v1::ListDistrosRequest request;
    request.set_page_size(size);
    request.set_page_token(token);
    return stub_->ListDistros(&context, request, response);
  }

  FakeClock clock_;
  MemoryWriter writer_;
  std::shared_ptr<const Catalogs> catalogs_ = std::make_shared<const Catalogs>();
  std::shared_ptr<const RecordedMoves> moves_ = std::make_shared<const RecordedMoves>();
  CatalogService service_{[this] { return catalogs_; }, [this] { return moves_; }, writer_.feed(),
                          clock_};
  LoopbackServer server_{{&service_}};
  std::unique_ptr<v1::CatalogService::Stub> stub_{v1::CatalogService::NewStub(server_.Connect())};
};

TEST_F(CatalogServiceTest, WithoutAgentsThereAreTheBuiltInDistros) {
  v1::ListDistrosResponse response;
  ASSERT_TRUE(List(0, "", &response).ok());
  ASSERT_EQ(response.distros_size(), 4);
  EXPECT_EQ(response.distros(0).name(), "local");
  EXPECT_EQ(response.distros(0).agents_size(), 0);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(CatalogServiceTest, AnAgentsNewCatalogIsListedAtOnce) {
  Offer({{*AgentId::Parse("east"), WithReleases(1)}});
  v1::ListDistrosResponse response;
  ASSERT_TRUE(List(0, "", &response).ok());
  ASSERT_EQ(response.distros_size(), 5);
  EXPECT_EQ(response.distros(0).name(), "debian/r1000/latest/nfs");
  EXPECT_THAT(response.distros(0).kernel_versions(), ElementsAre("6.1.0-9"));
  EXPECT_THAT(response.distros(0).agents(), ElementsAre("east"));
  ASSERT_EQ(response.distros(0).offers_size(), 1);
  const v1::DistroOffer& offer = response.distros(0).offers(0);
  EXPECT_EQ(offer.agent(), "east");
  EXPECT_EQ(offer.kernel_version(), "6.1.0-9");
  EXPECT_EQ(offer.architecture(), "x86_64");
  EXPECT_EQ(offer.kernel_size(), 8'000'000);
  EXPECT_EQ(offer.initrd_size(), 5'000'000'000);
  Offer({{*AgentId::Parse("east"), WithReleases(2)}, {*AgentId::Parse("west"), WithReleases(1)}});
  ASSERT_TRUE(List(0, "", &response).ok());
  ASSERT_EQ(response.distros_size(), 6);
  EXPECT_THAT(response.distros(0).agents(), ElementsAre("east", "west"));
}

TEST_F(CatalogServiceTest, ADeclaredDistroIsListedWithTheAgentsThatHaveAllItsFiles) {
  Declare({*DistroName::Parse("installer"),
           DeclaredKernel{*BootFile::Parse("installer/linux"),
                          {*BootFile::Parse("installer/initrd"), *BootFile::Parse("http://x/")},
                          *CommandLineTemplate::Parse("")}});
  Declare({*DistroName::Parse("netboot"), DeclaredChain{*BootFile::Parse("http://x/")}});
  Catalog whole = *WithReleases(1);
  whole.files = {{"installer/initrd", 1}, {"installer/linux", 1}};
  Catalog half;
  half.files = {{"installer/linux", 1}};
  Offer({{*AgentId::Parse("east"), std::make_shared<const Catalog>(whole)},
         {*AgentId::Parse("west"), std::make_shared<const Catalog>(half)}});
  v1::ListDistrosResponse response;
  ASSERT_TRUE(List(0, "", &response).ok());
  ASSERT_EQ(response.distros_size(), 7);
  EXPECT_FALSE(response.distros(0).declared());
  EXPECT_EQ(response.distros(1).name(), "installer");
  EXPECT_TRUE(response.distros(1).declared());
  EXPECT_THAT(response.distros(1).agents(), ElementsAre("east"));
  EXPECT_EQ(response.distros(1).offers_size(), 0);
  EXPECT_EQ(response.distros(2).name(), "netboot");
  EXPECT_THAT(response.distros(2).agents(), ElementsAre("east", "west"));
  EXPECT_EQ(response.distros(3).name(), "local");
  EXPECT_FALSE(response.distros(3).declared());
}

TEST_F(CatalogServiceTest, MovesAreListedFromTheNewestInPages) {
  RecordedMoves moves;
  for (int64_t id = 3; id <= 9; ++id) {
    moves.push_back({.id = id,
                     .time = absl::FromUnixSeconds(1'000 + id),
                     .agent = *AgentId::Parse("east"),
                     .counted = {{"debian", "bookworm", "latest", "25", absl::StrCat(id)}, 212}});
  }
  moves_ = std::make_shared<const RecordedMoves>(std::move(moves));
  v1::ListKernelMovesRequest request;
  request.set_page_size(3);
  std::vector<std::string> listed;
  do {
    grpc::ClientContext context;
    v1::ListKernelMovesResponse response;
    ASSERT_TRUE(stub_->ListKernelMoves(&context, request, &response).ok());
    EXPECT_LE(response.moves_size(), 3);
    for (const v1::KernelMove& move : response.moves()) {
      EXPECT_EQ(move.kernel(), "debian/bookworm/latest");
      EXPECT_EQ(move.agent(), "east");
      EXPECT_EQ(move.version_before(), "25");
      EXPECT_EQ(move.hosts(), 212);
      listed.push_back(absl::StrCat(move.version_after(), " ", move.time().seconds()));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(listed,
              ElementsAre("9 1009", "8 1008", "7 1007", "6 1006", "5 1005", "4 1004", "3 1003"));
  request.set_page_token("nonsense");
  grpc::ClientContext context;
  v1::ListKernelMovesResponse response;
  EXPECT_EQ(stub_->ListKernelMoves(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(CatalogServiceTest, PagesPutTogetherAreTheWholeList) {
  Offer({{*AgentId::Parse("east"), WithReleases(250)}});
  for (int size : {0, 1, 99, 254, 1000}) {
    std::vector<std::string> names;
    std::string token;
    do {
      v1::ListDistrosResponse response;
      ASSERT_TRUE(List(size, token, &response).ok());
      for (const v1::Distro& distro : response.distros()) names.push_back(distro.name());
      token = response.next_page_token();
    } while (!token.empty());
    ASSERT_EQ(names.size(), 254u) << size;
    EXPECT_EQ(names[249], "debian/r1249/latest/nfs");
    EXPECT_EQ(names[253], "ignore");
  }
}

TEST_F(CatalogServiceTest, APageIsNeverTooLargeForOneMessage) {
  Catalogs catalogs;
  const auto catalog = WithReleases(400);
  for (int i = 0; i < 2000; ++i) {
    catalogs.emplace(*AgentId::Parse(absl::StrCat("agent-with-a-rather-long-name-", i)), catalog);
  }
  Offer(std::move(catalogs));
  size_t distros = 0;
  std::string token;
  do {
    v1::ListDistrosResponse response;
    const grpc::Status status = List(1000, token, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_LT(response.ByteSizeLong(), 4u << 20);
    ASSERT_GT(response.distros_size(), 0);
    distros += static_cast<size_t>(response.distros_size());
    token = response.next_page_token();
  } while (!token.empty());
  EXPECT_EQ(distros, 404u);
}

TEST_F(CatalogServiceTest, ManyListsAtOnceAreEachWhole) {
  Offer({{*AgentId::Parse("east"), WithReleases(20)}});
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([this] {
      for (int j = 0; j < 20; ++j) {
        v1::ListDistrosResponse response;
        EXPECT_TRUE(List(0, "", &response).ok());
        EXPECT_EQ(response.distros_size(), 24);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_F(CatalogServiceTest, ABadSizeOrTokenIsRefused) {
  v1::ListDistrosResponse response;
  EXPECT_EQ(List(-1, "", &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(List(0, "menu", &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  // A token's text that is no distro: "distros:a b".
  EXPECT_EQ(List(0, "ZGlzdHJvczphIGI=", &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace autopxe::server
