#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "common/model/snapshot.h"
#include "tests/model/expected.h"

namespace autopxe::tests {

// A whole configuration as texts, by what they are about ("host web01"), so that a difference can
// be shown; hosts by their incarnation.
using Lines = std::map<std::string, std::string>;

// Which of the model's hosts each of the server's is.
class Incarnations {
 public:
  // `id`: the server's. A new one is of the host that the model has under that name; -1 if the
  // model has another id there already, or none.
  int64_t Of(int64_t id, const std::string& name, const Expected& expected);

  // -1 for one that was never asked for by Of.
  int64_t Of(int64_t id) const;

 private:
  std::map<int64_t, int64_t> by_id_;
};

Lines LinesOf(const Expected& expected);

// What an agent serves.
Lines LinesOf(const Snapshot& snapshot, const Expected& expected, Incarnations& incarnations);

// What a server lists. Errors: what it answered.
absl::StatusOr<Lines> ListLines(v1::ConfigurationService::Stub& server, const Expected& expected,
                                Incarnations& incarnations);

}  // namespace autopxe::tests
