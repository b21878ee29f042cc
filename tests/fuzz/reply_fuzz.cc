// The fields of an HTTP request on which the answer with a file depends, a line each: Range,
// If-Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since; an empty one is not
// there. "E" stands for the file's entity tag, without the "W/" of a weak one. Each is asked of a
// file that was just written and of one that is settled.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/content/content.h"
#include "agent/http/reply.h"
#include "agent/http/request_fields.h"
#include "tests/fuzz/require.h"

namespace autopxe::agent {
namespace {

std::shared_ptr<const Content> WrittenFile() {
  const int fd = memfd_create("file", MFD_CLOEXEC);
  Require(fd >= 0 && ftruncate(fd, 1234) == 0, "there is a file");
  return *Content::FromFile(fd);
}

// One of the system's, since nothing but time makes a file's ctime old.
std::shared_ptr<const Content> SettledFile() {
  const int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
  Require(fd >= 0, "there is a shell");
  return *Content::FromFile(fd);
}

ReplyConditions Conditions(const RequestFields& fields) {
  return {.is_get = true,
          .range = fields.Find("Range"),
          .if_range = fields.Find("If-Range"),
          .if_match = fields.Find("If-Match"),
          .if_none_match = fields.Find("If-None-Match"),
          .if_modified_since = fields.Find("If-Modified-Since"),
          .if_unmodified_since = fields.Find("If-Unmodified-Since"),
          .now = absl::FromUnixSeconds(1'700'000'000)};
}

// With its "W/" where it is a weak one.
std::string TagOf(const Reply& reply) {
  for (const auto& [name, value] : reply.fields) {
    if (name == "ETag") return value;
  }
  return "";
}

void CheckReply(absl::string_view input, const std::shared_ptr<const Content>& file) {
  ResolvedContent found;
  found.content = file;
  found.cacheable = true;
  const std::string sent = TagOf(BuildReply(Conditions({}), found));
  Require(!sent.empty(), "a file has a tag");
  absl::string_view tag = sent;
  const bool is_weak = absl::ConsumePrefix(&tag, "W/");
  std::vector<std::string> lines = absl::StrSplit(absl::StrReplaceAll(input, {{"E", tag}}), '\n');
  lines.resize(6);
  RequestFields fields;
  static const char* const kNames[] = {"Range",         "If-Range",          "If-Match",
                                       "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"};
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].empty()) fields.Add(kNames[i], lines[i]);
  }
  if (!fields.Check().ok()) return;
  const ReplyConditions conditions = Conditions(fields);
  const Reply reply = BuildReply(conditions, found);
  Require(TagOf(reply) == sent, "a tag is of the file and the time alone");
  Require(reply.content != nullptr, "there is a body");
  Require(
      reply.offset <= reply.content->size() && reply.length <= reply.content->size() - reply.offset,
      "a body is part of its content");
  switch (reply.status) {
    case 200:
    case 304:
      Require(reply.offset == 0 && reply.length == file->size(), "the whole");
      break;
    case 206:
      Require(reply.length > 0, "a part has a byte");
      Require(!is_weak || !absl::StrContains(conditions.if_range.value_or(""), '"'),
              "a weak tag gives no part");
      break;
    case 412:
    case 416:
      Require(reply.length == 0, "no body");
      break;
    default:
      Require(false, "a status that answers conditions");
  }
  for (const auto& [name, value] : reply.fields) {
    Require(value.find_first_of("\r\n") == std::string::npos, "a field is one line");
  }
}

}  // namespace
}  // namespace autopxe::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const auto written = autopxe::agent::WrittenFile();
  static const auto settled = autopxe::agent::SettledFile();
  autopxe::agent::CheckReply({reinterpret_cast<const char*>(bytes), size}, written);
  autopxe::agent::CheckReply({reinterpret_cast<const char*>(bytes), size}, settled);
  return 0;
}
