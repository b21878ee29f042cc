#include "common/model/revision.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(RevisionIdTest, FormatsTheNumberAndTheWholeTag) {
  EXPECT_EQ((RevisionId{17, 0x9f3a5c0de1b24768}).Format(), "17-9f3a5c0de1b24768");
  EXPECT_EQ(RevisionId{}.Format(), "0-0000000000000000");
  EXPECT_EQ((RevisionId{INT64_MAX, UINT64_MAX}).Format(), "9223372036854775807-ffffffffffffffff");
}

TEST(RevisionIdTest, OneNumberWithTwoTagsIsTwoRevisions) {
  EXPECT_NE((RevisionId{17, 1}), (RevisionId{17, 2}));
  EXPECT_EQ((RevisionId{17, 1}), (RevisionId{17, 1}));
}

}  // namespace
}  // namespace autopxe
