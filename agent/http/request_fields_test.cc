#include "agent/http/request_fields.h"

#include <string>
#include <utility>
#include <vector>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::HasSubstr;

// Of what lives as long as they.
RequestFields Fields(const std::vector<std::pair<std::string, std::string>>& fields) {
  RequestFields built;
  for (const auto& [name, value] : fields) built.Add(name, value);
  return built;
}

TEST(RequestFieldsTest, AFieldIsFoundWhateverItsLetterCaseAndSeveralAreAList) {
  const std::vector<std::pair<std::string, std::string>> sent = {
      {"If-Match", "\"a\""}, {"HOST", "x"}, {"if-match", "\"b\""}};
  const RequestFields fields = Fields(sent);
  EXPECT_THAT(fields.Check(), IsOk());
  EXPECT_EQ(fields.Find("host"), "x");
  EXPECT_EQ(fields.Find("If-Match"), "\"a\", \"b\"");
  EXPECT_EQ(fields.Find("Range"), absl::nullopt);
}

// Faults, case 28.
TEST(RequestFieldsTest, WhatTwoProgramsCouldTakeForTwoThingsIsRefused) {
  const struct {
    std::string name;
    std::string value;
    std::string why;
  } kCases[] = {
      {"Content-Length ", "5", "\"Content-Length \": not a name"},
      {"Transfer-Encoding\x0b", "chunked", "not a name"},
      {"AContent-Length: 5", "b", "not a name"},  // A folded line, as libmicrohttpd joins it.
      {"", "x", "not a name"},
      {"A(b)", "x", "not a name"},
      {"\xc3\xa9", "x", "not a name"},
      {"A", "b\rContent-Length: 5", "a control character"},
      {"A", std::string("b\0c", 3), "a control character"},
      {"A", "\x7f", "a control character"},
      {"host", "y", "twice"},
      {"Content-Length", "5", "no body"},
      {"Content-Length", "", "no body"},
      {"Content-Length", "00", "no body"},
      {"content-length", "0, 0", "no body"},
      {"Transfer-Encoding", "", "no body"},
      {"transfer-encoding", "identity", "no body"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Fields({{"Host", "x"}, {c.name, c.value}}).Check(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.why)))
        << testing::PrintToString(c.name) << ": " << testing::PrintToString(c.value);
  }
  EXPECT_THAT(Fields({{"Content-Length", "0"}, {"Content-Length", "0"}}).Check(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no body")));
  EXPECT_THAT(Fields({{"Content-Length", "0"}, {"A", "tab\tand \xff"}}).Check(), IsOk());
}

}  // namespace
}  // namespace autopxe::agent
