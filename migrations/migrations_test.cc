#include "migrations/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "common/digest/sha256.h"

namespace autopxe::server {
namespace {

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
    EXPECT_EQ(migration.checksum, absl::BytesToHexString(Sha256Of(migration.sql)))
        << migration.name;
  }
}

}  // namespace
}  // namespace autopxe::server
