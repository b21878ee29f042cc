#include "server/services/unknown_name.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "boot/suggestion.h"
#include "common/model/quote.h"
#include "common/status/grpc_status.h"
#include "common/status/problem.h"

namespace autopxe::server {
namespace {

// More closest matches would hide the message.
constexpr size_t kMaxSuggestions = 3;

// `kind` is the word for what bears the name, `noun` autopxectl's, `field` where the request has
// it.
grpc::Status Unknown(Reason reason, absl::string_view kind, absl::string_view noun,
                     absl::string_view field, std::string name,
                     const std::vector<std::string>& names) {
  Problem problem;
  problem.reason = reason;
  problem.field = std::string(field);
  problem.message = absl::StrCat(kind, " ", Quote(name), ": no such ", kind);
  problem.suggestions = Suggest(name, names, kMaxSuggestions);
  if (!problem.suggestions.empty()) {
    absl::StrAppend(&problem.message, "; did you mean ", Quote(problem.suggestions.front()), "?");
  } else {
    absl::StrAppend(&problem.message, "; see autopxectl ", noun, " list");
  }
  problem.value = std::move(name);
  const std::string message = problem.message;
  return ToGrpcStatus(absl::StatusCode::kNotFound, message, {std::move(problem)});
}

}  // namespace

grpc::Status UnknownHost(const Snapshot& snapshot, const HostReference& host) {
  std::vector<std::string> names;
  // A MAC is like many others, and none of them is meant.
  if (std::holds_alternative<HostName>(host)) {
    names.reserve(snapshot.host_count());
    snapshot.ForEachHost(
        [&](const std::shared_ptr<const Host>& one) { names.push_back(one->name.text()); });
  }
  return Unknown(Reason::kHostUnknown, "host", "host", "host", FormatHostReference(host), names);
}

grpc::Status UnknownGroup(const Snapshot& snapshot, const GroupName& group) {
  std::vector<std::string> names;
  for (const std::shared_ptr<const Group>& one : snapshot.groups()) {
    names.push_back(one->name.text());
  }
  return Unknown(Reason::kGroupUnknown, "group", "group", "name", group.text(), names);
}

grpc::Status UnknownProfile(const Snapshot& snapshot, const ProfileName& profile) {
  std::vector<std::string> names;
  for (const auto& [name, one] : snapshot.profiles()) names.push_back(name.text());
  return Unknown(Reason::kProfileUnknown, "profile", "profile", "name", profile.text(), names);
}

grpc::Status UnknownDeclaredDistro(const Snapshot& snapshot, const DistroName& distro) {
  std::vector<std::string> names;
  for (const auto& [name, one] : snapshot.declared_distros()) names.push_back(name.text());
  return Unknown(Reason::kDistroUnknown, "declared distro", "distro", "name", distro.text(), names);
}

}  // namespace autopxe::server
