#include "migrations/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>

#include "absl/strings/escaping.h"

namespace autopxe::server {
namespace {

std::string Sha256(absl::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(digest), size));
}

TEST(MigrationsTest, NumbersCountUpFromOne) {
  int expected = 0;
  for (const Migration& migration : Migrations()) {
    EXPECT_EQ(migration.number, ++expected);
    EXPECT_FALSE(migration.name.empty());
  }
  EXPECT_GE(expected, 2);
}

TEST(MigrationsTest, ChecksumsAreThoseOfTheEmbeddedText) {
  for (const Migration& migration : Migrations()) {
    EXPECT_EQ(migration.checksum, Sha256(migration.sql)) << migration.name;
  }
}

}  // namespace
}  // namespace autopxe::server
