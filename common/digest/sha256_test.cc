#include "common/digest/sha256.h"

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

// FIPS 180-4's example.
TEST(Sha256Test, PiecesGiveTheDigestOfTheWhole) {
  Sha256 sha256;
  sha256.Add("a");
  sha256.Add("");
  sha256.Add("bc");
  EXPECT_EQ(absl::BytesToHexString(sha256.Finish()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(absl::BytesToHexString(Sha256Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace autopxe
