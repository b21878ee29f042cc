#include "common/runtime/config_file.h"

#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ConfigFileTest, WhatIsWrongIsSaidWithoutItsControlCharacters) {
  for (const char* text : {"a: \"\\\033[31m\"\n", "\033k: {}\n", "a: [\007\n"}) {
    const absl::Status status = ConfigFile::Parse(text, "server.yaml").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    for (const char byte : status.message()) EXPECT_TRUE(byte >= ' ' && byte < 127) << text;
  }
}

TEST(ConfigFileTest, ScalarsAndListsKeepTheirLine) {
  absl::StatusOr<ConfigFile> file = ConfigFile::Parse(
      "# a comment\n"
      "log-level: info\n"
      "listen:\n"
      "  - 127.0.0.1:1\n"
      "  - '[::1]:2'\n"
      "port: 0069\n",
      "server.yaml");
  ASSERT_THAT(file, IsOk());
  ASSERT_EQ(file->entries().size(), 3u);
  const ConfigEntry& level = file->entries().at("log-level");
  EXPECT_THAT(level.values, ElementsAre("info"));
  EXPECT_FALSE(level.is_list);
  EXPECT_EQ(file->Where(level), "server.yaml:2");
  const ConfigEntry& listen = file->entries().at("listen");
  EXPECT_THAT(listen.values, ElementsAre("127.0.0.1:1", "[::1]:2"));
  EXPECT_TRUE(listen.is_list);
  EXPECT_EQ(file->Where(listen), "server.yaml:3");
  EXPECT_THAT(file->entries().at("port").values, ElementsAre("0069"));
}

TEST(ConfigFileTest, AnEmptyFileSaysNothing) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n"}) {
    absl::StatusOr<ConfigFile> file = ConfigFile::Parse(text, "f");
    ASSERT_THAT(file, IsOk()) << text;
    EXPECT_THAT(file->entries(), IsEmpty()) << text;
  }
}

TEST(ConfigFileTest, WhatIsWrongIsNamedWithItsLine) {
  const struct {
    const char* text;
    const char* want;
  } kCases[] = {
      {"a: 1\ntls:\n  key: x\n", "f:3: \"tls\": keys don't nest"},
      {"a: 1\nb:\n", "\"b\": no value"},
      {"a: ~\n", "f:1: \"a\": no value"},
      {"a: 1\nb: 2\na: 3\n", "f:3: \"a\" is there twice"},
      {"- a\n- b\n", "f:1: expected lines of the form"},
      {"just text\n", "f:1: expected lines of the form"},
      {"a: [1, [2]]\n", "f:1: \"a\": expected a list of values"},
      {"a: 1\nb: [1\n", "f:"},
      {"a: 1\n\tb: 2\n", "f:2: "},
      {"a: 1\n---\nb: 2\n", "expected one YAML document"},
      {"[a, b]: 1\n", "f:1: a key is not a word"},
      {"a: *nowhere\n", "f:1: "},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(ConfigFile::Parse(c.text, "f"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.want)))
        << c.text;
  }
}

TEST(ConfigFileTest, NoTextCrashesWhereverItIsCut) {
  const std::string text =
      "a: \"x\\u00e9\"\nb: [1, 'two', {c: d}]\n? complex\n: value\ne: &f |\n  block\ng: *f\n";
  for (size_t n = 0; n <= text.size(); ++n) {
    absl::StatusOr<ConfigFile> file = ConfigFile::Parse(text.substr(0, n), "f");
    if (file.ok()) continue;
    EXPECT_THAT(std::string(file.status().message()), HasSubstr("f:"));
  }
  EXPECT_THAT(ConfigFile::Parse(std::string(100'000, '['), "f"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("f:")));
}

TEST(ConfigFileTest, AMissingFileAFolderAndAHugeFileAreRefused) {
  const std::string folder = testing::TempDir();
  EXPECT_THAT(ConfigFile::Open(folder + "/missing.yaml"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("missing.yaml")));
  EXPECT_THAT(ConfigFile::Open(folder),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(folder)));
  const std::string huge = folder + "/huge.yaml";
  std::ofstream(huge) << std::string((1 << 20) + 1, '#');
  EXPECT_THAT(ConfigFile::Open(huge),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("larger than 1 MiB")));
  std::ofstream(huge) << "a: b\n";
  EXPECT_THAT(ConfigFile::Open(huge), IsOk());
}

}  // namespace
}  // namespace autopxe
