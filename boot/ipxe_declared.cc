#include "boot/ipxe_declared.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/match.h"
#include "boot/boot_files.h"
#include "boot/ipxe_architecture.h"
#include "boot/ipxe_command_line.h"
#include "common/model/distro.h"

namespace autopxe {
namespace {

IpxeWord LabelOf(const MenuDeclared& declared) {
  return IpxeWord::LabelOf(Distro::Declared(declared.distro->name));
}

// Adds the options and the URI that a command fetches `file` with. There is but one way to a URL:
// its time-out, which counts time without progress, is only to notice a server that is gone, and
// long enough for name resolution and a handshake. TFTP has time-outs of its own.
void AddUri(IpxeScript& script, const BootFile& file) {
  if (!file.is_url()) {
    script.AddStart("--timeout ${_patience} ${_way}%s", {IpxeWord::UriPath(BootFilePath(file))});
  } else if (absl::StartsWith(file.text(), "tftp:")) {
    script.AddStart("%s", {IpxeWord::Url(file)});
  } else {
    script.AddStart("--timeout 30000 %s", {IpxeWord::Url(file)});
  }
}

// The same for the file whose fetching uses a next boot up.
void AddFirstUri(IpxeScript& script, const BootFile& file) {
  if (file.is_url()) {
    AddUri(script, file);
  } else {
    script.AddStart("--timeout ${_patience} ${_way}${_once}%s",
                    {IpxeWord::UriPath(BootFilePath(file))});
  }
}

void AddElse(IpxeScript& script, const BootFile& file) {
  if (file.is_url()) {
    script.Add(" || goto failed");
  } else {
    script.Add(" || goto ${_else}");
  }
}

void AddLoadKernel(IpxeScript& script, const DeclaredKernel& kernel) {
  const size_t count = kernel.initrds.size();
  for (size_t i = 0; i < count; ++i) {
    script.AddStart("initrd --name %s ", {IpxeWord::InitrdName(i, count)});
    AddUri(script, kernel.initrds[i]);
    AddElse(script, kernel.initrds[i]);
  }
  script.AddStart("kernel ");
  AddFirstUri(script, kernel.kernel);
  // The UEFI stub of Linux takes one such word for each; elsewhere all that was loaded is handed to
  // the kernel in this order, and the words mean nothing.
  for (size_t i = 0; i < count; ++i) {
    script.AddStart(" initrd=%s", {IpxeWord::InitrdName(i, count)});
  }
  script.AddStart(" ${_cmdline:string}");
  AddElse(script, kernel.kernel);
  if (kernel.kernel.is_url()) {
    script.Add("set _start start");
    script.Add("goto begin");
  } else {
    script.Add("goto start");
  }
}

// It is loaded first and then executed from memory, so that what can't be loaded uses nothing up.
void AddLoadChain(IpxeScript& script, const DeclaredChain& chain) {
  script.AddStart("imgfetch --name chain ");
  AddFirstUri(script, chain.target);
  AddElse(script, chain.target);
  if (chain.target.is_url()) {
    // Fails for what iPXE can't execute, as `chain` would, but before the agent is told that it
    // begins (src/core/image.c, image_select). `kernel` does so by itself.
    script.Add("imgselect chain || goto failed");
    script.Add("set _start chain");
    script.Add("goto begin");
  } else {
    script.Add("goto chain");
  }
}

// The label where a declared distro goes that needs the variable _unset.
void AddUnset(IpxeScript& script) {
  script.Add(":unset_declared");
  script.Add(
      "set _message:uristring "
      "Declared%20distro%20${_distro}:%20it%20uses%20the%20variable%20%22${_unset}%22,%20which%"
      "20has%20no%20value");
  script.Add("goto menu");
}

}  // namespace

void AddDeclaredItem(IpxeScript& script, const MenuDeclared& declared) {
  if (declared.distro->architecture != Architecture::kUnknown) {
    AddUnlessSkipped(script, {declared.distro->architecture});
  }
  const IpxeWord name = IpxeWord::Of(declared.distro->name);
  if (declared.key == kNoKey) {
    script.Add("item %s %s", {LabelOf(declared), name});
  } else {
    const IpxeWord key = IpxeWord::Key(declared.key);
    script.Add("item --key %s %s [%s] %s", {key, LabelOf(declared), key, name});
  }
}

void AddDeclared(IpxeScript& script, const MenuDeclared& declared) {
  const IpxeWord name = IpxeWord::Of(declared.distro->name);
  script.Add(":%s", {LabelOf(declared)});
  if (!declared.problem.empty()) {
    script.Set("_message", declared.problem);
    script.Add("goto menu");
    return;
  }
  script.Add("set _distro %s", {name});
  for (const VariableName& variable : declared.unset) {
    const IpxeWord word = IpxeWord::Of(variable);
    script.Add("set _unset %s", {word});
    script.Add("isset -- ${%s:string}${_empty_%s} || goto unset_declared", {word, word});
  }
  const DeclaredKernel* const kernel = declared.kernel();
  if (kernel != nullptr) {
    AddCommandLine(script, kernel->arguments);
  } else {
    script.Set("_cmdline", "");
  }
  script.Add("set _load load/%s", {name});
  script.Add("goto boot");
  script.Add(":load/%s", {name});
  if (kernel != nullptr) {
    AddLoadKernel(script, *kernel);
  } else {
    AddLoadChain(script, std::get<DeclaredChain>(declared.distro->boot));
  }
}

void AddDeclaredLoading(IpxeScript& script, absl::Span<const MenuDeclared> all) {
  script.Add(":by_http");
  script.Add("set _way ${_http}");
  // As for the files of a scanned distro: without progress for so many milliseconds, HTTP does not
  // get through; TFTP (0: never) notices that itself.
  script.Add("set _patience 5000");
  script.Add("set _else by_tftp");
  script.Add("isset ${_http} && goto ${_load} ||");
  script.Add(":by_tftp");
  script.Add("imgfree ||");
  script.Add("set _way ${_tftp}");
  script.Add("set _patience 0");
  script.Add("set _else failed");
  script.Add("isset ${_tftp} && goto ${_load} || goto failed");
  // The agent does not see a URL being fetched. A boot that it can't be told of counts as failed:
  // an installer that runs twice is worse than one that waits.
  script.Add(":begin");
  script.Add("isset ${_once} || goto ${_start}");
  script.Add(
      "isset ${_http} && imgfetch --timeout 5000 --name begun ${_http}${_once}begun && "
      "goto begun ||");
  script.Add("isset ${_tftp} && imgfetch --name begun ${_tftp}${_once}begun || goto failed");
  script.Add(":begun");
  // All that is loaded would be handed to the kernel.
  script.Add("imgfree begun ||");
  script.Add("goto ${_start}");
  // Of the images that are loaded, the one of this name.
  script.Add(":chain");
  script.Add("chain --replace --autofree chain || goto failed");
  if (std::any_of(all.begin(), all.end(),
                  [](const MenuDeclared& declared) { return !declared.unset.empty(); })) {
    AddUnset(script);
  }
}

}  // namespace autopxe
