#pragma once

#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/boot_file.h"
#include "common/model/command_line_template.h"
#include "common/model/distro.h"
#include "common/model/label.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"
#include "common/model/selector.h"

namespace autopxe {

// What the values of the model are made of: numbers, times, and what is parsed of a text. All are
// valid, and the same ones for the same seed.
class RandomWords {
 public:
  static constexpr absl::string_view kNameCharacters = "abcXYZ019._-";
  static constexpr absl::string_view kPrintable =
      " !\"#%&'()*+,-./0123456789:;<=>?@ABC[\\]^_`abc{|}~";

  explicit RandomWords(unsigned seed) : random_(seed) {}

  // Below `limit`.
  size_t Number(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random_);
  }
  bool Coin() { return Number(2) == 0; }
  // `min` to `max` of `characters`.
  std::string Text(absl::string_view characters, size_t min, size_t max);
  absl::Time Time();

  MacAddress Mac();
  // One to four, no two of them the same.
  std::vector<MacAddress> Macs();
  HostName HostNameOrMac();
  HostReference Reference();
  AgentId AnyAgentId();
  ProfileName AnyProfileName();
  GroupName AnyGroupName();
  VariableName AnyVariableName();
  VariableValue Value();
  std::map<VariableName, VariableValue> Variables();
  RootfsPathPrefix Prefix();
  CommandLineTemplate CommandLine();
  DistroName AnyDistroName();
  Distro AnyDistro();
  absl::optional<Distro> MaybeDistro();
  Labels AnyLabels();
  Selector AnySelector();
  BootFile AnyBootFile();

 protected:
  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_;
};

}  // namespace autopxe
