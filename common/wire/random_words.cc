#include "common/wire/random_words.h"

#include <set>

#include "absl/strings/str_cat.h"

namespace autopxe {
namespace {

constexpr absl::string_view kLowerAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789";

}  // namespace

std::string RandomWords::Text(absl::string_view characters, size_t min, size_t max) {
  std::string text;
  for (size_t length = min + Number(max - min + 1); length > 0; --length) {
    text += characters[Number(characters.size())];
  }
  return text;
}

absl::Time RandomWords::Time() {
  // Before and after the epoch.
  return absl::FromUnixNanos(static_cast<int64_t>(random_()) / 2);
}

MacAddress RandomWords::Mac() {
  return MacAddress::FromNumber((random_() & 0xfcff'ffff'ffff) | 0x0200'0000'0000);
}

std::vector<MacAddress> RandomWords::Macs() {
  std::set<MacAddress> macs;
  for (size_t count = 1 + Number(4); macs.size() < count;) macs.insert(Mac());
  return {macs.begin(), macs.end()};
}

HostName RandomWords::HostNameOrMac() {
  if (Coin()) return NameByMac(Mac());
  return HostName::Parse(
             absl::StrCat("h", Text(kLowerAndDigits, 0, 20), ".", Text(kLowerAndDigits, 1, 20)))
      .value();
}

HostReference RandomWords::Reference() {
  if (Coin()) return Mac();
  return HostName::Parse("h" + Text(kLowerAndDigits, 0, 8)).value();
}

AgentId RandomWords::AnyAgentId() {
  return AgentId::Parse("a" + Text(kNameCharacters, 0, 20)).value();
}

ProfileName RandomWords::AnyProfileName() {
  return ProfileName::Parse("p" + Text(kNameCharacters, 0, 20)).value();
}

GroupName RandomWords::AnyGroupName() {
  return GroupName::Parse("g" + Text(kNameCharacters, 0, 20)).value();
}

VariableName RandomWords::AnyVariableName() {
  return VariableName::Parse("v" + Text(kNameCharacters, 0, 20)).value();
}

VariableValue RandomWords::Value() { return VariableValue::Parse(Text(kPrintable, 0, 40)).value(); }

std::map<VariableName, VariableValue> RandomWords::Variables() {
  std::map<VariableName, VariableValue> variables;
  for (size_t count = Number(4); count > 0; --count) variables.emplace(AnyVariableName(), Value());
  return variables;
}

RootfsPathPrefix RandomWords::Prefix() {
  std::string path;
  for (size_t parts = 1 + Number(3); parts > 0; --parts) {
    absl::StrAppend(&path, "/", Text(kLowerAndDigits, 1, 8));
  }
  return RootfsPathPrefix::Parse(path).value();
}

CommandLineTemplate RandomWords::CommandLine() {
  std::string text;
  for (size_t pieces = Number(5); pieces > 0; --pieces) {
    absl::StrAppend(&text, Text(kPrintable, 0, 10), "${", Text(kNameCharacters, 1, 10),
                    Coin() ? absl::StrCat(":-", Text(kNameCharacters, 0, 10)) : "", "}");
  }
  return CommandLineTemplate::Parse(text).value();
}

DistroName RandomWords::AnyDistroName() {
  return DistroName::Parse("d" + Text(kNameCharacters, 0, 20)).value();
}

Distro RandomWords::AnyDistro() {
  const Distro built_in[] = {Distro::Local(), Distro::Menu(), Distro::Wait(), Distro::Ignore()};
  if (Number(4) == 0) return built_in[Number(4)];
  if (Number(4) == 0) return Distro::Declared(AnyDistroName());
  std::string text;
  for (int part = 0; part < 4; ++part) {
    absl::StrAppend(&text, part == 0 ? "" : "/", "d", Text("abcXYZ019._-+~", 0, 12));
  }
  return Distro::Parse(text).value();
}

absl::optional<Distro> RandomWords::MaybeDistro() {
  if (Coin()) return absl::nullopt;
  return AnyDistro();
}

Labels RandomWords::AnyLabels() {
  Labels labels;
  for (size_t count = Number(4); count > 0; --count) {
    labels.emplace(LabelKey::Parse("l" + Text(kLowerAndDigits, 0, 4)).value(),
                   LabelValue::Parse(Text(kLowerAndDigits, 0, 8)).value());
  }
  return labels;
}

Selector RandomWords::AnySelector() {
  const char* const kSelectors[] = {"rack=r1", "gpu!=none,rack", "role in (head,login),!old",
                                    "a.b/c notin (1,2,3)"};
  return Selector::Parse(kSelectors[Number(4)]).value();
}

BootFile RandomWords::AnyBootFile() {
  const char* const before[] = {"", "files/", "http://boot.example/", "tftp://10.0.0.1/"};
  return BootFile::Parse(absl::StrCat(before[Number(4)], "f", Text(kNameCharacters, 0, 20)))
      .value();
}

}  // namespace autopxe
