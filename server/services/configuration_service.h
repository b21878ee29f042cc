#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "common/runtime/clock.h"
#include "server/feed/feed.h"
#include "server/services/call.h"
#include "server/services/call_thread.h"
#include "server/services/page.h"
#include "server/services/sorted_hosts.h"
#include "server/store/history_entry.h"
#include "server/store/write_request.h"

namespace autopxe::server {

// What was changed, from the tables: see class Store. Each reads the disk.
struct HistoryReader {
  // Up to `at_most` revisions below `before`.
  std::function<absl::StatusOr<HistoryRevisions>(const HistoryFilter&, int64_t before,
                                                 size_t at_most)>
      find;
  // What one changed; nothing if that was trimmed.
  std::function<absl::StatusOr<absl::optional<HistoryEntry>>(const HistoryFilter&, int64_t number)>
      load;
};

// See autopxe/v1/configuration.proto. Writes finish when their commit does and hold no thread
// meanwhile; reads are of the feed's current snapshot and finish at once, but for the
// history, which is read from the disk by a thread of its own.
class ConfigurationService final : public v1::ConfigurationService::CallbackService {
 public:
  // `feed` and `clock` outlive this object.
  ConfigurationService(ApplyFn apply, HistoryReader history, const Feed& feed, const Clock& clock);

  grpc::ServerUnaryReactor* Apply(grpc::CallbackServerContext* context,
                                  const v1::ApplyRequest* request,
                                  v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* AssignHosts(grpc::CallbackServerContext* context,
                                        const v1::AssignHostsRequest* request,
                                        v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* UnassignHosts(grpc::CallbackServerContext* context,
                                          const v1::UnassignHostsRequest* request,
                                          v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* CreateHost(grpc::CallbackServerContext* context,
                                       const v1::CreateHostRequest* request,
                                       v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* DeleteHosts(grpc::CallbackServerContext* context,
                                        const v1::DeleteHostsRequest* request,
                                        v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* GetHost(grpc::CallbackServerContext* context,
                                    const v1::GetHostRequest* request, v1::Host* response) override;
  grpc::ServerUnaryReactor* ListHosts(grpc::CallbackServerContext* context,
                                      const v1::ListHostsRequest* request,
                                      v1::ListHostsResponse* response) override;
  grpc::ServerUnaryReactor* GetGroup(grpc::CallbackServerContext* context,
                                     const v1::GetGroupRequest* request,
                                     v1::Group* response) override;
  grpc::ServerUnaryReactor* ListGroups(grpc::CallbackServerContext* context,
                                       const v1::ListGroupsRequest* request,
                                       v1::ListGroupsResponse* response) override;
  grpc::ServerUnaryReactor* SetProfile(grpc::CallbackServerContext* context,
                                       const v1::SetProfileRequest* request,
                                       v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* DeleteProfile(grpc::CallbackServerContext* context,
                                          const v1::DeleteProfileRequest* request,
                                          v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* GetProfile(grpc::CallbackServerContext* context,
                                       const v1::GetProfileRequest* request,
                                       v1::Profile* response) override;
  grpc::ServerUnaryReactor* ListProfiles(grpc::CallbackServerContext* context,
                                         const v1::ListProfilesRequest* request,
                                         v1::ListProfilesResponse* response) override;
  grpc::ServerUnaryReactor* GetDeclaredDistro(grpc::CallbackServerContext* context,
                                              const v1::GetDeclaredDistroRequest* request,
                                              v1::DeclaredDistro* response) override;
  grpc::ServerUnaryReactor* ListDeclaredDistros(grpc::CallbackServerContext* context,
                                                const v1::ListDeclaredDistrosRequest* request,
                                                v1::ListDeclaredDistrosResponse* response) override;
  grpc::ServerUnaryReactor* GetSettings(grpc::CallbackServerContext* context,
                                        const v1::GetSettingsRequest* request,
                                        v1::Settings* response) override;
  grpc::ServerUnaryReactor* UpdateSettings(grpc::CallbackServerContext* context,
                                           const v1::UpdateSettingsRequest* request,
                                           v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* GetAgentSettings(grpc::CallbackServerContext* context,
                                             const v1::GetAgentSettingsRequest* request,
                                             v1::AgentSettings* response) override;
  grpc::ServerUnaryReactor* ListAgentSettings(grpc::CallbackServerContext* context,
                                              const v1::ListAgentSettingsRequest* request,
                                              v1::ListAgentSettingsResponse* response) override;
  grpc::ServerUnaryReactor* UpdateAgentSettings(grpc::CallbackServerContext* context,
                                                const v1::UpdateAgentSettingsRequest* request,
                                                v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* ListHistory(grpc::CallbackServerContext* context,
                                        const v1::ListHistoryRequest* request,
                                        v1::ListHistoryResponse* response) override;

 private:
  using Mutations = google::protobuf::RepeatedPtrField<v1::Mutation>;

  // The one way of every change.
  grpc::ServerUnaryReactor* Write(const Call& call, const Mutations& mutations,
                                  const v1::RequestOptions& options, v1::ApplyResponse* response);

  absl::Status FillHistory(const Page& page, int64_t before, const HistoryFilter& filter,
                           v1::ListHistoryResponse& response) const;

  const ApplyFn apply_;
  const HistoryReader history_;
  const Feed& feed_;
  const Clock& clock_;
  SortedHosts sorted_hosts_;

  CallThread calls_;  // Last: what it does uses all of the above.
};

}  // namespace autopxe::server
