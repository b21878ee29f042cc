#include "agent/http/reply.h"

#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/http/http_date.h"
#include "agent/http/range.h"

namespace autopxe::agent {
namespace {

struct EntityTag {
  std::string opaque;  // With its quotes.
  bool is_weak;

  std::string Format() const { return absl::StrCat(is_weak ? "W/" : "", opaque); }
};

// What can tell one version of a file from another.
struct Validators {
  EntityTag tag;
  absl::Time modified;  // To the second, as a date is written.
};

// A file that is not settled may be written to once more and keep its version, so that its tag is
// weak (RFC 9110, section 8.8.1). That alone would not do: a weak tag that matches gives a 304 too
// (section 13.1.2), and so is to change where what was sent before is no substitute, as an old
// kernel is none for a new one. Whether these bytes are others nobody knows; so the tag is of one
// answer, and no later one has it, not even that of the settled file with the same version. Its
// price is that who asks again is sent the file again.
EntityTag TagOf(const Content& file, absl::Time now) {
  const std::string version = file.Version();
  if (file.Identity().has_value()) return {absl::StrCat("\"", version, "\""), false};
  return {absl::StrCat("\"", version, "-", absl::Hex(absl::ToUnixNanos(now)), "\""), true};
}

// RFC 9110, section 8.8.3.2. Against a list, or "*" alone.
enum class Comparison { kStrong, kWeak };
bool MatchesAny(absl::string_view field, const EntityTag& tag, Comparison comparison) {
  if (absl::StripAsciiWhitespace(field) == "*") return true;
  for (absl::string_view element : absl::StrSplit(field, ',')) {
    element = absl::StripAsciiWhitespace(element);
    const bool is_weak = absl::ConsumePrefix(&element, "W/") || tag.is_weak;
    if (element == tag.opaque && !(is_weak && comparison == Comparison::kStrong)) return true;
  }
  return false;
}

// Whether the file was written after the date in `field`; nothing if that is none.
absl::optional<bool> IsModifiedSince(absl::string_view field, const Validators& file,
                                     absl::Time now) {
  const absl::optional<absl::Time> date = ParseHttpDate(field, now);
  if (!date.has_value()) return absl::nullopt;
  return file.modified > *date;
}

// RFC 9110, section 13.2.2, steps 1 to 4: 412 or 304 instead of the file; nothing to go on.
absl::optional<int> StatusInstead(const ReplyConditions& conditions, const Validators& file) {
  if (conditions.if_match.has_value()) {
    if (!MatchesAny(*conditions.if_match, file.tag, Comparison::kStrong)) return 412;
  } else if (conditions.if_unmodified_since.has_value()) {
    if (IsModifiedSince(*conditions.if_unmodified_since, file, conditions.now).value_or(false)) {
      return 412;
    }
  }
  if (conditions.if_none_match.has_value()) {
    if (MatchesAny(*conditions.if_none_match, file.tag, Comparison::kWeak)) return 304;
  } else if (conditions.if_modified_since.has_value()) {
    if (!IsModifiedSince(*conditions.if_modified_since, file, conditions.now).value_or(true)) {
      return 304;
    }
  }
  return absl::nullopt;
}

// RFC 9110, section 13.1.5: the strong comparison, of one tag; a date only if nothing can have been
// written within its second since. Where the tag is weak, nothing is known to be what it was: a
// date can be an old one that was given to the file just now.
bool IfRangeHolds(const ReplyConditions& conditions, const Validators& file) {
  if (!conditions.if_range.has_value()) return true;
  if (file.tag.is_weak) return false;
  const absl::string_view field = absl::StripAsciiWhitespace(*conditions.if_range);
  if (field == file.tag.opaque) return true;
  return ParseHttpDate(field, conditions.now) == file.modified &&
         conditions.now - file.modified > absl::Seconds(2);
}

Reply WholeReply(int status, std::shared_ptr<const Content> content) {
  Reply reply;
  reply.status = status;
  reply.length = content->size();
  reply.content = std::move(content);
  return reply;
}

void MakeEmpty(Reply& reply, int status) {
  reply.status = status;
  reply.content = Content::FromText("");
  reply.length = 0;
}

}  // namespace

Reply BuildReply(const ReplyConditions& conditions, const ResolvedContent& found) {
  Reply reply = WholeReply(200, found.content);
  if (!found.cacheable) {
    reply.fields.emplace_back("Content-Type", "text/plain; charset=utf-8");
    reply.fields.emplace_back("Cache-Control", "no-store");
    return reply;
  }
  const Validators file = {TagOf(*found.content, conditions.now),
                           absl::FromUnixSeconds(absl::ToUnixSeconds(found.content->Modified()))};
  reply.fields.emplace_back("ETag", file.tag.Format());
  reply.fields.emplace_back("Cache-Control", "no-cache");
  if (const absl::optional<int> status = StatusInstead(conditions, file); status.has_value()) {
    if (*status == 304) {
      // No body goes out with it. A Content-Length is that of the file (RFC 9110, section 8.6).
      reply.status = 304;
    } else {
      MakeEmpty(reply, *status);
    }
    return reply;
  }
  reply.fields.emplace_back("Last-Modified", FormatHttpDate(file.modified));
  reply.fields.emplace_back("Content-Type", "application/octet-stream");
  reply.fields.emplace_back("Accept-Ranges", "bytes");
  if (!conditions.is_get || !conditions.range.has_value() || !IfRangeHolds(conditions, file)) {
    return reply;
  }
  const uint64_t size = found.content->size();
  const RequestedRange requested = ParseRange(*conditions.range, size);
  if (const auto* range = std::get_if<ByteRange>(&requested)) {
    reply.status = 206;
    reply.fields.emplace_back("Content-Range", FormatContentRange(*range, size));
    reply.offset = range->first;
    reply.length = range->length;
  } else if (std::holds_alternative<UnsatisfiableRange>(requested)) {
    MakeEmpty(reply, 416);
    reply.fields.emplace_back("Content-Range", FormatUnsatisfiedRange(size));
  }
  return reply;
}

Reply BuildErrorReply(const absl::Status& error) {
  int status = 500;
  switch (error.code()) {
    case absl::StatusCode::kNotFound:
      status = 404;
      break;
    case absl::StatusCode::kInvalidArgument:
      status = 400;
      break;
    case absl::StatusCode::kUnimplemented:
      status = 405;
      break;
    case absl::StatusCode::kUnavailable:
      status = 503;
      break;
    default:
      break;
  }
  Reply reply = WholeReply(status, Content::FromText(absl::StrCat(error.message(), "\n")));
  reply.fields.emplace_back("Content-Type", "text/plain; charset=utf-8");
  reply.fields.emplace_back("Cache-Control", "no-store");
  if (status == 405) reply.fields.emplace_back("Allow", "GET, HEAD");
  return reply;
}

absl::string_view ErrorResult(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kNotFound:
      return "not-found";
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented:
      return "refused";
    case absl::StatusCode::kUnavailable:
      return "unavailable";
    default:
      return "failed";
  }
}

}  // namespace autopxe::agent
