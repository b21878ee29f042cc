#include "server/services/catalog_service.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "boot/boot_files.h"
#include "common/model/distro.h"
#include "common/status/grpc_status.h"
#include "common/wire/time_wire.h"
#include "server/services/call.h"
#include "server/services/page.h"

namespace autopxe::server {
namespace {

constexpr char kList[] = "distros";
constexpr char kMoveList[] = "kernel moves";

v1::DistroOffer EncodeOffer(const OfferedKernel::Offer& offer) {
  v1::DistroOffer result;
  result.set_agent(offer.agent);
  result.set_kernel_version(offer.version);
  result.set_architecture(std::string(FormatArchitecture(offer.architecture)));
  result.set_kernel_size(offer.kernel_size);
  result.set_initrd_size(offer.initrd_size);
  return result;
}

v1::KernelMove EncodeMove(const RecordedMove& recorded) {
  const KernelMove& move = recorded.counted.move;
  v1::KernelMove result;
  *result.mutable_time() = ToProto(recorded.time);
  result.set_agent(recorded.agent.text());
  result.set_kernel(move.Format());
  result.set_version_before(move.version_before);
  result.set_version_after(move.version_after);
  result.set_hosts(recorded.counted.hosts);
  return result;
}

}  // namespace

CatalogService::CatalogService(CurrentCatalogsFn catalogs, CurrentMovesFn moves, const Feed& feed,
                               const Clock& clock)
    : catalogs_(std::move(catalogs)), moves_(std::move(moves)), feed_(feed), clock_(clock) {}

std::shared_ptr<const DistroList> CatalogService::CurrentList(
    const std::shared_ptr<const Catalogs>& catalogs) {
  if (list_ == nullptr || listed_ != catalogs) {
    list_ = std::make_shared<const DistroList>(DistroList::Build(*catalogs));
    listed_ = catalogs;
  }
  return list_;
}

grpc::ServerUnaryReactor* CatalogService::ListDistros(grpc::CallbackServerContext* context,
                                                      const v1::ListDistrosRequest* request,
                                                      v1::ListDistrosResponse* response) {
  const Call call("ListDistros", context, clock_);
  // gRPC keeps both until the reactor has finished.
  calls_.Queue([this, call, request, response] { call.Finish(FillDistros(*request, *response)); });
  return call.reactor();
}

grpc::Status CatalogService::FillDistros(const v1::ListDistrosRequest& request,
                                         v1::ListDistrosResponse& response) {
  absl::StatusOr<Page> page = ParsePage(kList, request.page_size(), request.page_token());
  if (!page.ok()) return ToGrpcStatus(page.status());
  absl::StatusOr<Distro> after = Distro::Menu();
  if (!page->after.empty()) {
    after = Distro::Parse(page->after);
    if (!after.ok()) return ToGrpcStatus(after.status());
  }
  const std::shared_ptr<const Catalogs> catalogs = catalogs_();
  const std::shared_ptr<const DistroList> list = CurrentList(catalogs);
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  const std::vector<DistroList::Item> items =
      list->Take(snapshot->profiles(), snapshot->declared_distros(),
                 page->after.empty() ? nullptr : &*after, page->size + 1);
  size_t bytes = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    if (page->IsFull(i, bytes)) {
      response.set_next_page_token(FormatPageToken(kList, items[i - 1].distro.Format()));
      break;
    }
    v1::Distro* distro = response.add_distros();
    distro->set_name(items[i].distro.Format());
    if (items[i].kernel != nullptr) {
      for (const std::string& version : items[i].kernel->versions) {
        distro->add_kernel_versions(version);
      }
      for (const OfferedKernel::Offer& offer : items[i].kernel->offers) {
        distro->add_agents(offer.agent);
        *distro->add_offers() = EncodeOffer(offer);
      }
    }
    if (items[i].declared != nullptr) {
      distro->set_declared(true);
      for (const auto& [agent, catalog] : *catalogs) {
        if (FindMissingFile(*items[i].declared, *catalog) == nullptr) {
          distro->add_agents(agent.text());
        }
      }
    }
    bytes += distro->ByteSizeLong();
  }
  return grpc::Status::OK;
}

grpc::ServerUnaryReactor* CatalogService::ListKernelMoves(grpc::CallbackServerContext* context,
                                                          const v1::ListKernelMovesRequest* request,
                                                          v1::ListKernelMovesResponse* response) {
  const Call call("ListKernelMoves", context, clock_);
  absl::StatusOr<Page> page = ParsePage(kMoveList, request->page_size(), request->page_token());
  int64_t before = std::numeric_limits<int64_t>::max();
  if (page.ok() && !page->after.empty() && !absl::SimpleAtoi(page->after, &before)) {
    page = absl::InvalidArgumentError("page_token: not one that this server gave");
  }
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  const std::shared_ptr<const RecordedMoves> moves = moves_();
  size_t count = 0;
  size_t bytes = 0;
  for (auto move = moves->rbegin(); move != moves->rend(); ++move) {
    if (move->id >= before) continue;
    if (page->IsFull(count++, bytes)) {
      response->set_next_page_token(FormatPageToken(kMoveList, absl::StrCat(std::prev(move)->id)));
      break;
    }
    v1::KernelMove& added = *response->add_moves();
    added = EncodeMove(*move);
    bytes += added.ByteSizeLong();
  }
  return call.Finish(grpc::Status::OK);
}

}  // namespace autopxe::server
