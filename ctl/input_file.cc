#include "ctl/input_file.h"

#include <cstddef>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "ctl/exit_code.h"

namespace autopxe::ctl {
namespace {

// Room for 100,000 hosts with their labels.
constexpr size_t kMaxSize = 32 << 20;

}  // namespace

absl::StatusOr<std::string> ReadInput(const std::string& path, std::istream& standard_input) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& input = path == "-" ? standard_input : file;
  std::string text(kMaxSize + 1, '\0');
  // What can't be opened, and a folder, fail before their end.
  if (!input.good() || !input.read(text.data(), text.size()).eof()) {
    return UsageError(absl::StrCat("can't read ", path == "-" ? "standard input" : Quote(path),
                                   ", or it is larger than ", kMaxSize >> 20, " MiB"));
  }
  text.resize(input.gcount());
  return text;
}

}  // namespace autopxe::ctl
