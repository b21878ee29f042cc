#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace autopxe {

// iPXE as far as our scripts use it, for tests: splits, expands and executes lines as iPXE 1.0.0
// does (src/core/exec.c, settings.c), but knows only the commands and options that our scripts are
// made of, and calls everything else an error: what iPXE would take for a command, an option or a
// label that is not there.
class IpxeInterpreter {
 public:
  struct Item {
    char key = '\0';
    std::string label;  // Empty: a gap.
    std::string text;
  };
  struct Screen {
    std::string title;
    std::vector<Item> items;
    std::string default_label;
    int64_t timeout_ms = 0;
  };

  enum class End {
    kBooted,
    kChained,  // `uri` has been fetched, and takes this script's place.
    kDisk,     // A local disk was booted by iPXE itself: `drive`.
    kExited,   // With `exit_code`.
    kRebooted,
    kStopped,  // A command failed, or the script was over.
    kRunning,  // For more steps than the test wants to see.
  };
  struct Result {
    End end = End::kStopped;
    std::string uri;        // The kernel, or what was chained.
    std::string arguments;  // The kernel's.
    // URIs of what a BIOS's iPXE hands to the kernel that was booted: all that is loaded besides
    // it. And the names by which UEFI finds them.
    std::vector<std::string> initrds;
    std::vector<std::string> initrd_names;
    std::string drive;
    int exit_code = 0;
    int64_t milliseconds = 0;  // Slept, or waited for a key.
    std::vector<std::string> echoed;
    std::vector<Screen> screens;
    std::vector<std::string> requests;  // URIs, in order, whether they were there or not.
    int dhcp_requests = 0;
    int shells = 0;
  };

  // As the firmware would have it; a test changes what it is about.
  std::function<bool(const std::string& uri)> serves = [](const std::string&) { return true; };
  // Whether what was loaded from there is something that iPXE can execute: no error page.
  std::function<bool(const std::string& uri)> executes = [](const std::string&) { return true; };
  // The label of the entry that somebody chooses, or null for Escape. By default nobody is there.
  std::function<absl::optional<std::string>(const Screen&)> choose = [](const Screen& screen) {
    return absl::optional<std::string>(screen.default_label);
  };
  std::function<bool(char key)> presses = [](char) { return false; };
  bool dhcp_answers = true;
  bool disk_boots = true;
  size_t max_steps = 5'000;

  // A host's own settings: ${ip}, ${platform}, ...
  void SetOwn(const std::string& name, const std::string& text, bool is_text);

  // What the setting is now, as ${name} shows it.
  std::string Show(absl::string_view name) const;

  // Runs a script. Settings stay for the next one. Errors: INVALID_ARGUMENT, naming the line that
  // is not what our scripts are made of.
  absl::StatusOr<Result> Run(absl::string_view script);

 private:
  friend class IpxeRun;

  enum class Type { kString, kUriString, kInt32, kOther };
  struct Setting {
    std::string value;
    Type type;
  };

  std::map<std::string, Setting> settings_;
};

}  // namespace autopxe
