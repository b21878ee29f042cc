#pragma once

#include <functional>
#include <memory>

#include "autopxe/v1/catalog.grpc.pb.h"
#include "common/runtime/clock.h"
#include "server/feed/feed.h"
#include "server/plan/catalogs.h"
#include "server/services/call_thread.h"
#include "server/services/distro_list.h"
#include "server/store/recorded_move.h"

namespace autopxe::server {

// What the agents last reported that they offer; the same pointer as long as it is the same.
using CurrentCatalogsFn = std::function<std::shared_ptr<const Catalogs>()>;

// What moved last, ascending by id.
using CurrentMovesFn = std::function<std::shared_ptr<const RecordedMoves>()>;

// See autopxe/v1/catalog.proto. Lists distros on a thread of its own: each file of each declared
// one is looked for at each agent.
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
  grpc::Status FillDistros(const v1::ListDistrosRequest& request,
                           v1::ListDistrosResponse& response);
  // Of `catalogs`, built anew only when they are others than the last time.
  std::shared_ptr<const DistroList> CurrentList(const std::shared_ptr<const Catalogs>& catalogs);

  const CurrentCatalogsFn catalogs_;
  const CurrentMovesFn moves_;
  const Feed& feed_;
  const Clock& clock_;

  // Only the thread of calls_ uses them.
  std::shared_ptr<const Catalogs> listed_;  // What list_ is of.
  std::shared_ptr<const DistroList> list_;

  CallThread calls_;  // Last: what it does uses all of the above.
};

}  // namespace autopxe::server
