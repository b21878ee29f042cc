// The planner's part for declared distros.

#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "boot/suggestion.h"
#include "common/model/quote.h"
#include "server/plan/planner.h"

namespace autopxe::server {

void Planner::Take(const DeclareDistro& declare) {
  const size_t problems_before = problems_.size();
  const DeclaredDistro& distro = declare.distro;
  const std::string& name = distro.name.text();
  if (overlay_.FindDeclaredDistro(distro.name) == nullptr &&
      overlay_.declared_distros().size() >= kMaxDeclaredDistros) {
    Refuse(Reason::kBatchInvalid, "name", name,
           absl::StrCat("distro ", Quote(name), ": there are ", kMaxDeclaredDistros,
                        " declared distros already, which is the most"));
  }
  const auto* const kernel = std::get_if<DeclaredKernel>(&distro.boot);
  if (kernel != nullptr) {
    if (kernel->initrds.size() > kMaxDeclaredInitrds) {
      Refuse(Reason::kMalformed, "kernel.initrds", absl::StrCat(kernel->initrds.size()),
             absl::StrCat("distro ", Quote(name), ": it has ", kernel->initrds.size(),
                          " initrds, expected ", kMaxDeclaredInitrds, " at most"));
    }
    CheckOwnTemplate(distro.name, kernel->arguments);
  }
  if (problems_.size() != problems_before) return;
  set_owners_[distro.name] = position_;
  overlay_.PutDeclaredDistro(distro);
  // Files may come later: somebody declares first and copies then.
  const std::string& lacking = distro_check_.Lacking(overlay_.FindDeclaredDistro(distro.name));
  if (lacking.empty()) return;
  Warn(absl::StrCat("distro ", Quote(name), ": ", lacking,
                    " now; put it into an agent's folder of files"));
}

void Planner::Take(const DeleteDeclaredDistro& remove) {
  const std::string& name = remove.name.text();
  if (overlay_.FindDeclaredDistro(remove.name) == nullptr) {
    std::vector<std::string> names;
    for (const auto& [other, distro] : overlay_.declared_distros()) names.push_back(other.text());
    std::vector<std::string> suggestions;
    if (suggestions_left_ > 0) {
      --suggestions_left_;
      suggestions = Suggest(name, names, kMaxSuggestions);
    }
    std::string message =
        absl::StrCat("distro ", Quote(name), ": no distro is declared by that name");
    if (!suggestions.empty()) {
      absl::StrAppend(&message, "; did you mean ", Quote(suggestions.front()), "?");
    } else {
      absl::StrAppend(&message, "; see autopxectl distro list");
    }
    Refuse(Reason::kDistroUnknown, "name", name, std::move(message), std::move(suggestions));
    return;
  }
  const Overlay::Users users = overlay_.UsersOf(remove.name);
  if (users.count > 0) {
    const std::string others =
        users.count > 1 ? absl::StrCat(" and ", users.count - 1, " more") : "";
    Refuse(Reason::kDistroInUse, "name", name,
           absl::StrCat("distro ", Quote(name), ": ", users.example, others,
                        users.count > 1 ? " boot" : " boots", " it; assign another distro first"));
    return;
  }
  overlay_.RemoveDeclaredDistro(remove.name);
  set_owners_.erase(remove.name);
}

}  // namespace autopxe::server
