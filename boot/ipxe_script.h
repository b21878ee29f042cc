#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/model/architecture.h"
#include "common/model/boot_file.h"
#include "common/model/distro.h"
#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"

namespace autopxe {

// What can be written into an iPXE script, and how: this file alone decides.
//
// iPXE has no quoting. It splits a line at blanks, takes "||", "&&", ";" and "#" for its own where
// they stand alone or begin a word, then replaces "${...}" in each word, again and again, without
// splitting again. What comes from outside goes in
//   - as a word (IpxeWord), made only of values whose characters mean nothing to iPXE; or
//   - as text of any kind, by `set <name>:uristring <percent-encoded>`, read as ${<name>:string}
//     (such a setting keeps its type, so that ${<name>} would be percent-encoded again).
//
// Everything else in a script is a constant of the program (IpxeLine), which the compiler checks.

// A line, or a name, that is written in the program.
class IpxeLine {
 public:
  consteval IpxeLine(const char* text) : text_(text) {}  // NOLINT: implicit.

  absl::string_view text() const { return text_; }

 private:
  const char* text_;
};

// Text that iPXE takes as one word, or as part of one, whatever stands around it.
class IpxeWord {
 public:
  static IpxeWord Of(const Distro& distro) { return IpxeWord(distro.Format()); }
  static IpxeWord Of(const MacAddress& mac) { return IpxeWord(mac.Format()); }
  static IpxeWord Of(const IpAddress& address) { return IpxeWord(address.Format()); }
  static IpxeWord Of(Architecture architecture) {
    return IpxeWord(std::string(FormatArchitecture(architecture)));
  }
  static IpxeWord Of(const ProfileName& name) { return IpxeWord(name.text()); }
  static IpxeWord Of(const VariableName& name) { return IpxeWord(name.text()); }
  static IpxeWord Of(const DistroName& name) { return IpxeWord(name.text()); }
  static IpxeWord Of(int64_t number) { return IpxeWord(std::to_string(number)); }
  static IpxeWord HexRaw(const MacAddress& mac) { return IpxeWord(mac.FormatHexRaw()); }
  // "52-54-00-12-34-56".
  static IpxeWord Dashed(const MacAddress& mac);

  // Parts of a distro: "debian", "overlayfs", "debian/bookworm/latest",
  // "bookworm/latest/overlayfs". REQUIRES: it is a kernel.
  static IpxeWord NameOf(const Distro& distro) { return IpxeWord(distro.name()); }
  static IpxeWord ProfileOf(const Distro& distro) { return IpxeWord(distro.profile()); }
  static IpxeWord KernelOf(const Distro& distro);
  static IpxeWord WithoutName(const Distro& distro);

  // The label of a script where a distro is booted: the distro itself, "declared/memtest" for a
  // declared one, whose bare name could be a label of the script's own. REQUIRES: it is a kernel or
  // a declared one.
  static IpxeWord LabelOf(const Distro& distro);

  // A key that chooses a menu's entry. REQUIRES: a lower-case letter or a digit.
  static IpxeWord Key(char key);

  // A path as part of a URI: all but unreserved characters and '/' percent-encoded (RFC 3986,
  // section 2.3).
  static IpxeWord UriPath(absl::string_view path);

  // A URL of another server, as it was given. Its characters mean nothing to iPXE as a script: it
  // has no blank, no control character and no backslash; "&&" and ";" count only where they are a
  // word, "#" where it begins one, and a URL begins with its scheme; and without '{' it has no
  // "${". A '$' at its end makes none either: behind a URL our lines have a blank or their end.
  // REQUIRES: file.is_url().
  static IpxeWord Url(const BootFile& file);

  // How the kernel's command line calls the initrd `index` (from 0) of `count`: "initrd.img" if it
  // is the only one, or else "initrd1.img", "initrd2.img", ...
  static IpxeWord InitrdName(size_t index, size_t count);

  // "http://10.77.1.1:8080/", "tftp://[fd00::1]/"; the port is left out where it is the scheme's
  // own.
  static IpxeWord HttpUri(const IpAddress& address, uint16_t port);
  static IpxeWord TftpUri(const IpAddress& address, uint16_t port);

  // "/": the host, port and protocol by which the script itself came.
  static IpxeWord SameServer() { return IpxeWord("/"); }

  const std::string& text() const { return text_; }

 private:
  explicit IpxeWord(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

// Text of any kind with references between, for a setting.
class IpxeText {
 public:
  // Appends text. A character that isn't printable ASCII, and a '$' that '{' follows, becomes '?'.
  IpxeText& Append(absl::string_view text);

  // Appends a reference to another text of this script, which iPXE inserts as it is.
  IpxeText& AppendText(const std::string& name);

  // Appends a reference as a template has it, left to iPXE. REQUIRES: `name` is a reference of a
  // CommandLineTemplate.
  IpxeText& AppendReference(absl::string_view name);

  // Percent-encoded, but for what is harmless and easier to read as it is.
  const std::string& encoded() const { return encoded_; }

 private:
  std::string encoded_;
  bool after_dollar_ = false;
};

// A script, or a part of one, under construction.
class IpxeScript {
 public:
  // Adds a line; each "%s" of it is replaced by the next word. REQUIRES: as many words as "%s".
  void Add(IpxeLine line, std::initializer_list<IpxeWord> words = {});

  // The same for the beginning of a line, which the next Add ends.
  void AddStart(IpxeLine start, std::initializer_list<IpxeWord> words = {});

  // Adds `set <name>:uristring <text>`: an empty text clears the setting.
  void Set(IpxeLine name, const IpxeText& text);
  void Set(IpxeLine name, absl::string_view text);

  // The same for a setting whose name is `name` and a number.
  void SetNumbered(IpxeLine name, int64_t number, absl::string_view text);

  // The same for a variable of a user's own, by the user's name. REQUIRES: !IsIpxeSetting(name),
  // which it would overwrite.
  void SetVariable(const VariableName& name, absl::string_view value);

  // Makes room for so many more bytes at once.
  void Reserve(size_t bytes) { text_.reserve(text_.size() + bytes); }

  // Adds another part.
  void Append(const IpxeScript& part) { text_ += part.text_; }

  const std::string& text() const { return text_; }
  std::string TakeText() && { return std::move(text_); }

 private:
  void SetEncoded(absl::string_view name, absl::string_view encoded);

  std::string text_;
};

}  // namespace autopxe
