#include "common/digest/sha256.h"

#include "absl/base/internal/raw_logging.h"

namespace autopxe {

// OpenSSL's digests fail only for want of memory, or in a build of it that has no SHA-256.
Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  ABSL_RAW_CHECK(
      context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
      "no SHA-256");
}

void Sha256::Add(absl::string_view bytes) {
  ABSL_RAW_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1,
                 "SHA-256 failed");
}

std::string Sha256::Finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ABSL_RAW_CHECK(EVP_DigestFinal_ex(context_.get(), digest, &size) == 1, "SHA-256 failed");
  return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string Sha256Of(absl::string_view bytes) {
  Sha256 sha256;
  sha256.Add(bytes);
  return sha256.Finish();
}

}  // namespace autopxe
