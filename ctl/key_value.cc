#include "ctl/key_value.h"

#include <cstddef>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/model/quote.h"
#include "ctl/exit_code.h"

namespace autopxe::ctl {

absl::Status AddKeyValue(absl::string_view what, absl::string_view text,
                         google::protobuf::Map<std::string, std::string>& values) {
  const size_t equals = text.find('=');
  if (equals == absl::string_view::npos || equals == 0) {
    return UsageError(absl::StrCat(what, " ", Quote(text), ": expected KEY=VALUE"));
  }
  const std::string key(text.substr(0, equals));
  if (values.contains(key)) {
    return UsageError(absl::StrCat(what, " ", Quote(key), " is set twice: leave one out"));
  }
  values[key] = std::string(text.substr(equals + 1));
  return absl::OkStatus();
}

std::string KeyValuesText(const google::protobuf::Map<std::string, std::string>& values) {
  return absl::StrJoin(std::map<std::string, std::string>(values.begin(), values.end()), ",",
                       absl::PairFormatter("="));
}

}  // namespace autopxe::ctl
