#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"

namespace autopxe {

// Whether `text` is what boot/testdata/<name> holds. If not, the message shows the first line that
// differs, and the whole text is in the test's undeclared outputs
// (bazel-testlogs/boot/<test>/test.outputs), to be copied over the file when the change is meant.
testing::AssertionResult IsGolden(const std::string& text, const std::string& name);

}  // namespace autopxe
