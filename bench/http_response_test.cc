#include "bench/http_response.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::bench {
namespace {

constexpr char kHead[] = "HTTP/1.1 200 OK\r\nServer: s\r\ncontent-length:  5\r\n\r\n";

TEST(HttpResponseTest, IsTakenInPiecesOfAnySize) {
  const Reference reference("12345");
  const std::string all = absl::StrCat(kHead, "12345", "HTTP/1.1");
  for (size_t piece = 1; piece <= all.size(); ++piece) {
    HttpResponse response(&reference);
    EXPECT_TRUE(response.is_fresh());
    size_t taken = 0;
    for (size_t i = 0; i < all.size() && !response.is_done(); i += piece) {
      const auto part = response.Take(absl::string_view(all).substr(i, piece));
      ASSERT_THAT(part, IsOk());
      taken += *part;
    }
    EXPECT_TRUE(response.is_done()) << piece;
    EXPECT_TRUE(response.keeps_connection());
    EXPECT_EQ(response.bytes(), 5u);
    EXPECT_EQ(taken, all.size() - 8) << piece;
  }
}

TEST(HttpResponseTest, SaysWhenTheConnectionEnds) {
  const Reference any;
  HttpResponse response(&any);
  ASSERT_THAT(response.Take("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n"),
              IsOk());
  EXPECT_TRUE(response.is_done());
  EXPECT_FALSE(response.keeps_connection());
}

TEST(HttpResponseTest, RefusesWhatIsNotTheReference) {
  const Reference reference("12345");
  for (const std::string& answer : {
           absl::StrCat(kHead, "12346"),
           absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "1234"),
           std::string("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n12345"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n"),
           std::string(100'000, 'x'),
       }) {
    HttpResponse response(&reference);
    absl::Status status;
    for (size_t i = 0; i < answer.size() && status.ok(); i += 65'536) {
      status = response.Take(absl::string_view(answer).substr(i, 65'536)).status();
    }
    EXPECT_FALSE(status.ok()) << answer.substr(0, 80);
  }
}

}  // namespace
}  // namespace autopxe::bench
