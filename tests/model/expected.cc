#include "tests/model/expected.h"

#include <utility>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace autopxe::tests {
namespace {

using grpc::StatusCode;

// Gives what differs from what it was the etag `revision`, and all else its old one. Whether
// anything differs.
template <typename Resource>
bool Stamp(Resource& now, const Resource& before, int64_t revision) {
  now.etag = before.etag;
  if (now == before) return false;
  now.etag = revision;
  return true;
}

template <typename Resource>
bool Stamp(std::map<std::string, Resource>& now, const std::map<std::string, Resource>& before,
           int64_t revision) {
  bool changed = false;
  for (auto& [name, resource] : now) {
    const auto old = before.find(name);
    if (old == before.end()) resource.etag = revision;
    if (old == before.end() || Stamp(resource, old->second, revision)) changed = true;
  }
  for (const auto& [name, resource] : before) changed = changed || now.count(name) == 0;
  return changed;
}

// The same for the same request, whatever the order of its maps in memory.
std::string TextOf(const v1::ApplyRequest& request) {
  std::string text;
  google::protobuf::io::StringOutputStream out(&text);
  google::protobuf::io::CodedOutputStream coded(&out);
  coded.SetSerializationDeterministic(true);
  request.SerializeToCodedStream(&coded);
  coded.Trim();
  return text;
}

}  // namespace

const Expected::Host* Expected::FindIncarnation(int64_t incarnation) const {
  for (const auto& [name, host] : hosts_) {
    if (host.incarnation == incarnation) return &host;
  }
  return nullptr;
}

StatusCode Expected::CheckEtags(const v1::RequestOptions& options) const {
  const auto etag_of = [](const auto& resources, const std::string& name) {
    const auto found = resources.find(name);
    return found == resources.end() ? 0 : found->second.etag;
  };
  for (const v1::ExpectedEtag& expected : options.expected_etags()) {
    int64_t etag = settings_.etag;
    if (expected.has_host()) etag = etag_of(hosts_, Find(expected.host()));
    if (expected.has_profile()) etag = etag_of(profiles_, expected.profile());
    if (expected.has_declared_distro()) etag = etag_of(declared_, expected.declared_distro());
    if (expected.has_group()) etag = etag_of(groups_, expected.group());
    if (etag != expected.etag()) return StatusCode::ABORTED;
  }
  return StatusCode::OK;
}

StatusCode Expected::CheckLocks(const Expected& after, int64_t now) const {
  for (const auto& [name, host] : hosts_) {
    if (!host.locked) continue;
    const Host* const then = after.FindIncarnation(host.incarnation);
    if (then == nullptr) return StatusCode::FAILED_PRECONDITION;
    if (!then->locked) continue;
    const bool assigned = then->distro != host.distro || then->timed != host.timed ||
                          then->until != host.until || then->next != host.next ||
                          then->token != host.token;
    if (assigned || after.DistroOf(then, now) != DistroOf(&host, now)) {
      return StatusCode::FAILED_PRECONDITION;
    }
  }
  return StatusCode::OK;
}

bool Expected::Become(Expected next, bool validate_only) {
  bool changed = Stamp(next.hosts_, hosts_, revision_ + 1);
  changed = Stamp(next.groups_, groups_, revision_ + 1) || changed;
  changed = Stamp(next.profiles_, profiles_, revision_ + 1) || changed;
  changed = Stamp(next.declared_, declared_, revision_ + 1) || changed;
  changed = Stamp(next.settings_, settings_, revision_ + 1) || changed;
  if (!changed || validate_only) return false;
  *this = std::move(next);
  ++revision_;
  tag_ = 0;
  return true;
}

Expected::Verdict Expected::Apply(const v1::ApplyRequest& request, int64_t now) {
  const v1::RequestOptions& options = request.options();
  Verdict verdict{.code = StatusCode::OK,
                  .replayed = false,
                  .changed = false,
                  .revision = revision_,
                  .tag = tag_};
  const auto used = used_.find(options.request_id());
  if (!options.validate_only() && used != used_.end()) {
    if (used->second.request != TextOf(request)) {
      verdict.code = StatusCode::INVALID_ARGUMENT;
      return verdict;
    }
    verdict.replayed = true;
    verdict.revision = used->second.revision;
    verdict.tag = used->second.tag;
    return verdict;
  }
  verdict.code = CheckEtags(options);
  if (verdict.code != StatusCode::OK) return verdict;
  Expected next = *this;
  for (const v1::Mutation& mutation : request.mutations()) {
    const StatusCode code = next.Take(mutation, now);
    // The first one refused says why.
    if (verdict.code == StatusCode::OK) verdict.code = code;
  }
  if (verdict.code == StatusCode::OK && !options.force()) verdict.code = CheckLocks(next, now);
  if (verdict.code != StatusCode::OK) return verdict;
  if (!Become(std::move(next), options.validate_only())) return verdict;
  verdict.changed = true;
  verdict.revision = revision_;
  if (!options.request_id().empty()) {
    used_[options.request_id()] = {TextOf(request), revision_, 0};
  }
  return verdict;
}

bool Expected::TakeUse(int64_t incarnation, int64_t token) {
  Expected next = *this;
  for (auto& [name, host] : next.hosts_) {
    if (host.incarnation != incarnation || host.token != token) continue;
    host.next.clear();
    host.token = 0;
  }
  return Become(std::move(next), false);
}

void Expected::Learn(uint64_t tag) {
  tag_ = tag;
  for (auto& [id, used] : used_) {
    if (used.revision == revision_) used.tag = tag;
  }
}

}  // namespace autopxe::tests
