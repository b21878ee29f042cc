#include "common/wire/revision_wire.h"

#include <string>

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

TEST(RevisionWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const Revision revision = random.AnyRevision();
    EXPECT_THAT(FromProto(ToProto(revision)), IsOkAndHolds(revision));
    EXPECT_THAT(FromProto(ToProto(revision.id)), IsOkAndHolds(revision.id));
  }
}

TEST(RevisionWireTest, TheRevisionOfAServerThatWasNeverChangedComesBack) {
  EXPECT_THAT(FromProto(ToProto(Revision())), IsOkAndHolds(Revision()));
}

TEST(RevisionWireTest, AnAbsentTimeIsTheEpoch) {
  v1::Revision revision = ToProto(Revision());
  revision.clear_time();
  EXPECT_THAT(FromProto(revision), IsOkAndHolds(Revision()));
}

TEST(RevisionWireTest, RefusesEachInvalidFieldByItsName) {
  const v1::Revision good = ToProto(RandomValues(2).AnyRevision());
  const auto refused = [&](const char* error, auto change) {
    v1::Revision revision = good;
    change(revision);
    EXPECT_THAT(FromProto(revision),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  refused("id: ", [](v1::Revision& r) { r.clear_id(); });
  refused("id.number: \"-1\"", [](v1::Revision& r) { r.mutable_id()->set_number(-1); });
  refused("time: ", [](v1::Revision& r) { r.mutable_time()->set_nanos(-1); });
  refused("user: \"a\\n\"", [](v1::Revision& r) { r.set_user("a\n"); });
  refused("user: ", [](v1::Revision& r) { r.set_user(std::string(129, 'a')); });
  refused("origin: \"\\x1b", [](v1::Revision& r) { r.set_origin("\x1b[2J"); });
  refused("origin: ", [](v1::Revision& r) { r.set_origin(std::string(257, 'a')); });
  refused("request_id: ", [](v1::Revision& r) { r.set_request_id(std::string(65, 'a')); });
  refused("request_id: ", [](v1::Revision& r) { r.set_request_id("b\xc3\xbc"); });
}

TEST(RevisionWireTest, DamagedMessagesNeverCrash) {
  DamageEverywhere(ToProto(RandomValues(3).AnyRevision()),
                   [](const v1::Revision& revision) { return FromProto(revision); });
}

}  // namespace
}  // namespace autopxe
