#include "boot/ipxe_script.h"

#include <cassert>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "boot/ipxe_settings.h"

namespace autopxe {
namespace {

constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kTftpPort = 69;

void AppendEncoded(std::string& out, absl::string_view text, absl::string_view harmless) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(octet) || harmless.find(c) != absl::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kDigits[octet >> 4];
      out += kDigits[octet & 15];
    }
  }
}

std::string Uri(absl::string_view scheme, const IpAddress& address, uint16_t port,
                uint16_t default_port) {
  const std::string host =
      address.is_v4() ? address.Format() : absl::StrCat("[", address.Format(), "]");
  if (port == default_port) return absl::StrCat(scheme, "://", host, "/");
  return absl::StrCat(scheme, "://", host, ":", port, "/");
}

}  // namespace

IpxeWord IpxeWord::Dashed(const MacAddress& mac) {
  return IpxeWord(absl::StrReplaceAll(mac.Format(), {{":", "-"}}));
}

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
  std::string encoded;
  AppendEncoded(encoded, path, "-._~/");
  return IpxeWord(std::move(encoded));
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
  std::string writable(text);
  for (size_t i = 0; i < writable.size(); ++i) {
    const char next = i + 1 < writable.size() ? writable[i + 1] : '\0';
    if (!absl::ascii_isprint(static_cast<unsigned char>(writable[i])) ||
        (writable[i] == '$' && next == '{') || (i == 0 && after_dollar_ && writable[i] == '{')) {
      writable[i] = '?';
    }
  }
  AppendEncoded(encoded_, writable, "-._~/:=,@+[]()");
  if (!writable.empty()) after_dollar_ = writable.back() == '$';
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
