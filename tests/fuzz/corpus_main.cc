// Runs a fuzz target over the files of the folders that are named.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

int main(int argc, char** argv) {
  int inputs = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& file : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream stream(file.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
      std::printf("%s\n", file.path().c_str());
      std::fflush(stdout);
      // Of exactly its size, so that a byte beyond it is seen.
      const std::unique_ptr<uint8_t[]> input(new uint8_t[bytes.size()]);
      bytes.copy(reinterpret_cast<char*>(input.get()), bytes.size());
      LLVMFuzzerTestOneInput(input.get(), bytes.size());
      ++inputs;
    }
  }
  std::printf("%d inputs\n", inputs);
  return inputs > 0 ? 0 : 1;
}
