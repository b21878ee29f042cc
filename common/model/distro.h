#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/name.h"

namespace autopxe {

// The thing to boot: "name/release/kernel/profile", a declared distro (DeclaredDistro) by its name,
// or one of the built-in ones. A value: ordered by kind and then part by part, hashable, never
// invalid.
class Distro {
 public:
  enum class Kind {
    kKernel,    // A kernel of a catalog with a profile.
    kLocal,     // The local disk.
    kMenu,      // Show the menu and stay.
    kWait,      // Hold, poll, and boot once something is assigned.
    kIgnore,    // The agent does not answer this host.
    kDeclared,  // What is declared under a name.
  };

  // Accepts "debian/bookworm/latest/overlayfs", "local", "menu", "wait", "ignore", and a
  // DistroName. Each of the four parts is 1 to 128 letters, digits, '.', '_', '-', '+', '~' and
  // begins with a letter or a digit.
  // Errors: INVALID_ARGUMENT, naming the text, what is wrong with it and the form that is expected.
  static absl::StatusOr<Distro> Parse(absl::string_view text);

  static Distro Local() { return Distro(Kind::kLocal); }
  static Distro Menu() { return Distro(Kind::kMenu); }
  static Distro Wait() { return Distro(Kind::kWait); }
  static Distro Ignore() { return Distro(Kind::kIgnore); }
  static Distro Declared(const DistroName& name);

  // Whether `part` can be one of the four parts: what a catalog may offer.
  static bool IsPart(absl::string_view part);

  // The text form; Parse(Format()) gives the same value.
  std::string Format() const;

  Kind kind() const { return kind_; }

  // REQUIRES: kind() is Kind::kKernel or Kind::kDeclared.
  const std::string& name() const { return name_; }

  // REQUIRES for the following: kind() == Kind::kKernel.
  const std::string& release() const { return release_; }
  const std::string& kernel() const { return kernel_; }
  const std::string& profile() const { return profile_; }

  friend auto operator<=>(const Distro&, const Distro&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Distro& d) {
    return H::combine(std::move(h), d.kind_, d.name_, d.release_, d.kernel_, d.profile_);
  }

 private:
  explicit Distro(Kind kind) : kind_(kind) {}

  Kind kind_;
  std::string name_;
  std::string release_;
  std::string kernel_;
  std::string profile_;
};

}  // namespace autopxe
