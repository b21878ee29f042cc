#include <algorithm>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
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
  for (const v1::Distro& distro : distros.distros()) kernels |= !distro.agents().empty();
  if (!kernels) {
    session.Note(
        "no kernel can be assigned: either no agent offers one (see autopxectl agent list), or "
        "there "
        "is no profile to boot it with (see autopxectl profile set --help)");
  }
  if (session.is_table()) NoteMoves(session, *client);
  return session.Print(distros, [&] {
    Table table({"NAME", "KERNEL", "ARCHITECTURE", "KERNEL+INITRD", "AGENTS"});
    for (const v1::Distro& distro : distros.distros()) {
      table.Add({distro.name(), absl::StrJoin(distro.kernel_versions(), ","),
                 Join(distro, [](const v1::DistroOffer& offer) { return offer.architecture(); }),
                 Join(distro, SizeText), absl::StrJoin(distro.agents(), ",")});
    }
    return table.Format();
  });
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
  AddCommand(noun, session,
             {"list", "", "Every distro that an agent offers, and the built-in ones",
              "Example:\n  autopxectl distro list"},
             [&session] { return RunList(session); });
  AddCommand(noun, session,
             {"moves", "", "When latest, previous and default began to stand for another version",
              "The newest first; HOSTS: how many would boot it by their assignment or a default "
              "distro, if\nthat agent served them.\n\n"
              "Example:\n  autopxectl distro moves"},
             [&session] { return RunMoves(session); });
}

}  // namespace autopxe::ctl
