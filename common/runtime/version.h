#pragma once

namespace autopxe {

// The version of every program of this tree. The one place to change it.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace autopxe
