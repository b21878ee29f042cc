#include "server/services/call.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

std::string Digest(const std::string& request) {
  v1::ApplyRequest apply;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(request, &apply)) << request;
  return RequestDigest(apply.mutations(), apply.options());
}

TEST(RequestDigestTest, ARequestSentAgainHasTheSameDigest) {
  const std::string request =
      "mutations { assign { host: 'a' distro: 'menu' } } options { user: 'u' ";
  EXPECT_EQ(Digest(request + "}").size(), 32u);
  EXPECT_EQ(Digest(request + "}"), Digest(request + "request_id: 'x' }"));
}

TEST(RequestDigestTest, WhatIsAskedForChangesIt) {
  const std::string requests[] = {
      "",
      "mutations { assign { host: 'a' distro: 'menu' } }",
      "mutations { assign { host: 'a' distro: 'wait' } }",
      "mutations { assign { host: 'a' distro: 'menu' allow_missing: true } }",
      "mutations { assign { host: 'a' distro: 'menu' } } options { validate_only: true }",
      "mutations { assign { host: 'a' distro: 'menu' } } options { expected_etags { etag: 1 } }",
      "mutations { unassign { host: 'a' } } mutations { unassign { host: 'b' } }",
      "mutations { unassign { host: 'b' } } mutations { unassign { host: 'a' } }",
      "mutations { unassign { host: 'a' } }",
  };
  for (const std::string& a : requests) {
    for (const std::string& b : requests) {
      EXPECT_EQ(Digest(a) == Digest(b), &a == &b) << a << "\n" << b;
    }
  }
}

TEST(RequestDigestTest, TheOrderInWhichAMapWasFilledIsNoPartOfIt) {
  std::string forth = "mutations { update_settings { ";
  std::string back = forth;
  for (int i = 0; i < 50; ++i) {
    const auto entry = [](int n) {
      return "set_variables { key: 'v" + std::to_string(n) + "' value: 'x' } ";
    };
    forth += entry(i);
    back += entry(49 - i);
  }
  EXPECT_EQ(Digest(forth + "} }"), Digest(back + "} }"));
}

}  // namespace
}  // namespace autopxe::server
