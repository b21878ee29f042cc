#pragma once

#include <string>

#include "boot/ipxe_interpreter.h"
#include "gtest/gtest.h"

namespace autopxe {

// What `ipxe` does with `script`; the test fails if that is none for iPXE.
inline IpxeInterpreter::Result Play(IpxeInterpreter& ipxe, const std::string& script) {
  const auto result = ipxe.Run(script);
  EXPECT_TRUE(result.ok()) << result.status() << "\n" << script;
  return result.ok() ? *result : IpxeInterpreter::Result();
}

}  // namespace autopxe
