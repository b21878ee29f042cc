#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace autopxe {

// SHA-256 of bytes that come in pieces. To be used by one thread at a time.
class Sha256 {
 public:
  Sha256();

  void Add(absl::string_view bytes);

  // The digest's 32 bytes. Nothing can be added after it.
  std::string Finish();

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// The digest's 32 bytes.
std::string Sha256Of(absl::string_view bytes);

}  // namespace autopxe
