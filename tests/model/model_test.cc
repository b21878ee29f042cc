// Random commands, restarts and outages, by fixed seeds, against a model that is too simple to be
// wrong. A run that differs prints its steps; AUTOPXE_TEST_MODEL_FIRST_SEED=<its seed> and
// AUTOPXE_TEST_MODEL_SEEDS=1 run it alone. tools/soak.sh runs many more.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "common/runtime/logging.h"
#include "gtest/gtest.h"
#include "server/sqlite/temp_folder.h"
#include "tests/model/run.h"

namespace autopxe::tests {
namespace {

constexpr uint64_t kSeeds = 600;
constexpr int kSteps = 30;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  uint64_t number = otherwise;
  if (text != nullptr && !absl::SimpleAtoi(text, &number)) {
    ADD_FAILURE() << name << "=" << text << ": expected a number";
  }
  return number;
}

// One of the parts that Bazel runs beside each other (shard_count).
class ModelTest : public testing::TestWithParam<uint64_t> {
 public:
  static constexpr uint64_t kParts = 4;

  // The steps say more than thousands of lines would.
  static void SetUpTestSuite() { SetLogLevel(LogLevel::kError); }
};

TEST_P(ModelTest, FindsNoDifferenceBetweenServerAgentsAndModel) {
  const uint64_t first = FromEnvironment("AUTOPXE_TEST_MODEL_FIRST_SEED", 1);
  const uint64_t seeds = FromEnvironment("AUTOPXE_TEST_MODEL_SEEDS", kSeeds);
  for (uint64_t seed = first + GetParam(); seed < first + seeds; seed += kParts) {
    const server::TempFolder folder;
    const RunResult result = RunSeed(seed, kSteps, folder.File("site"));
    ASSERT_EQ(result.difference, "")
        << "seed " << seed << ", after these steps:\n  " << absl::StrJoin(result.steps, "\n  ");
  }
}

INSTANTIATE_TEST_SUITE_P(EveryFourthSeedFrom, ModelTest,
                         testing::Range(uint64_t{0}, ModelTest::kParts));

}  // namespace
}  // namespace autopxe::tests
