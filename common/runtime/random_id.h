#pragma once

#include <string>

namespace autopxe {

// 32 hexadecimal digits from the kernel's generator: an id that nobody else has drawn and nobody
// can guess.
std::string BuildRandomId();

}  // namespace autopxe
