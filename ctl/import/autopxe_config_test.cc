#include "ctl/import/autopxe_config.h"

#include <fstream>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Lines(const std::vector<ImportedKey>& keys) {
  std::vector<std::string> lines;
  for (const ImportedKey& key : keys) {
    lines.push_back(absl::StrCat(key.line, ": ", key.key, ": ", key.outcome));
  }
  return lines;
}

Import Parsed(const std::string& text) {
  absl::StatusOr<Import> import = ParseAutopxeConfig(text, "config.yaml");
  EXPECT_THAT(import, IsOk());
  return import.ok() ? *std::move(import) : Import();
}

TEST(AutopxeConfigTest, APredecessorsFileIsTakenWholeKeyByKey) {
  std::ifstream file("ctl/import/testdata/autopxe.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const Import import = Parsed(text.str());

  EXPECT_THAT(Lines(import.keys),
              ElementsAre("1: version: 1: AutoPXE's format",
                          "2: DefaultDistro: default-distro = debian/stable/latest/overlayfs",
                          "3: RootfsPath: rootfs-path-prefix = /pxe/rootfs",
                          "5: Env.nfs-server: variables.nfs-server = 172.25.2.11",
                          "7: CmdlineTemplates.overlayfs: profile overlayfs = root=/dev/nfs "
                          "nfsroot=${nfs-server}:${rootfs-path} ip=dhcp rootovl",
                          "8: CmdlineTemplates.nfsrw: profile nfsrw = root=/dev/nfs "
                          "nfsroot=${nfs-server}:${rootfs-path} ip=dhcp rw",
                          "10: HostDefaults.bc2411b01ade: host bc:24:11:b0:1a:de boots "
                          "debian/bookworm/latest/overlayfs"));
  EXPECT_THAT(import.unknown, IsEmpty());
  EXPECT_THAT(import.refused, IsEmpty());

  ASSERT_EQ(import.mutations.size(), 6u);
  EXPECT_EQ(std::get<SetProfile>(import.mutations[0]).name.text(), "overlayfs");
  EXPECT_EQ(std::get<SetProfile>(import.mutations[1]).name.text(), "nfsrw");
  UpdateSettings default_distro;
  default_distro.default_distro =
      absl::optional<Distro>(*Distro::Parse("debian/stable/latest/overlayfs"));
  default_distro.allow_missing = true;
  EXPECT_EQ(import.mutations[2], Mutation(default_distro));
  UpdateSettings prefix;
  prefix.rootfs_path_prefix =
      absl::optional<RootfsPathPrefix>(*RootfsPathPrefix::Parse("/pxe/rootfs"));
  EXPECT_EQ(import.mutations[3], Mutation(prefix));
  UpdateSettings variable;
  variable.set_variables.emplace(*VariableName::Parse("nfs-server"),
                                 *VariableValue::Parse("172.25.2.11"));
  EXPECT_EQ(import.mutations[4], Mutation(variable));
  EXPECT_EQ(import.mutations[5], Mutation(Assign{*MacAddress::Parse("bc:24:11:b0:1a:de"),
                                                 *Distro::Parse("debian/bookworm/latest/overlayfs"),
                                                 /*allow_missing=*/true}));
  ASSERT_EQ(import.mutation_keys.size(), import.mutations.size());
  EXPECT_EQ(import.mutation_keys[5].line, 10);
}

TEST(AutopxeConfigTest, AnUnknownKeyIsNamedAndTheRestTaken) {
  const Import import =
      Parsed("version: 1\ndefaultdistro: a/b/c/d\nTftpRoot: /x\nDefaultDistro: local\n");
  EXPECT_THAT(Lines(import.unknown),
              ElementsAre("2: defaultdistro: not taken: unknown key; did you mean DefaultDistro?",
                          "3: TftpRoot: not taken: unknown key"));
  EXPECT_THAT(Lines(import.keys), ElementsAre("1: version: 1: AutoPXE's format",
                                              "4: DefaultDistro: default-distro = local"));
}

TEST(AutopxeConfigTest, EveryKeyThatCannotBeTakenIsToldWithItsLine) {
  const Import import = Parsed(
      "version: 1\n"
      "DefaultDistro: debian\n"
      "RootfsPath: pxe/rootfs\n"
      "Env:\n"
      "  bad name: x\n"
      "  value: \"a\\nb\"\n"
      "  loop: ${x}\n"
      "CmdlineTemplates:\n"
      "  open: root=${nfs\n"
      "HostDefaults:\n"
      "  52:54:00:12:34: debian/a/b/c\n"
      "  525400123456: nothing\n"
      "  525400123457: [a]\n");
  std::vector<int> lines;
  for (const ImportedKey& key : import.refused) lines.push_back(key.line);
  EXPECT_THAT(lines, ElementsAre(2, 3, 5, 6, 7, 9, 11, 12, 13))
      << absl::StrJoin(Lines(import.refused), "\n");
  EXPECT_THAT(import.refused[0].outcome, HasSubstr("\"debian\""));
  EXPECT_THAT(import.refused[6].outcome, HasSubstr("expected 6 octets, got 5"));
  EXPECT_THAT(import.mutations, IsEmpty());
}

TEST(AutopxeConfigTest, TwoSpellingsOfOneMacAreAContradiction) {  // faults.md, case 32.
  const Import import =
      Parsed("version: 1\nHostDefaults:\n  BC2411B01ADE: local\n  bc:24:11:b0:1a:de: wait\n");
  EXPECT_THAT(Lines(import.refused),
              ElementsAre("4: HostDefaults.bc:24:11:b0:1a:de: host bc:24:11:b0:1a:de stands in "
                          "line 3 already, in another spelling"));
}

TEST(AutopxeConfigTest, AMacOfDigitsOnlyIsTextNotANumber) {
  const Import import =
      Parsed("version: 1\nHostDefaults:\n  025400123456: local\n  52540e123456: wait\n");
  EXPECT_THAT(import.refused, IsEmpty());
  ASSERT_EQ(import.mutations.size(), 2u);
  EXPECT_EQ(FormatHostReference(std::get<Assign>(import.mutations[0]).host), "02:54:00:12:34:56");
  EXPECT_EQ(FormatHostReference(std::get<Assign>(import.mutations[1]).host), "52:54:0e:12:34:56");
}

TEST(AutopxeConfigTest, AKeyThatStandsTwiceIsRefused) {
  const Import import = Parsed("version: 1\nEnv:\n  a: x\n  a: y\nEnv:\n  b: z\n");
  EXPECT_THAT(Lines(import.refused), ElementsAre("4: Env.a: this key stands twice in the file",
                                                 "5: Env: this key stands twice in the file"));
}

TEST(AutopxeConfigTest, EmptySectionsAndEmptyValuesAreTaken) {
  const Import import = Parsed("version: 1\nEnv:\nHostDefaults: {}\nCmdlineTemplates:\n  plain:\n");
  EXPECT_THAT(import.refused, IsEmpty());
  ASSERT_EQ(import.mutations.size(), 1u);
  EXPECT_EQ(std::get<SetProfile>(import.mutations[0]).command_line.text(), "");
  EXPECT_EQ(import.keys[1].outcome, "empty: nothing to take");
}

TEST(AutopxeConfigTest, TrailingSlashesOfTheRootfsPathGo) {
  for (const auto& [path, expected] : std::vector<std::pair<std::string, std::string>>{
           {"/pxe/rootfs//", "/pxe/rootfs"}, {"/", "/"}, {"/x", "/x"}}) {
    const Import import = Parsed(absl::StrCat("version: 1\nRootfsPath: ", path, "\n"));
    ASSERT_EQ(import.mutations.size(), 1u) << path;
    EXPECT_EQ((*std::get<UpdateSettings>(import.mutations[0]).rootfs_path_prefix)->text(),
              expected);
  }
}

TEST(AutopxeConfigTest, WhatIsNotSuchAFileIsRefusedWithItsLine) {
  const struct {
    std::string text;
    std::string message;
  } kCases[] = {
      {"", "f:1: expected keys such as"},
      {"- a\n- b\n", "f:1: expected keys such as"},
      {"just text", "f:1: expected keys such as"},
      {"DefaultDistro: local\n", "f:1: no \"version: 1\""},
      {"DefaultDistro: local\nversion: 2\n", "f:2: version \"2\": only version 1"},
      {"version: [1]\n", "f:1: version \"\": only version 1"},
      {"version: 1\nEnv: {a: b\n", "f:3: no YAML"},
      {"version: 1\n---\nversion: 1\n", "f:3: a second document"},
      {"? [a, b]\n: c\n", "f:1: a key is not a plain word"},
      {"version: 1\nEnv: *nothing\n", "f:2: no YAML"},
      {std::string(100000, '['), "no YAML"},
      {std::string("version\0: 1", 11), "f:1:"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(ParseAutopxeConfig(c.text, "f"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)))
        << c.text.substr(0, 80);
  }
}

TEST(AutopxeConfigTest, AFileCutAnywhereNeverCrashes) {
  const std::string text =
      "version: 1\nDefaultDistro: a/b/c/d\nRootfsPath: /r/\nEnv:\n  n: \"v\"\n"
      "CmdlineTemplates:\n  t: root=${n} rw\nHostDefaults:\n  bc2411b01ade: a/b/c/d\n";
  for (size_t length = 0; length <= text.size(); ++length) {
    const absl::StatusOr<Import> import = ParseAutopxeConfig(text.substr(0, length), "f");
    if (!import.ok()) {
      EXPECT_THAT(import, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("f:"))) << length;
    }
  }
}

TEST(AutopxeConfigTest, ValuesThatWouldAddACommandAreRefused) {  // faults.md, case 31.
  for (const char* value : {"\"a\\nsanboot\"", "\"${cwduri}\"", "\"\\x1b[2J\"", "\"\xc3\xa4\""}) {
    const Import import = Parsed(absl::StrCat("version: 1\nEnv:\n  v: ", value, "\n"));
    EXPECT_THAT(import.mutations, IsEmpty()) << value;
    EXPECT_EQ(import.refused.size(), 1u) << value;
  }
}

}  // namespace
}  // namespace autopxe::ctl
