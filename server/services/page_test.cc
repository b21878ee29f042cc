#include "server/services/page.h"

#include <string>

#include "absl/status/status.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;

TEST(PageTest, SizesHaveADefaultAndALimit) {
  const struct {
    int32_t asked;
    size_t want;
  } kCases[] = {{0, 100}, {1, 1}, {1000, 1000}, {1001, 1000}, {INT32_MAX, 1000}};
  for (const auto& c : kCases) {
    absl::StatusOr<Page> page = ParsePage("hosts", c.asked, "");
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(page->size, c.want);
    EXPECT_EQ(page->after, "");
  }
  for (int32_t size : {-1, INT32_MIN}) {
    EXPECT_THAT(ParsePage("hosts", size, ""),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_size")));
  }
}

TEST(PageTest, APageIsFullByItsItemsOrByTheirBytes) {
  const Page page{.size = 3, .after = ""};
  EXPECT_FALSE(page.IsFull(0, 0));
  EXPECT_FALSE(page.IsFull(2, kMaxPageBytes));
  EXPECT_TRUE(page.IsFull(3, 0));
  EXPECT_TRUE(page.IsFull(1, kMaxPageBytes + 1));
}

TEST(PageTest, ATokenLeadsOnFromTheLastOne) {
  for (const char* last : {"a", "52:54:00:12:34:56", "debian/bookworm/latest/nfs", "x:y", "~"}) {
    absl::StatusOr<Page> page = ParsePage("hosts", 0, FormatPageToken("hosts", last));
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(page->after, last);
  }
}

TEST(PageTest, ATokenOfAnotherListOrOfNobodyIsRefused) {
  const std::string token = FormatPageToken("hosts", "web-1");
  EXPECT_THAT(ParsePage("profiles", 0, token), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParsePage("host", 0, token), StatusIs(absl::StatusCode::kInvalidArgument));
  for (const std::string& bad : {std::string("web-1"), std::string("!"), std::string("\x00\xff", 2),
                                 std::string("aG9zdHM6")}) {
    EXPECT_THAT(ParsePage("hosts", 0, bad),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")))
        << bad;
  }
  for (size_t n = 1; n < token.size(); ++n) {
    absl::StatusOr<Page> page = ParsePage("hosts", 0, token.substr(0, n));
    if (!page.ok()) continue;
    EXPECT_EQ(page->after, std::string("web-1").substr(0, page->after.size()));
  }
}

}  // namespace
}  // namespace autopxe::server
