#include "ctl/time_text.h"

#include "absl/time/time.h"

namespace autopxe::ctl {

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(time.seconds()),
                          absl::LocalTimeZone());
}

}  // namespace autopxe::ctl
