#include "server/plan/template_owner.h"

#include "absl/strings/str_cat.h"
#include "common/model/quote.h"

namespace autopxe::server {

absl::optional<TemplateOwner> OwnerFor(const Distro& distro) {
  if (distro.kind() == Distro::Kind::kKernel) {
    if (auto profile = ProfileName::Parse(distro.profile()); profile.ok()) return *profile;
  } else if (distro.kind() == Distro::Kind::kDeclared) {
    if (auto name = DistroName::Parse(distro.name()); name.ok()) return *name;
  }
  return absl::nullopt;
}

const CommandLineTemplate* FindTemplate(const Snapshot& snapshot, const TemplateOwner& owner) {
  if (const auto* name = std::get_if<ProfileName>(&owner)) {
    const Profile* const profile = snapshot.FindProfile(*name);
    return profile == nullptr ? nullptr : &profile->command_line;
  }
  const auto distro = snapshot.declared_distros().find(std::get<DistroName>(owner));
  if (distro == snapshot.declared_distros().end()) return nullptr;
  const auto* const kernel = std::get_if<DeclaredKernel>(&distro->second->boot);
  return kernel == nullptr ? nullptr : &kernel->arguments;
}

absl::string_view TemplateField(const TemplateOwner& owner) {
  return std::holds_alternative<ProfileName>(owner) ? "command_line" : "kernel.arguments";
}

std::string DescribeOwner(const TemplateOwner& owner) {
  if (const auto* profile = std::get_if<ProfileName>(&owner)) {
    return absl::StrCat("profile ", Quote(profile->text()));
  }
  return absl::StrCat("distro ", Quote(std::get<DistroName>(owner).text()));
}

absl::string_view BootIt(const TemplateOwner& owner) {
  return std::holds_alternative<ProfileName>(owner) ? "boot with it" : "boot it";
}

absl::string_view BootsIt(const TemplateOwner& owner) {
  return std::holds_alternative<ProfileName>(owner) ? "boots with it" : "boots it";
}

}  // namespace autopxe::server
