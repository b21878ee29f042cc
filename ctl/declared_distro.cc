#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/exit_code.h"

namespace autopxe::ctl {
namespace {

struct DeclareArguments {
  std::string name;
  std::string kernel;
  std::vector<std::string> initrds;
  std::string arguments;
  std::string chain;
  std::string architecture;
};

// Whether the words fit together; what each says, the server judges.
// Errors: a usage error.
absl::Status CheckDeclaration(const DeclareArguments& arguments) {
  if (arguments.kernel.empty() == arguments.chain.empty()) {
    return UsageError(
        "distro declare: expected either --kernel or --chain; see autopxectl distro declare "
        "--help");
  }
  if (!arguments.chain.empty() && (!arguments.initrds.empty() || !arguments.arguments.empty())) {
    return UsageError(
        "distro declare: --initrd and --arguments belong to --kernel: what is chained gets "
        "neither");
  }
  return absl::OkStatus();
}

absl::Status RunDeclare(Session& session, const DeclareArguments& arguments) {
  RETURN_IF_ERROR(CheckDeclaration(arguments));
  v1::ApplyRequest batch;
  v1::DeclaredDistro& distro = *batch.add_mutations()->mutable_declare_distro();
  distro.set_name(arguments.name);
  if (arguments.chain.empty()) {
    v1::DeclaredDistro::Kernel& kernel = *distro.mutable_kernel();
    kernel.set_file(arguments.kernel);
    for (const std::string& initrd : arguments.initrds) kernel.add_initrds(initrd);
    kernel.set_arguments(arguments.arguments);
  } else {
    distro.set_chain(arguments.chain);
  }
  distro.set_architecture(arguments.architecture);
  return session.Apply(std::move(batch));
}

absl::Status RunDelete(Session& session, const std::vector<std::string>& names) {
  v1::ApplyRequest batch;
  for (const std::string& name : names) {
    batch.add_mutations()->mutable_delete_declared_distro()->set_name(name);
  }
  return session.Apply(std::move(batch));
}

void AddDeclareCommand(CLI::App& noun, Session& session) {
  const auto declared = std::make_shared<DeclareArguments>();
  CLI::App& command = AddCommand(
      noun, session,
      {"declare", "NAME --kernel FILE|--chain FILE",
       "Make a distro of given files: an installer, a memory test, a firmware update",
       "Hosts are then assigned to NAME. Declared again, it is replaced whole.\n\n"
       "FILE is a path below the agents' folder of files (--files of autopxe-agent), without a "
       "'/'\n"
       "in front, or a URL: http, https or tftp. The arguments are a template, as a profile is\n"
       "(autopxectl profile set --help), without what only a scanned kernel has: rootfs-path,\n"
       "release, kernel, arch and distro-name. Put them between single quotes; those that begin\n"
       "with a dash follow a '=': --arguments='--- quiet'. What lies below the folder of files\n"
       "is fetched below files/ at the agent's HTTP port, 8080 unless set.\n\n"
       "Examples:\n"
       "  autopxectl distro declare memtest --kernel memtest/mt86plus\n"
       "  autopxectl distro declare install --kernel debian-13/linux --initrd "
       "debian-13/initrd.gz \\\n"
       "    --arguments 'auto=true priority=critical "
       "url=http://${agent-address}:8080/files/debian-13/preseed.cfg'\n"
       "  autopxectl distro declare netboot --chain http://boot.netboot.xyz/menu.ipxe\n"
       "  autopxectl assign cn001 install --next"},
      [&session, declared] { return RunDeclare(session, *declared); });
  command.add_option("name", declared->name)->required();
  command.add_option("--kernel", declared->kernel, "the kernel")->type_name("FILE");
  command
      .add_option("--initrd", declared->initrds, "an initrd; several in the order of these options")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_option("--arguments", declared->arguments, "the kernel's command line")
      ->type_name("TEMPLATE");
  command
      .add_option("--chain", declared->chain,
                  "what iPXE goes on with instead: a script or a program")
      ->type_name("FILE");
  command
      .add_option("--arch", declared->architecture,
                  "what it runs on: x86_64, i386, arm64, riscv64, arm32 (any)")
      ->type_name("ARCH");
  AddChangeOptions(command, session);
}

}  // namespace

void AddDeclaredDistroCommands(CLI::App& distro, Session& session) {
  AddDeclareCommand(distro, session);
  const auto deleted = std::make_shared<std::vector<std::string>>();
  CLI::App& command = AddCommand(distro, session,
                                 {"delete", "NAME...", "Delete declared distros that nothing uses",
                                  "The agents' files stay where they are.\n\n"
                                  "Example:\n  autopxectl distro delete memtest"},
                                 [&session, deleted] { return RunDelete(session, *deleted); });
  command.add_option("names", *deleted)->required();
  AddChangeOptions(command, session);
}

}  // namespace autopxe::ctl
