#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/table.h"
#include "ctl/time_text.h"

namespace autopxe::ctl {
namespace {

// What a list tells beside itself: the newest moves of a day, a few of them.
constexpr absl::Duration kRecently = absl::Hours(24);
constexpr int kMaxNotes = 3;

// "7.8+31.5 MiB": the kernel's and the initrd's.
std::string SizeText(const v1::DistroOffer& offer) {
  if (offer.kernel_size() == 0 && offer.initrd_size() == 0) return "";
  constexpr double kMebibyte = 1 << 20;
  return absl::StrFormat("%.1f+%.1f MiB", static_cast<double>(offer.kernel_size()) / kMebibyte,
                         static_cast<double>(offer.initrd_size()) / kMebibyte);
}

// Where it comes from. Only a built-in one is nobody's offer and nobody's declaration.
std::string KindText(const v1::Distro& distro) {
  if (distro.declared()) return "declared";
  return distro.agents().empty() ? "built-in" : "scanned";
}

// What the offers say, each text once: agents mostly agree.
template <typename TextOf>
std::string Join(const v1::Distro& distro, TextOf text_of) {
  std::vector<std::string> texts;
  for (const v1::DistroOffer& offer : distro.offers()) {
    std::string text = text_of(offer);
    if (text.empty() || std::find(texts.begin(), texts.end(), text) != texts.end()) continue;
    texts.push_back(std::move(text));
  }
  return absl::StrJoin(texts, ",");
}

// A kernel under which hosts boot another version since yesterday is what an administrator should
// see without asking for it. An older server does not tell.
void NoteMoves(Session& session, Client& client) {
  const absl::StatusOr<v1::ListKernelMovesResponse> moves = client.ListKernelMoves();
  if (!moves.ok()) return;
  int notes = 0;
  for (const v1::KernelMove& move : moves->moves()) {
    if (absl::Now() - absl::FromUnixSeconds(move.time().seconds()) > kRecently) break;
    if (move.hosts() == 0 || !absl::EndsWith(move.kernel(), "/latest")) continue;
    if (++notes > kMaxNotes) {
      session.Note("more kernels have moved: see autopxectl distro moves");
      break;
    }
    session.Note(absl::StrCat(move.kernel(), " moved from ", move.version_before(), " to ",
                              move.version_after(), " at agent ", move.agent(), " (",
                              TimeText(move.time()), "): affects ", move.hosts(),
                              move.hosts() == 1 ? " host" : " hosts"));
  }
}

absl::Status RunList(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListDistrosResponse distros, client->ListDistros());
  bool kernels = false;
  for (const v1::Distro& distro : distros.distros()) {
    kernels |= distro.declared() || !distro.agents().empty();
  }
  if (!kernels) {
    session.Note(
        "no kernel can be assigned: either no agent offers one (see autopxectl agent list), or "
        "there is no profile to boot it with (see autopxectl profile set --help); and no distro is "
        "declared (see autopxectl distro declare --help)");
  }
  if (session.is_table()) NoteMoves(session, *client);
  return session.Print(distros, [&] {
    Table table({"NAME", "KIND", "KERNEL", "ARCHITECTURE", "KERNEL+INITRD", "AGENTS"});
    for (const v1::Distro& distro : distros.distros()) {
      table.Add({distro.name(), KindText(distro), absl::StrJoin(distro.kernel_versions(), ","),
                 Join(distro, [](const v1::DistroOffer& offer) { return offer.architecture(); }),
                 Join(distro, SizeText), absl::StrJoin(distro.agents(), ",")});
    }
    return table.Format();
  });
}

// The distro as distro list has it. Errors: NOT_FOUND.
absl::StatusOr<v1::Distro> FindListed(Client& client, const std::string& name) {
  ASSIGN_OR_RETURN(const v1::ListDistrosResponse distros, client.ListDistros());
  for (const v1::Distro& distro : distros.distros()) {
    if (distro.name() == name) return distro;
  }
  return absl::NotFoundError(
      absl::StrCat("distro ", Quote(name), ": no agent offers it; see autopxectl distro list"));
}

std::string ListedText(const v1::Distro& distro) {
  Table table({"FIELD", "VALUE"});
  table.Add({"name", distro.name()});
  table.Add({"kind", KindText(distro)});
  std::string text = table.Format();
  if (distro.offers().empty()) return text;
  Table offers({"AGENT", "KERNEL", "ARCHITECTURE", "KERNEL+INITRD"});
  for (const v1::DistroOffer& offer : distro.offers()) {
    offers.Add({offer.agent(), offer.kernel_version(), offer.architecture(), SizeText(offer)});
  }
  return absl::StrCat(text, "\n", offers.Format());
}

std::string DeclaredText(const v1::DeclaredDistro& distro, const v1::Distro& listed) {
  Table table({"FIELD", "VALUE"});
  table.Add({"name", distro.name()});
  table.Add({"kind", "declared"});
  if (distro.has_kernel()) {
    table.Add({"kernel", distro.kernel().file()});
    for (const std::string& initrd : distro.kernel().initrds()) table.Add({"initrd", initrd});
    table.Add({"arguments", distro.kernel().arguments()});
  } else {
    table.Add({"chain", distro.chain()});
  }
  table.Add({"architecture", distro.architecture().empty() ? "any" : distro.architecture()});
  table.Add({"agents with its files", absl::StrJoin(listed.agents(), ",")});
  table.Add({"changed in revision", absl::StrCat(distro.etag())});
  return table.Format();
}

// Only a declared distro has a name of one part that is not built in.
bool CanBeDeclared(absl::string_view name) {
  for (const absl::string_view built_in : {"local", "menu", "wait", "ignore"}) {
    if (name == built_in) return false;
  }
  return !absl::StrContains(name, '/');
}

absl::Status RunShow(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  if (!CanBeDeclared(name)) {
    ASSIGN_OR_RETURN(const v1::Distro distro, FindListed(*client, name));
    return session.Print(distro, [&] { return ListedText(distro); });
  }
  ASSIGN_OR_RETURN(const v1::DeclaredDistro distro, client->GetDeclaredDistro(name));
  v1::Distro listed;
  if (session.is_table()) {
    ASSIGN_OR_RETURN(listed, FindListed(*client, name));
  }
  return session.Print(distro, [&] { return DeclaredText(distro, listed); });
}

absl::Status RunMoves(Session& session) {
  ASSIGN_OR_RETURN(Client* const client, session.OpenClient());
  ASSIGN_OR_RETURN(const v1::ListKernelMovesResponse moves, client->ListKernelMoves());
  return session.Print(moves, [&] {
    Table table({"TIME", "AGENT", "KERNEL", "FROM", "TO", "HOSTS"});
    for (const v1::KernelMove& move : moves.moves()) {
      table.Add({TimeText(move.time()), move.agent(), move.kernel(), move.version_before(),
                 move.version_after(), absl::StrCat(move.hosts())});
    }
    return table.Format();
  });
}

}  // namespace

void AddDistroCommands(CLI::App& app, Session& session) {
  CLI::App& noun = AddNoun(app, "distro", "What can be assigned");
  AddCommand(
      noun, session,
      {"list", "", "Every distro that an agent offers, the declared and the built-in ones",
       "KIND is scanned (found in an agent's rootfs folder), declared (see autopxectl distro\n"
       "declare) or built-in; AGENTS are those that offer it, of a declared one those that\n"
       "have all its files.\n\n"
       "Example:\n  autopxectl distro list"},
      [&session] { return RunList(session); });

  const auto shown = std::make_shared<std::string>();
  AddCommand(noun, session,
             {"show", "DISTRO", "One distro: what it is made of, and which agents have it",
              "-o json and yaml give a declared one as it was declared; its agents are in distro\n"
              "list.\n\n"
              "Examples:\n"
              "  autopxectl distro show memtest\n"
              "  autopxectl distro show debian/bookworm/latest/overlayfs"},
             [&session, shown] { return RunShow(session, *shown); })
      .add_option("name", *shown)
      ->required();

  AddDeclaredDistroCommands(noun, session);
  AddCommand(noun, session,
             {"moves", "", "When latest, previous and default began to stand for another version",
              "The newest first; HOSTS: how many would boot it by their assignment or a default "
              "distro, if\nthat agent served them.\n\n"
              "Example:\n  autopxectl distro moves"},
             [&session] { return RunMoves(session); });
}

}  // namespace autopxe::ctl
