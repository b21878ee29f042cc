#include "common/wire/batch_wire.h"

#include <string>
#include <vector>

#include "common/status/status_matchers.h"
#include "common/wire/mutation_wire.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void AddAssign(v1::ApplyRequest& request, const std::string& host, const std::string& distro) {
  v1::Mutation::Assign* assign = request.add_mutations()->mutable_assign();
  assign->set_host(host);
  assign->set_distro(distro);
}

TEST(BatchWireTest, ValuesComeBackInTheirOrder) {
  RandomValues random(1);
  Batch expected;
  v1::ApplyRequest request;
  for (int i = 0; i < 100; ++i) {
    expected.mutations.push_back(random.AnyMutation());
    *request.add_mutations() = ToProto(expected.mutations.back());
    expected.expected_etags.push_back(random.AnyExpectedEtag());
    *request.mutable_options()->add_expected_etags() = ToProto(expected.expected_etags.back());
  }
  std::vector<Problem> problems;
  const absl::StatusOr<Batch> batch = BatchFromProto(request, problems);
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->mutations, expected.mutations);
  EXPECT_EQ(batch->expected_etags, expected.expected_etags);
  EXPECT_THAT(problems, IsEmpty());
}

TEST(BatchWireTest, TellsEverythingThatIsWrongAndTheFirstInWords) {
  v1::ApplyRequest request;
  AddAssign(request, "a", "menu");
  AddAssign(request, "52:54", "menu");
  AddAssign(request, "b", "debian/x");
  request.mutable_options()->add_expected_etags()->set_profile("a b");
  std::vector<Problem> problems;
  EXPECT_THAT(BatchFromProto(request, problems),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "mutation 2 of 3: host: mac \"52:54\": expected 6 octets, got 2"));
  ASSERT_THAT(problems, SizeIs(3));
  EXPECT_EQ(problems[0].reason, Reason::kMalformed);
  EXPECT_EQ(problems[0].mutation, 1);
  EXPECT_EQ(problems[0].field, "host");
  EXPECT_EQ(problems[0].value, "52:54");
  EXPECT_EQ(problems[1].mutation, 2);
  EXPECT_EQ(problems[1].field, "distro");
  EXPECT_EQ(problems[1].value, "debian/x");
  EXPECT_EQ(problems[2].mutation, -1);
  EXPECT_EQ(problems[2].field, "expected_etags[0].profile");
}

TEST(BatchWireTest, TheOnlyMutationNeedsNoNumber) {
  v1::ApplyRequest request;
  AddAssign(request, "52:54", "menu");
  std::vector<Problem> problems;
  EXPECT_THAT(BatchFromProto(request, problems),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "host: mac \"52:54\": expected 6 octets, got 2"));
}

TEST(BatchWireTest, RefusesAnEmptyBatchAndOneThatIsTooLarge) {
  v1::ApplyRequest request;
  std::vector<Problem> problems;
  EXPECT_THAT(BatchFromProto(request, problems),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the batch is empty")));
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].reason, Reason::kBatchInvalid);

  AddAssign(request, "a", "menu");
  for (int i = 0; i < 100000; ++i) *request.add_mutations() = request.mutations(0);
  problems.clear();
  EXPECT_THAT(BatchFromProto(request, problems),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "mutations: expected 100000 at most, got 100001"));
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].reason, Reason::kBatchInvalid);
  EXPECT_EQ(problems[0].field, "mutations");

  request.mutable_mutations()->RemoveLast();
  problems.clear();
  EXPECT_THAT(BatchFromProto(request, problems), IsOk());
}

TEST(BatchWireTest, TheNumberOfProblemsIsBounded) {
  v1::ApplyRequest request;
  for (int i = 0; i < 1000; ++i) AddAssign(request, "", "");
  std::vector<Problem> problems;
  EXPECT_THAT(BatchFromProto(request, problems), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(problems, SizeIs(100));
}

// faults.md 31: they are logged and shown.
TEST(BatchWireTest, RefusesARequestIdOrAUserThatIsNotPlainText) {
  const struct {
    std::string request_id;
    std::string user;
    const char* field;
  } kCases[] = {
      {std::string(65, 'a'), "", "request_id"},
      {"a\nb", "", "request_id"},
      {"", std::string(129, 'a'), "user"},
      {"", "\x1b[2J", "user"},
      {"", "b\xc3\xbcro", "user"},
  };
  for (const auto& c : kCases) {
    v1::ApplyRequest request;
    AddAssign(request, "a", "menu");
    request.mutable_options()->set_request_id(c.request_id);
    request.mutable_options()->set_user(c.user);
    std::vector<Problem> problems;
    EXPECT_THAT(BatchFromProto(request, problems),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.field)));
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].field, c.field);
  }
  v1::ApplyRequest request;
  AddAssign(request, "a", "menu");
  request.mutable_options()->set_request_id(std::string(64, 'a'));
  request.mutable_options()->set_user(std::string(128, 'a'));
  std::vector<Problem> problems;
  EXPECT_THAT(BatchFromProto(request, problems), IsOk());
}

TEST(BatchWireTest, DamagedMessagesNeverCrash) {
  v1::ApplyRequest request;
  AddAssign(request, "52:54:00:12:34:56", "debian/bookworm/latest/overlayfs");
  AddAssign(request, "a", "menu");
  request.mutable_options()->set_user("u");
  request.mutable_options()->add_expected_etags()->set_host("a");
  DamageEverywhere(request, [](const v1::ApplyRequest& damaged) {
    std::vector<Problem> problems;
    absl::StatusOr<Batch> batch = BatchFromProto(damaged, problems);
    EXPECT_EQ(batch.ok(), problems.empty());
    return batch;
  });
}

}  // namespace
}  // namespace autopxe
