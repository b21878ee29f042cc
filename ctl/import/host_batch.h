#pragma once

#include <cstddef>
#include <vector>

#include "autopxe/v1/configuration.pb.h"
#include "common/model/mutation.h"
#include "ctl/import/host_record.h"

namespace autopxe::ctl {

// What makes the server's hosts as a file says.
struct HostBatch {
  std::vector<Mutation> mutations;
  std::vector<Place> places;  // Of the record behind each mutation.
  std::vector<ImportProblem> problems;
  size_t created = 0;  // Hosts, as are the next.
  size_t known = 0;
};

// A record is for the host of its name, or else for the one of its MACs. One that was known only by
// its MAC gets the record's name; any other name stays, and is a problem. A host is created where
// there is none. A known one gets exactly the MACs that the record has, if it has any; labels and
// variables that it does not have stay. Distros are assigned though no agent offers them, but only
// where they differ: what is assigned for a time then ends.
HostBatch BuildHostBatch(const std::vector<HostRecord>& records,
                         const v1::ListHostsResponse& current);

}  // namespace autopxe::ctl
