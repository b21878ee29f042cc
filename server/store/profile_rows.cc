#include "server/store/profile_rows.h"

#include <algorithm>
#include <utility>

#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"

namespace autopxe::server {
namespace {

absl::StatusOr<ProfileName> ToName(absl::string_view text) {
  absl::StatusOr<ProfileName> name = ProfileName::Parse(text);
  if (!name.ok()) return DamagedRow("profile", name.status());
  return name;
}

// In the order of: name, command_line, valid_from.
absl::StatusOr<Profile> ToProfile(const Rows& rows) {
  ASSIGN_OR_RETURN(ProfileName name, ToName(rows.Text(0)));
  absl::StatusOr<CommandLineTemplate> command_line = CommandLineTemplate::Parse(rows.Text(1));
  if (!command_line.ok()) return DamagedRow("profile", command_line.status());
  return Profile{
      .name = std::move(name), .command_line = *std::move(command_line), .etag = rows.Integer(2)};
}

absl::Status EndProfile(Database& database, const ProfileName& name, int64_t revision) {
  return database.Run("UPDATE profile SET valid_to = ?1 WHERE name = ?2 AND valid_to IS NULL",
                      revision, name.text());
}

}  // namespace

absl::StatusOr<std::vector<Profile>> LoadProfiles(Database& database) {
  ASSIGN_OR_RETURN(Rows rows, database.Query("SELECT name, command_line, valid_from FROM profile "
                                             "WHERE valid_to IS NULL ORDER BY name"));
  std::vector<Profile> profiles;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return profiles;
    ASSIGN_OR_RETURN(Profile profile, ToProfile(rows));
    profiles.push_back(std::move(profile));
  }
}

absl::Status WriteProfiles(Database& database, const Change& change) {
  const int64_t revision = change.revision.id.number;
  for (const ProfileName& name : change.deleted_profiles) {
    RETURN_IF_ERROR(EndProfile(database, name, revision));
  }
  for (const Profile& profile : change.profiles) {
    RETURN_IF_ERROR(EndProfile(database, profile.name, revision));
    RETURN_IF_ERROR(
        database.Run("INSERT INTO profile (name, command_line, valid_from) VALUES (?1, ?2, ?3)",
                     profile.name.text(), profile.command_line.text(), revision));
  }
  return absl::OkStatus();
}

absl::Status AddProfileChanges(Database& database, int64_t after, ChangesByNumber& changes) {
  ASSIGN_OR_RETURN(Rows changed,
                   database.Query("SELECT name, command_line, valid_from FROM profile "
                                  "WHERE valid_from > ?1 ORDER BY valid_from, name",
                                  after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, changed.Next());
    if (!more) break;
    ASSIGN_OR_RETURN(Profile profile, ToProfile(changed));
    const int64_t revision = profile.etag;
    changes.at(revision).profiles.push_back(std::move(profile));
  }
  ASSIGN_OR_RETURN(Rows deleted,
                   database.Query("SELECT name, valid_to FROM profile AS ended "
                                  "WHERE valid_to > ?1 AND NOT EXISTS (SELECT 1 FROM profile AS "
                                  "next WHERE next.name = ended.name AND "
                                  "next.valid_from = ended.valid_to) ORDER BY valid_to, name",
                                  after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, deleted.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(ProfileName name, ToName(deleted.Text(0)));
    changes.at(deleted.Integer(1)).deleted_profiles.push_back(std::move(name));
  }
}

absl::Status AddProfileStep(Database& database, const std::string& only, ConfigurationStep& step) {
  const int64_t revision = step.change.revision.id.number;
  {
    ASSIGN_OR_RETURN(
        Rows begun,
        database.Query("SELECT name, command_line, valid_from FROM profile WHERE valid_from = ?1 "
                       "AND (?2 = '' OR name = ?2) ORDER BY name",
                       revision, only));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, begun.Next());
      if (!more) break;
      ASSIGN_OR_RETURN(auto one, ToProfile(begun));
      step.change.profiles.push_back(std::move(one));
    }
  }
  ASSIGN_OR_RETURN(
      Rows ended,
      database.Query("SELECT name, command_line, valid_from FROM profile WHERE valid_to = ?1 "
                     "AND (?2 = '' OR name = ?2) ORDER BY name",
                     revision, only));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, ended.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(auto one, ToProfile(ended));
    const bool is_kept = std::any_of(step.change.profiles.begin(), step.change.profiles.end(),
                                     [&](const auto& now) { return now.name == one.name; });
    if (!is_kept) step.change.deleted_profiles.push_back(one.name);
    step.profiles.push_back(std::move(one));
  }
}

}  // namespace autopxe::server
