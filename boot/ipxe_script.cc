#include "boot/ipxe_script.h"

#include <cassert>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/ipxe_settings.h"

namespace autopxe {
namespace {

constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kTftpPort = 69;

// Characters that go into a URI, or a setting, as they are.
class Harmless {
 public:
  constexpr explicit Harmless(absl::string_view others) {
    for (char c = '0'; c <= '9'; ++c) is_[static_cast<unsigned char>(c)] = true;
    for (char c = 'a'; c <= 'z'; ++c) is_[static_cast<unsigned char>(c)] = true;
    for (char c = 'A'; c <= 'Z'; ++c) is_[static_cast<unsigned char>(c)] = true;
    for (const char c : others) is_[static_cast<unsigned char>(c)] = true;
  }

  constexpr bool operator()(unsigned char octet) const { return is_[octet]; }

 private:
  bool is_[256] = {};
};

// How many characters at the beginning of `text` are harmless: most of most texts.
size_t HarmlessLength(absl::string_view text, const Harmless& harmless) {
  size_t length = 0;
  while (length < text.size() && harmless(static_cast<unsigned char>(text[length]))) ++length;
  return length;
}

void AppendEncoded(std::string& out, unsigned char octet) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  const char encoded[] = {'%', kDigits[octet >> 4], kDigits[octet & 15]};
  out.append(encoded, sizeof(encoded));
}

std::string Uri(absl::string_view scheme, const IpAddress& address, uint16_t port,
                uint16_t default_port) {
  const std::string host =
      address.is_v4() ? address.Format() : absl::StrCat("[", address.Format(), "]");
  if (port == default_port) return absl::StrCat(scheme, "://", host, "/");
  return absl::StrCat(scheme, "://", host, ":", port, "/");
}

}  // namespace

IpxeWord IpxeWord::Dashed(const MacAddress& mac) { return IpxeWord(mac.FormatDashed()); }

IpxeWord IpxeWord::KernelOf(const Distro& distro) {
  return IpxeWord(absl::StrCat(distro.name(), "/", distro.release(), "/", distro.kernel()));
}

IpxeWord IpxeWord::WithoutName(const Distro& distro) {
  return IpxeWord(absl::StrCat(distro.release(), "/", distro.kernel(), "/", distro.profile()));
}

IpxeWord IpxeWord::Key(char key) {
  assert(absl::ascii_islower(static_cast<unsigned char>(key)) ||
         absl::ascii_isdigit(static_cast<unsigned char>(key)));
  return IpxeWord(std::string(1, key));
}

IpxeWord IpxeWord::UriPath(absl::string_view path) {
  static constexpr Harmless kHarmless("-._~/");
  std::string encoded;
  while (true) {
    const size_t harmless = HarmlessLength(path, kHarmless);
    encoded.append(path.data(), harmless);
    path.remove_prefix(harmless);
    if (path.empty()) return IpxeWord(std::move(encoded));
    AppendEncoded(encoded, static_cast<unsigned char>(path.front()));
    path.remove_prefix(1);
  }
}

IpxeWord IpxeWord::LabelOf(const Distro& distro) {
  if (distro.kind() != Distro::Kind::kDeclared) return Of(distro);
  return IpxeWord(absl::StrCat("declared/", distro.name()));
}

IpxeWord IpxeWord::Url(const BootFile& file) {
  assert(file.is_url());
  return IpxeWord(file.text());
}

IpxeWord IpxeWord::InitrdName(size_t index, size_t count) {
  return IpxeWord(count == 1 ? "initrd.img" : absl::StrCat("initrd", index + 1, ".img"));
}

IpxeWord IpxeWord::HttpUri(const IpAddress& address, uint16_t port) {
  return IpxeWord(Uri("http", address, port, kHttpPort));
}

IpxeWord IpxeWord::TftpUri(const IpAddress& address, uint16_t port) {
  return IpxeWord(Uri("tftp", address, port, kTftpPort));
}

IpxeText& IpxeText::Append(absl::string_view text) {
  static constexpr Harmless kHarmless("-._~/:=,@+[]()");
  if (text.empty()) return *this;
  encoded_.reserve(encoded_.size() + text.size() + 16);
  for (absl::string_view rest = text; !rest.empty();) {
    const size_t harmless = HarmlessLength(rest, kHarmless);
    encoded_.append(rest.data(), harmless);
    rest.remove_prefix(harmless);
    if (rest.empty()) break;
    const auto octet = static_cast<unsigned char>(rest.front());
    const bool begins_reference = absl::StartsWith(rest, "${");
    const bool ends_reference = octet == '{' && rest.size() == text.size() && after_dollar_;
    const bool is_writable = absl::ascii_isprint(octet) && !begins_reference && !ends_reference;
    AppendEncoded(encoded_, is_writable ? octet : '?');
    rest.remove_prefix(1);
  }
  // One that began a reference has a '{' behind it.
  after_dollar_ = text.back() == '$';
  return *this;
}

IpxeText& IpxeText::AppendText(const std::string& name) {
  absl::StrAppend(&encoded_, "${", name, ":uristring}");
  after_dollar_ = false;
  return *this;
}

IpxeText& IpxeText::AppendReference(absl::string_view name) {
  encoded_ += FormatIpxeReference(name);
  after_dollar_ = false;
  return *this;
}

void IpxeScript::Add(IpxeLine line, std::initializer_list<IpxeWord> words) {
  AddStart(line, words);
  text_ += '\n';
}

void IpxeScript::AddStart(IpxeLine line, std::initializer_list<IpxeWord> words) {
  absl::string_view rest = line.text();
  for (const IpxeWord& word : words) {
    const size_t place = rest.find("%s");
    assert(place != absl::string_view::npos);
    absl::StrAppend(&text_, rest.substr(0, place), word.text());
    rest.remove_prefix(place + 2);
  }
  assert(rest.find("%s") == absl::string_view::npos);
  absl::StrAppend(&text_, rest);
}

void IpxeScript::Set(IpxeLine name, const IpxeText& text) {
  SetEncoded(name.text(), text.encoded());
}

void IpxeScript::Set(IpxeLine name, absl::string_view text) { Set(name, IpxeText().Append(text)); }

void IpxeScript::SetNumbered(IpxeLine name, int64_t number, absl::string_view text) {
  SetEncoded(absl::StrCat(name.text(), number), IpxeText().Append(text).encoded());
}

void IpxeScript::SetVariable(const VariableName& name, absl::string_view value) {
  assert(!IsIpxeSetting(name.text()));
  SetEncoded(name.text(), IpxeText().Append(value).encoded());
}

void IpxeScript::SetEncoded(absl::string_view name, absl::string_view encoded) {
  absl::StrAppend(&text_, "set ", name, ":uristring", encoded.empty() ? "" : " ", encoded, "\n");
}

}  // namespace autopxe
