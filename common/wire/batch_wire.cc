#include "common/wire/batch_wire.h"

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/wire/field.h"
#include "common/wire/mutation_wire.h"

namespace autopxe {
namespace {

// Of ApplyRequest.mutations, and as many etags.
constexpr int kMaxMutations = 100000;
constexpr size_t kMaxRequestId = 64;
constexpr size_t kMaxUser = 128;
constexpr size_t kMaxProblems = 100;

Problem BadSize(absl::string_view field, int size, absl::string_view what) {
  Problem problem;
  problem.reason = Reason::kBatchInvalid;
  problem.field = std::string(field);
  problem.value = absl::StrCat(size);
  problem.message = std::string(what);
  return problem;
}

}  // namespace

absl::StatusOr<Batch> BatchFromProto(
    const google::protobuf::RepeatedPtrField<v1::Mutation>& mutations,
    const v1::RequestOptions& options, std::vector<Problem>& problems) {
  absl::Status first;
  const auto add = [&](Problem problem) {
    if (first.ok()) {
      const std::string where =
          problem.mutation < 0 || mutations.size() == 1
              ? ""
              : absl::StrCat("mutation ", problem.mutation + 1, " of ", mutations.size(), ": ");
      first = absl::InvalidArgumentError(absl::StrCat(where, problem.message));
    }
    if (problems.size() < kMaxProblems) problems.push_back(std::move(problem));
  };
  const auto check = [&](const absl::Status& status, int mutation) {
    if (status.ok()) return;
    Problem problem = MalformedProblem(status);
    problem.mutation = mutation;
    add(std::move(problem));
  };

  if (mutations.empty()) {
    add(BadSize("mutations", 0, "the batch is empty: expected one mutation at least"));
  }
  for (const auto& [field, size] :
       {std::make_pair("mutations", mutations.size()),
        std::make_pair("expected_etags", options.expected_etags_size())}) {
    if (size <= kMaxMutations) continue;
    add(BadSize(field, size,
                absl::StrCat(field, ": expected ", kMaxMutations, " at most, got ", size)));
    return first;
  }

  check(CheckPrintable("request_id", options.request_id(), kMaxRequestId), -1);
  check(CheckPrintable("user", options.user(), kMaxUser), -1);
  Batch batch;
  batch.mutations.reserve(mutations.size());
  for (int i = 0; i < mutations.size(); ++i) {
    absl::StatusOr<Mutation> mutation = FromProto(mutations[i]);
    check(mutation.status(), i);
    if (mutation.ok()) batch.mutations.push_back(*std::move(mutation));
  }
  for (int i = 0; i < options.expected_etags_size(); ++i) {
    absl::StatusOr<ExpectedEtag> expected = FromProto(options.expected_etags(i));
    check(Within(Element("expected_etags", i), expected.status()), -1);
    if (expected.ok()) batch.expected_etags.push_back(*std::move(expected));
  }
  if (!first.ok()) return first;
  batch.force = options.force();
  return batch;
}

absl::StatusOr<Batch> BatchFromProto(const v1::ApplyRequest& request,
                                     std::vector<Problem>& problems) {
  return BatchFromProto(request.mutations(), request.options(), problems);
}

}  // namespace autopxe
