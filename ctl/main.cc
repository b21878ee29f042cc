#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "ctl/autopxectl.h"

int main(int argc, char** argv) {
  // What gRPC has to say of a connection, the error line says.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  char host_name[256] = {};
  gethostname(host_name, sizeof(host_name) - 1);
  const passwd* const login = getpwuid(getuid());
  const autopxe::ctl::Environment environment{
      .variables = [](const std::string& name) -> absl::optional<std::string> {
        const char* value = getenv(name.c_str());
        if (value == nullptr) return absl::nullopt;
        return value;
      },
      .host_name = host_name,
      .login_name = login == nullptr ? "" : login->pw_name,
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr};
  return autopxe::ctl::Run(std::vector<std::string>(argv + 1, argv + argc), environment);
}
