#include "common/wire/field.h"

#include "common/model/distro.h"
#include "common/model/mac_address.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(FieldTest, AnErrorNamesTheFieldAndTheValueForPeopleAndForPrograms) {
  const absl::Status error = ParseField<MacAddress>("macs[1]", "52:54").status();
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kInvalidArgument,
                              "macs[1]: mac \"52:54\": expected 6 octets, got 2"));
  const Problem problem = MalformedProblem(error);
  EXPECT_EQ(problem.reason, Reason::kMalformed);
  EXPECT_EQ(problem.mutation, -1);
  EXPECT_EQ(problem.field, "macs[1]");
  EXPECT_EQ(problem.value, "52:54");
  EXPECT_EQ(problem.message, error.message());
}

TEST(FieldTest, AnErrorWithinAnotherMessageNamesThePath) {
  const absl::Status error =
      Within(Element("hosts", 3), ParseField<MacAddress>("macs[1]", "52:54").status());
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kInvalidArgument,
                              "hosts[3].macs[1]: mac \"52:54\": expected 6 octets, got 2"));
  EXPECT_EQ(MalformedProblem(error).field, "hosts[3].macs[1]");
  EXPECT_EQ(MalformedProblem(error).value, "52:54");
  EXPECT_THAT(Within("hosts[3]", absl::OkStatus()), IsOk());
}

TEST(FieldTest, AnEmptyOptionalFieldIsNothing) {
  EXPECT_THAT(ParseOptionalField<Distro>("distro", ""), IsOkAndHolds(absl::optional<Distro>()));
  EXPECT_THAT(ParseOptionalField<Distro>("distro", "menu"),
              IsOkAndHolds(absl::optional<Distro>(Distro::Menu())));
  EXPECT_THAT(ParseOptionalField<Distro>("distro", "x/y"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(FieldTest, ChecksNumbersAndText) {
  EXPECT_THAT(CheckAtLeast("etag", 0, 0), IsOk());
  EXPECT_THAT(CheckAtLeast("etag", -1, 0),
              StatusIs(absl::StatusCode::kInvalidArgument, "etag: \"-1\": expected 0 or more"));
  EXPECT_THAT(CheckPrintable("user", "a b", 3), IsOk());
  EXPECT_THAT(CheckPrintable("user", "a bc", 3),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "user: \"a bc\": expected 3 characters at most, got 4"));
  // faults.md 31.
  EXPECT_THAT(CheckPrintable("user", "a\n", 3),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "user: \"a\\n\": expected printable ASCII only"));
}

TEST(FieldTest, AnErrorInAnElementOrAnEntryNamesIt) {
  EXPECT_THAT(ParseElement<MacAddress>("macs", 1, "52:54:00:00:00:01"), IsOk());
  EXPECT_EQ(MalformedProblem(ParseElement<MacAddress>("macs", 1, "52:54").status()).field,
            "macs[1]");
  EXPECT_THAT(ParseEntry<MacAddress>("labels", "rack", "52:54:00:00:00:01"), IsOk());
  EXPECT_THAT(ParseEntry<MacAddress>("labels", "rack", "52:54"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "labels.rack: mac \"52:54\": expected 6 octets, got 2"));
}

TEST(FieldTest, AMapsEntriesComeByKey) {
  TextMap map;
  for (const char* key : {"c", "a", "d", "b"}) map[key] = "x";
  std::string keys;
  for (const auto* entry : SortedEntries(map)) keys += entry->first;
  EXPECT_EQ(keys, "abcd");
}

}  // namespace
}  // namespace autopxe
