#pragma once

#include "autopxe/v1/configuration.pb.h"
#include "server/plan/differences.h"

namespace autopxe::server {

inline v1::Difference EncodeDifference(const Difference& difference) {
  v1::Difference result;
  result.set_kind(difference.kind);
  result.set_name(difference.name);
  result.set_field(difference.field);
  if (difference.before.has_value()) result.set_before(*difference.before);
  if (difference.after.has_value()) result.set_after(*difference.after);
  return result;
}

}  // namespace autopxe::server
