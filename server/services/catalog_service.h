#pragma once

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "autopxe/v1/catalog.grpc.pb.h"
#include "common/runtime/clock.h"
#include "server/feed/feed.h"
#include "server/plan/catalogs.h"
#include "server/services/distro_list.h"
#include "server/store/recorded_move.h"

namespace autopxe::server {

// What the agents last reported that they offer; the same pointer as long as it is the same.
using CurrentCatalogsFn = std::function<std::shared_ptr<const Catalogs>()>;

// What moved last, ascending by id.
using CurrentMovesFn = std::function<std::shared_ptr<const RecordedMoves>()>;

// See autopxe/v1/catalog.proto.
class CatalogService final : public v1::CatalogService::CallbackService {
 public:
  // `feed` and `clock` outlive this object.
  CatalogService(CurrentCatalogsFn catalogs, CurrentMovesFn moves, const Feed& feed,
                 const Clock& clock);

  grpc::ServerUnaryReactor* ListDistros(grpc::CallbackServerContext* context,
                                        const v1::ListDistrosRequest* request,
                                        v1::ListDistrosResponse* response) override;
  grpc::ServerUnaryReactor* ListKernelMoves(grpc::CallbackServerContext* context,
                                            const v1::ListKernelMovesRequest* request,
                                            v1::ListKernelMovesResponse* response) override;

 private:
  // Of `catalogs`, built anew only when they are others than the last time.
  std::shared_ptr<const DistroList> CurrentList(const std::shared_ptr<const Catalogs>& catalogs)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const CurrentCatalogsFn catalogs_;
  const CurrentMovesFn moves_;
  const Feed& feed_;
  const Clock& clock_;

  absl::Mutex mutex_;
  std::shared_ptr<const Catalogs> listed_ ABSL_GUARDED_BY(mutex_);  // What list_ is of.
  std::shared_ptr<const DistroList> list_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::server
