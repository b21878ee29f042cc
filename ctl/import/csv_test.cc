#include "ctl/import/csv.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::IsEmpty;

// "line:column:text|" for each field, "/" behind each record.
std::string Text(const CsvFile& file) {
  std::string text;
  for (const CsvRecord& record : file.records) {
    for (const CsvField& field : record.fields) {
      absl::StrAppend(&text, field.place.line, ":", field.place.column, ":", field.text, "|");
    }
    text += "/";
  }
  return text;
}

TEST(CsvTest, FieldsAreReadAsRfc4180HasThem) {
  const struct {
    absl::string_view text;
    const char* fields;
  } kCases[] = {
      {"", ""},
      {"a,b", "1:1:a|1:3:b|/"},
      {"a,b\nc,d\n", "1:1:a|1:3:b|/2:1:c|2:3:d|/"},
      {"a,b\r\nc,d\r\n", "1:1:a|1:3:b|/2:1:c|2:3:d|/"},
      {"\xef\xbb\xbf"
       "a\n\n\r\nb",
       "1:1:a|/4:1:b|/"},
      {"a,,b,\n", "1:1:a|1:3:|1:4:b|1:6:|/"},
      {"\"a,\"\"b\"\"\r\nc\",d\ne", "1:1:a,\"b\"\r\nc|2:4:d|/3:1:e|/"},
      {"\"\",x\n", "1:1:|1:4:x|/"},
      {" a ,b\rc", "1:1: a |1:5:b\rc|/"},
  };
  for (const auto& c : kCases) {
    const CsvFile file = ParseCsv(c.text);
    EXPECT_THAT(file.problems, IsEmpty()) << c.text;
    EXPECT_EQ(Text(file), c.fields) << c.text;
  }
}

TEST(CsvTest, WhatIsWrongIsToldByItsPlaceAndTheNextLineIsReadOn) {
  const CsvFile file = ParseCsv("a,b\"c,d\ne,\"f\"g\nh\ni,\"j\nk");
  EXPECT_EQ(Text(file), "3:1:h|/");
  ASSERT_EQ(file.problems.size(), 3);
  const struct {
    int line;
    int column;
  } kPlaces[] = {{1, 3}, {2, 3}, {4, 3}};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(file.problems[i].place.line, kPlaces[i].line);
    EXPECT_EQ(file.problems[i].place.column, kPlaces[i].column);
  }
}

}  // namespace
}  // namespace autopxe::ctl
