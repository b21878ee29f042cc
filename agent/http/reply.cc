#include "agent/http/reply.h"

#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/http/range.h"

namespace autopxe::agent {
namespace {

// RFC 9110, section 5.6.7: IMF-fixdate.
std::string FormatDate(absl::Time time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone());
}

// RFC 9110, section 13.1.2: the weak comparison, against a list or "*".
bool MatchesAny(absl::string_view field, absl::string_view tag) {
  for (absl::string_view element : absl::StrSplit(field, ',')) {
    element = absl::StripAsciiWhitespace(element);
    if (element == "*" || absl::StripPrefix(element, "W/") == tag) return true;
  }
  return false;
}

// RFC 9110, section 13.1.5: the strong comparison; a date only if nothing can have been written
// within its second since.
bool IfRangeHolds(const ReplyConditions& conditions, const Content& content,
                  absl::string_view tag) {
  if (!conditions.if_range.has_value()) return true;
  const absl::string_view field = absl::StripAsciiWhitespace(*conditions.if_range);
  if (field == tag) return true;
  return field == FormatDate(content.Modified()) &&
         conditions.now - content.Modified() > absl::Seconds(2);
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
  const std::string tag = absl::StrCat("\"", found.content->Version(), "\"");
  reply.fields.emplace_back("ETag", tag);
  reply.fields.emplace_back("Last-Modified", FormatDate(found.content->Modified()));
  reply.fields.emplace_back("Cache-Control", "no-cache");
  if (conditions.if_none_match.has_value() && MatchesAny(*conditions.if_none_match, tag)) {
    MakeEmpty(reply, 304);
    return reply;
  }
  reply.fields.emplace_back("Content-Type", "application/octet-stream");
  reply.fields.emplace_back("Accept-Ranges", "bytes");
  if (!conditions.is_get || !conditions.range.has_value() ||
      !IfRangeHolds(conditions, *found.content, tag)) {
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
