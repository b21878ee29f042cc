#include "server/services/catalog_service.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/distro.h"
#include "common/status/grpc_status.h"
#include "server/services/call.h"
#include "server/services/page.h"

namespace autopxe::server {
namespace {

constexpr char kList[] = "distros";

// A page ends early rather than outgrow the 4 MiB that clients take: with a thousand agents each
// distro names them all.
constexpr size_t kMaxPageBytes = 2 << 20;

}  // namespace

CatalogService::CatalogService(CurrentCatalogsFn catalogs, const Feed& feed, const Clock& clock)
    : catalogs_(std::move(catalogs)), feed_(feed), clock_(clock) {}

std::shared_ptr<const DistroList> CatalogService::CurrentList() {
  std::shared_ptr<const Catalogs> catalogs = catalogs_();
  absl::MutexLock lock(&mutex_);
  if (list_ == nullptr || listed_ != catalogs) {
    list_ = std::make_shared<const DistroList>(DistroList::Build(*catalogs));
    listed_ = std::move(catalogs);
  }
  return list_;
}

grpc::ServerUnaryReactor* CatalogService::ListDistros(grpc::CallbackServerContext* context,
                                                      const v1::ListDistrosRequest* request,
                                                      v1::ListDistrosResponse* response) {
  const Call call("ListDistros", context, clock_);
  absl::StatusOr<Page> page = ParsePage(kList, request->page_size(), request->page_token());
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  absl::StatusOr<Distro> after = Distro::Menu();
  if (!page->after.empty()) {
    after = Distro::Parse(page->after);
    if (!after.ok()) return call.Finish(ToGrpcStatus(after.status()));
  }
  const std::shared_ptr<const DistroList> list = CurrentList();
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  const std::vector<DistroList::Item> items =
      list->Take(snapshot->profiles(), page->after.empty() ? nullptr : &*after, page->size + 1);
  size_t bytes = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i == page->size || bytes > kMaxPageBytes) {
      response->set_next_page_token(FormatPageToken(kList, items[i - 1].distro.Format()));
      break;
    }
    v1::Distro* distro = response->add_distros();
    distro->set_name(items[i].distro.Format());
    if (items[i].kernel != nullptr) {
      for (const std::string& version : items[i].kernel->versions) {
        distro->add_kernel_versions(version);
      }
      for (const std::string& agent : items[i].kernel->agents) distro->add_agents(agent);
    }
    bytes += distro->ByteSizeLong();
  }
  return call.Finish(grpc::Status::OK);
}

}  // namespace autopxe::server
