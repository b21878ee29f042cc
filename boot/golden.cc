#include "boot/golden.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/str_split.h"

namespace autopxe {

testing::AssertionResult IsGolden(const std::string& text, const std::string& name) {
  std::ifstream file("boot/testdata/" + name, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  const std::string golden = content.str();
  if (file.is_open() && golden == text) return testing::AssertionSuccess();

  if (const char* outputs = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR"); outputs != nullptr) {
    std::ofstream(std::string(outputs) + "/" + name, std::ios::binary) << text;
  }
  const std::vector<std::string> wanted = absl::StrSplit(golden, '\n');
  const std::vector<std::string> got = absl::StrSplit(text, '\n');
  const size_t common = std::min(wanted.size(), got.size());
  size_t line = 0;
  while (line < common && wanted[line] == got[line]) ++line;
  const auto at = [&](const std::vector<std::string>& lines) {
    return line < lines.size() ? lines[line] : std::string("(the end)");
  };
  return testing::AssertionFailure()
         << name << ":" << line + 1 << ":\n  is      " << at(wanted) << "\n  rendered " << at(got);
}

}  // namespace autopxe
