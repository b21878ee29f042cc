#pragma once

#include <compare>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/name.h"

namespace autopxe {

// The thing to boot: "name/release/kernel/profile", a declared distro (DeclaredDistro) by its name,
// or one of the built-in ones. A value: ordered by kind and then part by part, hashable, never
// invalid. Copies share their text: many hosts boot one distro.
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

  // REQUIRES: kind() is Kind::kKernel or Kind::kDeclared. Valid as long as this one, or a copy.
  const std::string& name() const { return parts_->name; }

  // REQUIRES for the following: kind() == Kind::kKernel.
  const std::string& release() const { return parts_->release; }
  const std::string& kernel() const { return parts_->kernel; }
  const std::string& profile() const { return parts_->profile; }

  friend std::strong_ordering operator<=>(const Distro& a, const Distro& b);
  friend bool operator==(const Distro& a, const Distro& b) { return (a <=> b) == 0; }

  template <typename H>
  friend H AbslHashValue(H h, const Distro& d) {
    h = H::combine(std::move(h), d.kind_);
    if (d.parts_ == nullptr) return h;
    const Parts& parts = *d.parts_;
    return H::combine(std::move(h), parts.name, parts.release, parts.kernel, parts.profile);
  }

 private:
  // Of Kind::kDeclared the name alone.
  struct Parts {
    std::string name;
    std::string release;
    std::string kernel;
    std::string profile;

    friend auto operator<=>(const Parts&, const Parts&) = default;
  };

  explicit Distro(Kind kind) : kind_(kind) {}
  Distro(Kind kind, Parts parts);

  Kind kind_;
  std::shared_ptr<const Parts> parts_;  // Null for the built-in ones.
};

}  // namespace autopxe
