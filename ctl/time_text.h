#pragma once

#include <string>

#include "google/protobuf/timestamp.pb.h"

namespace autopxe::ctl {

// "2026-12-01 08:00:00": local time, as it is people who read it.
std::string TimeText(const google::protobuf::Timestamp& time);

}  // namespace autopxe::ctl
