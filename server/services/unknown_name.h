#pragma once

#include "common/model/name.h"
#include "common/model/snapshot.h"
#include "grpcpp/support/status.h"

namespace autopxe::server {

// NOT_FOUND: a read names what is not in `snapshot`; with the names that it is most like. A host's
// is compared with those of all hosts: not for gRPC's own threads.
grpc::Status UnknownHost(const Snapshot& snapshot, const HostReference& host);
grpc::Status UnknownGroup(const Snapshot& snapshot, const GroupName& group);
grpc::Status UnknownProfile(const Snapshot& snapshot, const ProfileName& profile);
grpc::Status UnknownDeclaredDistro(const Snapshot& snapshot, const DistroName& distro);

}  // namespace autopxe::server
