#include "server/store/declared_distro_rows.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"

namespace autopxe::server {
namespace {

constexpr char kTable[] = "declared_distro";

absl::StatusOr<DistroName> ToName(absl::string_view text) {
  absl::StatusOr<DistroName> name = DistroName::Parse(text);
  if (!name.ok()) return DamagedRow(kTable, name.status());
  return name;
}

absl::StatusOr<BootFile> ToFile(absl::string_view text) {
  absl::StatusOr<BootFile> file = BootFile::Parse(text);
  if (!file.ok()) return DamagedRow(kTable, file.status());
  return file;
}

// In the order of: name, kernel, initrds, arguments, chain, architecture, valid_from.
absl::StatusOr<std::shared_ptr<const DeclaredDistro>> ToDistro(const Rows& rows) {
  ASSIGN_OR_RETURN(DistroName name, ToName(rows.Text(0)));
  const absl::optional<Architecture> architecture = ParseArchitecture(rows.Text(5));
  if (!architecture.has_value()) {
    return DamagedRow(kTable, absl::InvalidArgumentError("its architecture is not known"));
  }
  const int64_t etag = rows.Integer(6);
  if (!rows.IsNull(4)) {
    ASSIGN_OR_RETURN(BootFile target, ToFile(rows.Text(4)));
    return std::make_shared<const DeclaredDistro>(
        DeclaredDistro{std::move(name), DeclaredChain{std::move(target)}, *architecture, etag});
  }
  ASSIGN_OR_RETURN(BootFile file, ToFile(rows.Text(1)));
  std::vector<BootFile> initrds;
  for (const absl::string_view line : absl::StrSplit(rows.Text(2), '\n', absl::SkipEmpty())) {
    ASSIGN_OR_RETURN(BootFile initrd, ToFile(line));
    initrds.push_back(std::move(initrd));
  }
  absl::StatusOr<CommandLineTemplate> arguments = CommandLineTemplate::Parse(rows.Text(3));
  if (!arguments.ok()) return DamagedRow(kTable, arguments.status());
  return std::make_shared<const DeclaredDistro>(DeclaredDistro{
      std::move(name), DeclaredKernel{std::move(file), std::move(initrds), *std::move(arguments)},
      *architecture, etag});
}

absl::Status EndDistro(Database& database, const DistroName& name, int64_t revision) {
  return database.Run(
      "UPDATE declared_distro SET valid_to = ?1 WHERE name = ?2 AND valid_to IS NULL", revision,
      name.text());
}

absl::Status BeginDistro(Database& database, const DeclaredDistro& distro, int64_t revision) {
  absl::optional<std::string> kernel;
  absl::optional<std::string> initrds;
  absl::optional<std::string> arguments;
  absl::optional<std::string> chain;
  if (const auto* declared = std::get_if<DeclaredKernel>(&distro.boot)) {
    kernel = declared->kernel.text();
    initrds = absl::StrJoin(declared->initrds, "\n", [](std::string* out, const BootFile& initrd) {
      out->append(initrd.text());
    });
    arguments = declared->arguments.text();
  } else {
    chain = std::get<DeclaredChain>(distro.boot).target.text();
  }
  return database.Run(
      "INSERT INTO declared_distro (name, kernel, initrds, arguments, chain, architecture, "
      "valid_from) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      distro.name.text(), kernel, initrds, arguments, chain,
      std::string(FormatArchitecture(distro.architecture)), revision);
}

}  // namespace

absl::StatusOr<std::vector<std::shared_ptr<const DeclaredDistro>>> LoadDeclaredDistros(
    Database& database) {
  ASSIGN_OR_RETURN(
      Rows rows,
      database.Query("SELECT name, kernel, initrds, arguments, chain, architecture, valid_from "
                     "FROM declared_distro WHERE valid_to IS NULL ORDER BY name"));
  std::vector<std::shared_ptr<const DeclaredDistro>> distros;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return distros;
    ASSIGN_OR_RETURN(auto distro, ToDistro(rows));
    distros.push_back(std::move(distro));
  }
}

absl::Status WriteDeclaredDistros(Database& database, const Change& change) {
  const int64_t revision = change.revision.id.number;
  for (const DistroName& name : change.deleted_declared_distros) {
    RETURN_IF_ERROR(EndDistro(database, name, revision));
  }
  for (const auto& distro : change.declared_distros) {
    RETURN_IF_ERROR(EndDistro(database, distro->name, revision));
    RETURN_IF_ERROR(BeginDistro(database, *distro, revision));
  }
  return absl::OkStatus();
}

absl::Status AddDeclaredDistroChanges(Database& database, int64_t after, ChangesByNumber& changes) {
  ASSIGN_OR_RETURN(
      Rows changed,
      database.Query("SELECT name, kernel, initrds, arguments, chain, architecture, valid_from "
                     "FROM declared_distro WHERE valid_from > ?1 ORDER BY valid_from, name",
                     after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, changed.Next());
    if (!more) break;
    ASSIGN_OR_RETURN(auto distro, ToDistro(changed));
    const int64_t revision = distro->etag;
    changes.at(revision).declared_distros.push_back(std::move(distro));
  }
  ASSIGN_OR_RETURN(
      Rows deleted,
      database.Query("SELECT name, valid_to FROM declared_distro AS ended WHERE valid_to > ?1 AND "
                     "NOT EXISTS (SELECT 1 FROM declared_distro AS next WHERE "
                     "next.name = ended.name AND next.valid_from = ended.valid_to) "
                     "ORDER BY valid_to, name",
                     after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, deleted.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(DistroName name, ToName(deleted.Text(0)));
    changes.at(deleted.Integer(1)).deleted_declared_distros.push_back(std::move(name));
  }
}

absl::Status AddDeclaredDistroStep(Database& database, const std::string& only,
                                   ConfigurationStep& step) {
  const int64_t revision = step.change.revision.id.number;
  {
    ASSIGN_OR_RETURN(
        Rows begun,
        database.Query("SELECT name, kernel, initrds, arguments, chain, architecture, valid_from "
                       "FROM declared_distro WHERE valid_from = ?1 AND (?2 = '' OR name = ?2) "
                       "ORDER BY name",
                       revision, only));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, begun.Next());
      if (!more) break;
      ASSIGN_OR_RETURN(auto one, ToDistro(begun));
      step.change.declared_distros.push_back(std::move(one));
    }
  }
  ASSIGN_OR_RETURN(
      Rows ended,
      database.Query("SELECT name, kernel, initrds, arguments, chain, architecture, valid_from "
                     "FROM declared_distro WHERE valid_to = ?1 AND (?2 = '' OR name = ?2) "
                     "ORDER BY name",
                     revision, only));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, ended.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(auto one, ToDistro(ended));
    const bool is_kept =
        std::any_of(step.change.declared_distros.begin(), step.change.declared_distros.end(),
                    [&](const auto& now) { return now->name == one->name; });
    if (!is_kept) step.change.deleted_declared_distros.push_back(one->name);
    step.declared_distros.push_back(std::move(one));
  }
}

}  // namespace autopxe::server
