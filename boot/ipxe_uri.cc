#include "boot/ipxe_uri.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace autopxe {

std::string DecodeUri(absl::string_view encoded) {
  std::string text;
  for (size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '%' && i + 2 < encoded.size() &&
        absl::ascii_isxdigit(static_cast<unsigned char>(encoded[i + 1])) &&
        absl::ascii_isxdigit(static_cast<unsigned char>(encoded[i + 2]))) {
      text += absl::HexStringToBytes(encoded.substr(i + 1, 2));
      i += 2;
    } else {
      text += encoded[i];
    }
  }
  return text;
}

std::string EncodeUri(absl::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (!absl::ascii_isprint(octet) ||
        absl::string_view(" %/#:@?").find(c) != absl::string_view::npos) {
      absl::StrAppend(&encoded, "%",
                      absl::AsciiStrToUpper(absl::BytesToHexString(absl::string_view(&c, 1))));
    } else {
      encoded += c;
    }
  }
  return encoded;
}

}  // namespace autopxe
