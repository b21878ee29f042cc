// What ConfigurationService reads of the history.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "common/status/grpc_status.h"
#include "common/status/status_macros.h"
#include "common/wire/revision_wire.h"
#include "server/services/configuration_service.h"
#include "server/services/difference_encoding.h"
#include "server/services/page.h"
#include "server/services/read_error.h"

namespace autopxe::server {
namespace {

constexpr char kHistory[] = "history";
constexpr char kDifferences[] = "differences";

// How many differences an entry of the list tells: a revision of 10,000 hosts has more than a
// message can carry.
constexpr size_t kMaxDifferences = 100;

absl::Status NoToken() {
  return absl::InvalidArgumentError("page_token: not one that this server gave");
}

// Errors: INVALID_ARGUMENT; the message begins with the field.
absl::StatusOr<HistoryFilter> ParseHistoryFilter(const std::string& kind, const std::string& name) {
  HistoryFilter filter;
  const auto named = [](const absl::Status& status) {
    return absl::InvalidArgumentError(absl::StrCat("name: ", status.message()));
  };
  if (kind.empty()) {
    if (name.empty()) return filter;
    return absl::InvalidArgumentError("kind: a name needs the kind of what bears it");
  }
  if (kind == "host") {
    filter.kind = HistoryFilter::Kind::kHost;
    if (name.empty()) return filter;
    absl::StatusOr<HostReference> reference = ParseHostReference(name);
    if (!reference.ok()) return named(reference.status());
    filter.host = *std::move(reference);
    return filter;
  }
  if (kind == "settings") {
    filter.kind = HistoryFilter::Kind::kSettings;
    if (name.empty()) return filter;
    return absl::InvalidArgumentError("name: the settings have none");
  }
  absl::Status parsed;
  if (kind == "group") {
    filter.kind = HistoryFilter::Kind::kGroup;
    parsed = GroupNameRule::Check(name);
  } else if (kind == "profile") {
    filter.kind = HistoryFilter::Kind::kProfile;
    parsed = ProfileNameRule::Check(name);
  } else if (kind == "distro") {
    filter.kind = HistoryFilter::Kind::kDistro;
    parsed = DistroNameRule::Check(name);
  } else if (kind == "agent") {
    filter.kind = HistoryFilter::Kind::kAgent;
    parsed = AgentIdRule::Check(name);
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("kind: ", Quote(kind),
                     ": expected \"host\", \"group\", \"profile\", \"distro\", "
                     "\"settings\" or \"agent\""));
  }
  if (!name.empty() && !parsed.ok()) return named(parsed);
  filter.name = name;
  return filter;
}

// What is wrong with the filter of `request`.
template <typename Request>
grpc::Status MalformedFilter(const Request& request, const absl::Status& error) {
  const bool is_name = absl::StartsWith(error.message(), "name");
  return Malformed(is_name ? "name" : "kind", is_name ? request.name() : request.kind(), error);
}

}  // namespace

grpc::ServerUnaryReactor* ConfigurationService::ListHistory(grpc::CallbackServerContext* context,
                                                            const v1::ListHistoryRequest* request,
                                                            v1::ListHistoryResponse* response) {
  const Call call("ListHistory", context, clock_);
  const absl::StatusOr<Page> page =
      ParsePage(kHistory, request->page_size(), request->page_token());
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  int64_t before = std::numeric_limits<int64_t>::max();
  if (!page->after.empty() && !absl::SimpleAtoi(page->after, &before)) {
    return call.Finish(ToGrpcStatus(NoToken()));
  }
  const absl::StatusOr<HistoryFilter> filter = ParseHistoryFilter(request->kind(), request->name());
  if (!filter.ok()) return call.Finish(MalformedFilter(*request, filter.status()));
  history_calls_.Queue([this, call, page = *page, before, filter = *filter, response] {
    call.Finish(ToGrpcStatus(FillHistory(page, before, filter, *response)));
  });
  return call.reactor();
}

absl::Status ConfigurationService::FillHistory(const Page& page, int64_t before,
                                               const HistoryFilter& filter,
                                               v1::ListHistoryResponse& response) const {
  ASSIGN_OR_RETURN(const HistoryRevisions revisions, history_.find(filter, before, page.size + 1));
  size_t bytes = 0;
  for (size_t i = 0; i < revisions.numbers.size(); ++i) {
    if (page.IsFull(i, bytes)) {
      response.set_next_page_token(
          FormatPageToken(kHistory, absl::StrCat(revisions.numbers[i - 1])));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const absl::optional<HistoryEntry> entry,
                     history_.load(filter, revisions.numbers[i]));
    if (!entry.has_value()) {  // Trimmed meanwhile, as is what follows.
      response.set_trimmed(true);
      return absl::OkStatus();
    }
    v1::HistoryEntry& added = *response.add_entries();
    *added.mutable_revision() = ToProto(entry->revision);
    const size_t count = entry->differences.size();
    const size_t told = std::min(count, kMaxDifferences);
    for (size_t d = 0; d < told; ++d) {
      *added.add_differences() = EncodeDifference(entry->differences[d]);
    }
    added.set_more_differences(static_cast<int64_t>(count - told));
    bytes += added.ByteSizeLong();
  }
  response.set_trimmed(revisions.trimmed);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* ConfigurationService::ListDifferences(
    grpc::CallbackServerContext* context, const v1::ListDifferencesRequest* request,
    v1::ListDifferencesResponse* response) {
  const Call call("ListDifferences", context, clock_);
  const absl::StatusOr<Page> page =
      ParsePage(kDifferences, request->page_size(), request->page_token());
  if (!page.ok()) return call.Finish(ToGrpcStatus(page.status()));
  size_t first = 0;
  if (!page->after.empty() && !absl::SimpleAtoi(page->after, &first)) {
    return call.Finish(ToGrpcStatus(NoToken()));
  }
  const absl::StatusOr<HistoryFilter> filter = ParseHistoryFilter(request->kind(), request->name());
  if (!filter.ok()) return call.Finish(MalformedFilter(*request, filter.status()));
  history_calls_.Queue(
      [this, call, page = *page, first, number = request->revision(), filter = *filter, response] {
        call.Finish(ToGrpcStatus(FillDifferences(page, first, number, filter, *response)));
      });
  return call.reactor();
}

absl::Status ConfigurationService::FillDifferences(const Page& page, size_t first, int64_t number,
                                                   const HistoryFilter& filter,
                                                   v1::ListDifferencesResponse& response) {
  if (!paged_.has_value() || paged_->number != number || paged_->filter != filter) {
    paged_.reset();
    ASSIGN_OR_RETURN(absl::optional<HistoryEntry> entry, history_.load(filter, number));
    if (!entry.has_value()) {
      return absl::NotFoundError(
          absl::StrCat("revision ", number,
                       ": there is no such revision, or what it changed is no longer kept"));
    }
    paged_ = PagedEntry{.filter = filter, .number = number, .entry = *std::move(entry)};
  }
  const HistoryEntry& entry = paged_->entry;
  *response.mutable_revision() = ToProto(entry.revision);
  size_t bytes = 0;
  for (size_t i = first; i < entry.differences.size(); ++i) {
    if (page.IsFull(i - first, bytes)) {
      response.set_next_page_token(FormatPageToken(kDifferences, absl::StrCat(i)));
      return absl::OkStatus();
    }
    v1::Difference& added = *response.add_differences();
    added = EncodeDifference(entry.differences[i]);
    bytes += added.ByteSizeLong();
  }
  paged_.reset();
  return absl::OkStatus();
}

}  // namespace autopxe::server
