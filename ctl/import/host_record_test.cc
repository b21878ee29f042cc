#include "ctl/import/host_record.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ctl/import/host_csv.h"
#include "ctl/import/host_yaml.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A line for each: "2:7: macs: ...".
std::string ProblemsOf(const HostTable& table) {
  return absl::StrJoin(
      ReadHostRecords(table).problems, "\n", [](std::string* text, const ImportProblem& problem) {
        absl::StrAppend(text, problem.place.line, ":", problem.place.column, ": ", problem.message);
      });
}

constexpr char kCsv[] =
    "name,macs,label.rack,var.console,distro,note\r\n"
    "CN1,52:54:00:00:00:02;525400000001,r1,\"ttyS1,115200\",debian/bookworm/latest/nfs,\r\n"
    ",52-54-00-00-00-03,,,,spare\r\n";

constexpr char kYaml[] = R"(
- name: CN1
  macs: ["52:54:00:00:00:02", "525400000001"]
  labels: {rack: r1, row: "", pdu: }
  variables:
    console: ttyS1,115200
    extra:
  distro: debian/bookworm/latest/nfs
  note:
- macs: 52-54-00-00-00-03
  note: spare
)";

TEST(HostRecordTest, BothFormatsSayTheSame) {
  for (const HostTable& table : {ParseHostCsv(kCsv), ParseHostYaml(kYaml)}) {
    EXPECT_EQ(ProblemsOf(table), "");
    const HostRecords read = ReadHostRecords(table);
    ASSERT_THAT(read.records, SizeIs(2));
    const HostRecord& cn1 = read.records[0];
    EXPECT_EQ(cn1.name->text(), "cn1");
    ASSERT_THAT(cn1.macs, SizeIs(2));
    EXPECT_EQ(cn1.macs[0].Format(), "52:54:00:00:00:02");
    EXPECT_EQ(FormatLabels(cn1.labels), "rack=r1");
    ASSERT_THAT(cn1.variables, SizeIs(1));
    EXPECT_EQ(cn1.variables.begin()->second.text(), "ttyS1,115200");
    EXPECT_EQ(cn1.distro->Format(), "debian/bookworm/latest/nfs");
    EXPECT_FALSE(cn1.note.has_value());
    const HostRecord& spare = read.records[1];
    EXPECT_FALSE(spare.name.has_value());
    EXPECT_THAT(spare.labels, IsEmpty());
    EXPECT_FALSE(spare.distro.has_value());
    EXPECT_EQ(spare.note->text(), "spare");
  }
}

TEST(HostRecordTest, EveryBadValueIsNamedByItsPlace) {
  const std::string problems =
      ProblemsOf(ParseHostCsv("name,macs,label.rack,distro\n"
                              "cn1,52:54:00:00:00,r 1,a/b\n"
                              "cn2,52:54:00:00:00:01\n"
                              "cn3,,,\n"
                              "cn3,52:54:00:00:00:02,,\n"
                              ",,r1,\n"
                              "52:54:00:00:00:03,,,\n"));
  EXPECT_THAT(problems, AllOf(HasSubstr("2:5: macs: mac \"52:54:00:00:00\""),
                              HasSubstr("2:20: label.rack: "), HasSubstr("2:24: distro: "),
                              HasSubstr("3:1: expected 4 values, as in the first line, got 2"),
                              HasSubstr("5:1: name: \"cn3\" stands in line 4, column 1 already")));
  EXPECT_THAT(problems, AllOf(HasSubstr("6:1: expected a name or a MAC"),
                              HasSubstr("7:1: name: \"52:54:00:00:00:03\" is a MAC")));
}

TEST(HostRecordTest, AHeaderThatIsWrongIsToldOnce) {
  EXPECT_THAT(ProblemsOf(ParseHostCsv("name,rack,label.,name\na,b,c,d\ne,f,g,h\n")),
              AllOf(HasSubstr("1:6: column \"rack\": expected name, macs"), HasSubstr("1:11: "),
                    HasSubstr("1:18: column \"name\" stands twice")));
  EXPECT_THAT(ProblemsOf(ParseHostCsv("")), HasSubstr("1:1: expected a line"));
}

TEST(HostRecordTest, YamlThatIsNoListOfHostsIsRefusedByItsPlace) {
  const struct {
    const char* text;
    const char* problem;
  } kCases[] = {
      {"name: a\n", "1:1: expected a list"},
      {"- a\n", "1:3: expected a host"},
      {"- name: a\n  rack: r1\n", "2:3: key \"rack\": expected name, macs, labels"},
      {"- name: a\n  label.rack: r1\n", "2:3: key \"label.rack\""},
      {"- name: a\n  name: b\n", "2:3: \"name\" stands twice"},
      {"- name: a\n  labels: r1\n", "2:11: labels: expected a mapping"},
      {"- name: a\n  labels: {-x: y}\n", "2:12: "},
      {"- name: a\n  distro: [a, b]\n", "2:11: distro: expected a single value"},
      {"- name: [\n", "no YAML"},
      {"", "1:1: expected one document"},
      {"- name: a\n---\n- name: b\n", "expected one document"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(ProblemsOf(ParseHostYaml(c.text)), HasSubstr(c.problem)) << c.text;
  }
}

}  // namespace
}  // namespace autopxe::ctl
