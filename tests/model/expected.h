#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "autopxe/v1/configuration.pb.h"
#include "grpcpp/support/status.h"

namespace autopxe::tests {

// What a server must say and do, as simply as it can be put: maps of texts, and no code shared with
// the server. The rules are those of proto/autopxe/v1/configuration.proto.
//
// Times are seconds of Unix time: RandomRequest knows no finer ones.
class Expected {
 public:
  using Texts = std::map<std::string, std::string>;

  struct Host {
    // Counts hosts: one that is deleted and created again is another one. The server's own ids are
    // its business, as long as they tell the same apart.
    int64_t incarnation = 0;
    std::set<std::string> macs;
    std::string distro = "";
    std::string timed = "";  // Until `until`.
    int64_t until = 0;
    std::string next = "";
    int64_t token = 0;  // The revision that made `next`.
    Texts labels = {};
    Texts variables = {};
    std::string note = "";
    bool locked = false;
    int64_t etag = 0;

    friend bool operator==(const Host&, const Host&) = default;
  };
  struct Group {
    std::string selector;
    int priority = 0;
    std::string distro = "";
    Texts variables = {};
    int64_t etag = 0;

    friend bool operator==(const Group&, const Group&) = default;
  };
  struct Profile {
    std::string command_line;
    int64_t etag = 0;

    friend bool operator==(const Profile&, const Profile&) = default;
  };
  // A kernel with its initrds and arguments; or, without a kernel, what is chained.
  struct Declared {
    std::string kernel;
    std::vector<std::string> initrds;
    std::string arguments;
    std::string chain;
    std::string architecture;
    int64_t etag = 0;

    friend bool operator==(const Declared&, const Declared&) = default;
  };
  struct Settings {
    std::string default_distro;
    std::string unknown_hosts;
    Texts variables;
    int64_t menu_timeout = 10;  // Seconds.
    std::string rootfs_path_prefix;
    int64_t etag = 0;

    friend bool operator==(const Settings&, const Settings&) = default;
  };

  // What becomes of a request.
  struct Verdict {
    grpc::StatusCode code = grpc::StatusCode::OK;
    bool replayed = false;
    bool changed = false;  // A new revision is made, whose tag the server draws: see Learn.
    int64_t revision = 0;  // Its number, or the one that was current, or the one replayed.
    uint64_t tag = 0;      // Unless `changed`.
  };

  // What a host that starts gets.
  struct Boot {
    std::string distro;
    // Set when an agent that offers IsOffered and has what IsThere can boot it.
    bool boots = false;
    std::string rootfs_path;
    std::string command_line;
  };

  // Whether agents offer a kernel: "debian/bookworm/latest".
  static bool IsOffered(const std::string& kernel);
  // Whether hosts can fetch it: a URL, or a file that agents have.
  static bool IsThere(const std::string& file);

  // Takes a request as the server must at `now`; changes nothing if that refuses, replays or only
  // checks.
  Verdict Apply(const v1::ApplyRequest& request, int64_t now);

  // An agent reports that a host used up its next boot. Whether that changes anything.
  bool TakeUse(int64_t incarnation, int64_t token);

  // The tag that the server drew for the current revision.
  void Learn(uint64_t tag);

  // `rootfs_folder`: the agent's.
  Boot Decide(const std::string& mac, const std::string& rootfs_folder, int64_t now) const;

  // The host's name, or empty. `reference`: a name or a MAC.
  std::string Find(const std::string& reference) const;

  const std::map<std::string, Host>& hosts() const { return hosts_; }
  const std::map<std::string, Group>& groups() const { return groups_; }
  const std::map<std::string, Profile>& profiles() const { return profiles_; }
  const std::map<std::string, Declared>& declared() const { return declared_; }
  const Settings& settings() const { return settings_; }
  int64_t revision() const { return revision_; }
  uint64_t tag() const { return tag_; }

 private:
  struct Used {
    std::string request;
    int64_t revision = 0;
    uint64_t tag = 0;
  };

  grpc::StatusCode CheckEtags(const v1::RequestOptions& options) const;
  // What `after` does to what locked hosts boot.
  grpc::StatusCode CheckLocks(const Expected& after, int64_t now) const;
  grpc::StatusCode Take(const v1::Mutation& mutation, int64_t now);
  grpc::StatusCode Take(const v1::Mutation::Assign& assign, int64_t now);
  grpc::StatusCode Take(const v1::Mutation::Unassign& unassign);
  grpc::StatusCode Take(const v1::Mutation::CreateHost& create);
  grpc::StatusCode Take(const v1::Mutation::UpdateHost& update);
  grpc::StatusCode Take(const v1::Mutation::SetGroup& set);
  grpc::StatusCode Take(const v1::Mutation::DeleteProfile& remove, int64_t now);
  grpc::StatusCode Take(const v1::DeclaredDistro& declare);
  grpc::StatusCode Take(const v1::Mutation::DeleteDeclaredDistro& remove, int64_t now);
  grpc::StatusCode Take(const v1::Mutation::UpdateSettings& update);
  bool CanAssign(const std::string& distro, bool allow_missing) const;
  // What hosts, groups and settings boot at `now` or later; with empty ones.
  std::vector<std::string> AllDistros(int64_t now) const;
  static bool HasAllFiles(const Declared& declared);
  // Null if it is gone.
  const Host* FindIncarnation(int64_t incarnation) const;
  // Those that the host is in, the one that wins first.
  std::vector<Group> GroupsOf(const Host& host) const;
  // `host`: null for one that nobody has named.
  std::string DistroOf(const Host* host, int64_t now) const;
  Texts VariablesOf(const Host* host) const;
  // Becomes `next`, as the next revision; false, and nothing happens, if that is the same.
  bool Become(Expected next, bool validate_only);

  std::map<std::string, Host> hosts_;    // By name.
  std::map<std::string, Group> groups_;  // By name.
  std::map<std::string, Profile> profiles_;
  std::map<std::string, Declared> declared_;  // By name.
  Settings settings_;
  int64_t revision_ = 0;
  uint64_t tag_ = 0;
  std::map<std::string, Used> used_;  // By request id.
  int64_t last_incarnation_ = 0;
};

}  // namespace autopxe::tests
