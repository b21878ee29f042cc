#include "boot/ipxe_menu.h"

#include <cstdint>
#include <string>
#include <vector>

#include "boot/command_line.h"
#include "boot/ipxe_architecture.h"
#include "boot/ipxe_ask.h"
#include "boot/ipxe_command_line.h"
#include "boot/ipxe_declared.h"
#include "boot/ipxe_local_boot.h"
#include "boot/local_boot.h"

namespace autopxe {
namespace {

constexpr int64_t kAskSeconds = 15;

void AddSubMenuItem(IpxeScript& script, const SubMenu& sub_menu) {
  AddUnlessSkipped(script, sub_menu.Architectures());
  const IpxeWord name = IpxeWord::NameOf(sub_menu.kernels.front().entries.front().distro);
  if (sub_menu.key == kNoKey) {
    script.Add("item %s/ %s ...", {name, name});
  } else {
    const IpxeWord key = IpxeWord::Key(sub_menu.key);
    script.Add("item --key %s %s/ [%s] %s ...", {key, name, key, name});
  }
}

// The entry of the decision is the first, and the one that is booted when the time is up. An
// entry's name is the label where it goes: a distro, a distro's name with a '/' for its sub-menu,
// or one of the script's own, which have no '/'.
void AddMainMenu(IpxeScript& script, const Menu& menu) {
  script.Add(":menu");
  // Only what the host's own part sets after this uses a next boot up, and not an entry that
  // somebody chooses. Storing nothing deletes a setting, as `clear` would (src/core/settings.c).
  script.Add("set _once");
  if (!menu.declared.empty()) script.Add("set _load");
  script.Add("set _look 3");
  script.Add("menu autopxe: ${_mac} ${ip} ${host:string}");
  script.Add("isset ${_message:string} && item --gap -- ${_message:string} ||");
  script.Add("item --key %s ${_first} [%s] ${_first_text:string}",
             {IpxeWord::Key(kFirstEntryKey), IpxeWord::Key(kFirstEntryKey)});
  script.Add("item --gap");
  if (menu.distros.empty() && menu.declared.empty()) {
    script.Add("item --gap -- This agent has no kernel to offer.");
  }
  for (const SubMenu& sub_menu : menu.distros) AddSubMenuItem(script, sub_menu);
  const std::vector<Architecture> architectures = menu.KernelArchitectures();
  if (!architectures.empty()) AddNothingForHost(script, architectures);
  for (const MenuDeclared& declared : menu.declared) AddDeclaredItem(script, declared);
  script.Add("item --gap");
  script.Add("item --key %s config [%s] Configure settings",
             {IpxeWord::Key(kConfigureKey), IpxeWord::Key(kConfigureKey)});
  script.Add("item --key %s shell [%s] iPXE shell",
             {IpxeWord::Key(kShellKey), IpxeWord::Key(kShellKey)});
  script.Add("item --key %s reboot [%s] Reboot",
             {IpxeWord::Key(kRebootKey), IpxeWord::Key(kRebootKey)});
  script.Add("item --key %s local [%s] Exit iPXE and continue with the local boot",
             {IpxeWord::Key(kLocalKey), IpxeWord::Key(kLocalKey)});
  script.Add("choose --default ${_first} --timeout ${_timeout} _sel || set _sel menu");
  // Somebody is there: from now on the menu waits.
  script.Add("set _timeout 0");
  script.Add("goto ${_sel}");
  script.Add(":config");
  script.Add("config ||");
  script.Add("goto menu");
  script.Add(":shell");
  script.Add("echo Type exit to come back to the menu.");
  script.Add("shell ||");
  script.Add("goto menu");
  script.Add(":reboot");
  script.Add("reboot");
  script.Add(":local");
  AddLocalBootByVariable(script);
}

void AddSubMenu(IpxeScript& script, const SubMenu& sub_menu) {
  const IpxeWord name = IpxeWord::NameOf(sub_menu.kernels.front().entries.front().distro);
  script.Add(":%s/", {name});
  script.Add("menu %s", {name});
  // Where all are of one architecture, the entry that leads here has the condition.
  const bool is_mixed = sub_menu.Architectures().size() != 1;
  for (const MenuKernel& kernel : sub_menu.kernels) {
    for (const MenuEntry& entry : kernel.entries) {
      if (is_mixed && kernel.architecture != Architecture::kUnknown) {
        AddUnlessSkipped(script, {kernel.architecture});
      }
      const IpxeWord distro = IpxeWord::Of(entry.distro);
      const IpxeWord text = IpxeWord::WithoutName(entry.distro);
      if (entry.key == kNoKey) {
        script.Add("item %s %s", {distro, text});
      } else {
        const IpxeWord key = IpxeWord::Key(entry.key);
        script.Add("item --key %s %s [%s] %s", {key, distro, key, text});
      }
    }
  }
  script.Add("item --key %s menu [%s] Back", {IpxeWord::Key(kBackKey), IpxeWord::Key(kBackKey)});
  script.Add("choose _sel || set _sel menu");
  script.Add("goto ${_sel}");
}

// The labels of a kernel's distros: they set what is the kernel's, and go on with the profile.
void AddKernel(IpxeScript& script, const MenuKernel& kernel) {
  const IpxeWord name = IpxeWord::KernelOf(kernel.entries.front().distro);
  bool first = true;
  for (const MenuEntry& entry : kernel.entries) {
    if (!first) script.Add("goto %s", {name});
    first = false;
    script.Add(":%s", {IpxeWord::Of(entry.distro)});
    script.Add("set _distro %s", {IpxeWord::Of(entry.distro)});
    script.Add("set _profile %s", {IpxeWord::ProfileOf(entry.distro)});
  }
  script.Add(":%s", {name});
  script.Add("set _kernel %s", {IpxeWord::UriPath(kernel.kernel_file)});
  script.Add("set _initrd %s", {IpxeWord::UriPath(kernel.initrd_file)});
  script.Set(kRootfsPath, kernel.rootfs_path);
  for (const IpxeLine variable :
       {IpxeLine(kArch), IpxeLine(kDistroName), IpxeLine(kKernel), IpxeLine(kRelease)}) {
    const auto found = kernel.variables.find(std::string(variable.text()));
    if (found != kernel.variables.end()) script.Set(variable, found->second);
  }
  script.Add("goto profile/${_profile}");
}

// The label where a profile goes that needs the variable _unset.
void AddUnset(IpxeScript& script) {
  script.Add(":unset");
  script.Add(
      "set _message:uristring "
      "Profile%20${_profile}:%20it%20uses%20the%20variable%20%22${_unset}%22,%20which%20has%20no%"
      "20value");
  script.Add("goto menu");
}

void AddBoot(IpxeScript& script, bool has_architectures, bool has_declared) {
  script.Add(":boot");
  script.Add("echo Distro: ${_distro}");
  if (has_declared) {
    // What is chained has none. ("--", since it may begin with a dash.)
    script.Add("isset -- ${_cmdline:string} && echo Command line: ${_cmdline:string} ||");
  } else {
    script.Add("echo Command line: ${_cmdline:string}");
  }
  // Long enough for a person to read it and to think better of it.
  script.Add("iseq ${_look} 0 || echo Ctrl-C goes back to the menu.");
  script.Add("iseq ${_look} 0 || sleep ${_look} || goto menu");
  script.Add("set _round:int32 0");
  script.Add(":load");
  // What an earlier round loaded would be handed to the kernel twice.
  script.Add("imgfree ||");
  if (has_declared) script.Add("isset ${_load} && goto by_http ||");
  script.Add("isset ${_http} || goto tftp");
  // The time-out counts time without progress. A firewall that drops HTTP would else cost 16 s for
  // each file.
  script.Add("initrd --timeout 5000 --name initrd.img ${_http}${_initrd} || goto tftp");
  script.Add(
      "kernel --timeout 5000 ${_http}${_once}${_kernel} initrd=initrd.img ${_cmdline:string} || "
      "goto tftp");
  script.Add("goto start");
  script.Add(":tftp");
  script.Add("imgfree ||");
  script.Add("isset ${_tftp} || goto failed");
  script.Add("initrd --name initrd.img ${_tftp}${_initrd} || goto failed");
  script.Add(
      "kernel ${_tftp}${_once}${_kernel} initrd=initrd.img ${_cmdline:string} || goto failed");
  script.Add(":start");
  script.Add("boot || goto failed");
  script.Add(":failed");
  script.Add("imgfree ||");
  script.Add("inc _round");
  script.Add("iseq ${_round} 1 && set _pause 2 ||");
  script.Add("iseq ${_round} 2 && set _pause 4 ||");
  script.Add("iseq ${_round} 3 && set _pause 8 ||");
  script.Add("iseq ${_round} 4 && goto gave_up ||");
  script.Add("echo Loading ${_distro} failed. Next try in ${_pause} s, Ctrl-C goes to the menu.");
  script.Add("sleep ${_pause} || goto menu");
  script.Add("goto load");
  // Nobody may be there: after a minute the agent is asked what to boot now.
  script.Add(":gave_up");
  script.Add("set _message:uristring Loading%20${_distro}%20failed%204%20times.");
  if (has_architectures) script.Add(":stay");
  script.Add("set _first ask");
  script.Add("set _first_text:uristring Ask%20the%20agent%20again%20what%20to%20boot");
  script.Add("set _timeout 60000");
  script.Add("goto menu");
  if (has_architectures) AddOther(script);
}

void NoteVariables(const CommandLineTemplate& command_line, const std::vector<VariableName>& unset,
                   SharedMenu& shared) {
  for (const CommandLineTemplate::Piece& piece : command_line.pieces()) {
    if (!piece.default_text.has_value() || !CanBeSet(piece.text)) continue;
    shared.optional.insert(*VariableName::Parse(piece.text));
  }
  shared.optional.insert(unset.begin(), unset.end());
  shared.needed.insert(unset.begin(), unset.end());
}

}  // namespace

SharedMenu RenderSharedMenu(const Menu& menu) {
  SharedMenu shared;
  shared.has_declared = !menu.declared.empty();
  shared.optional.insert(*VariableName::Parse(kLocalBoot));
  const std::vector<Architecture> architectures = menu.Architectures();
  for (const Architecture architecture : architectures) {
    AddArchitectureSettings(shared.settings, architecture);
  }
  IpxeScript& script = shared.labels;
  AddMainMenu(script, menu);
  for (const SubMenu& sub_menu : menu.distros) AddSubMenu(script, sub_menu);
  for (const SubMenu& sub_menu : menu.distros) {
    for (const MenuKernel& kernel : sub_menu.kernels) AddKernel(script, kernel);
  }
  for (const MenuProfile& profile : menu.profiles) {
    AddProfile(script, profile);
    NoteVariables(profile.command_line, profile.unset, shared);
  }
  if (!shared.needed.empty()) AddUnset(script);
  for (const MenuDeclared& declared : menu.declared) {
    AddDeclared(script, declared);
    if (declared.kernel() == nullptr) continue;
    NoteVariables(declared.kernel()->arguments, declared.unset, shared);
  }
  shared.uses_bootif = menu.Uses(kBootIf);
  shared.uses_agent = menu.Uses(kAgent);
  shared.profiles = menu.profiles;
  shared.declared = menu.declared;
  AddBoot(script, !architectures.empty(), shared.has_declared);
  if (shared.has_declared) AddDeclaredLoading(script, menu.declared);
  script.Add(":hold");
  script.Add(
      "prompt --key m --timeout %s000 Asking the agent again in %s s. Press m for the menu. && "
      "goto "
      "menu ||",
      {IpxeWord::Of(kAskSeconds), IpxeWord::Of(kAskSeconds)});
  AddAsk(script, kAskSeconds);
  return shared;
}

void AddProfile(IpxeScript& script, const MenuProfile& profile) {
  script.Add(":profile/%s", {IpxeWord::Of(profile.name)});
  if (!profile.problem.empty()) {
    script.Set("_message", profile.problem);
    script.Add("goto menu");
    return;
  }
  for (const VariableName& name : profile.unset) {
    const IpxeWord variable = IpxeWord::Of(name);
    script.Add("set _unset %s", {variable});
    script.Add("isset -- ${%s:string}${_empty_%s} || goto unset", {variable, variable});
  }
  AddCommandLine(script, profile.command_line);
  script.Add("goto boot");
}

}  // namespace autopxe
