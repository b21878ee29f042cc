#pragma once

#include <functional>
#include <istream>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "autopxe/v1/configuration.pb.h"
#include "ctl/client.h"
#include "ctl/server_choice.h"
#include "google/protobuf/message.h"

namespace autopxe::ctl {

// What autopxectl runs in: the process's own, or a test's.
struct Environment {
  Variables variables;
  std::string host_name;
  std::string login_name;                             // By the user database; may be empty.
  std::string system_file = "/etc/autopxe/ctl.yaml";  // See ChooseServer.
  std::istream& in;                                   // What "-" stands for.
  std::ostream& out;                                  // What was asked for.
  std::ostream& err;                                  // Messages about it.
};

// One run of autopxectl: its common options, its server, and the way to its reader.
class Session {
 public:
  explicit Session(const Environment& environment) : environment_(environment) {}

  // Where the common options are written to.
  absl::optional<std::string> server;  // --server
  absl::optional<std::string> user;    // --user
  std::string output = "table";        // --output: table, json or yaml.

  // Where the options of changing commands are written to; see AddChangeOptions().
  bool dry_run = false;  // --dry-run
  bool force = false;    // --force

  // What the command line asks for; set by the command that was named.
  std::function<absl::Status()> action;

  // The server, found and set up when it is first needed.
  absl::StatusOr<Client*> OpenClient();

  // A request id of its own, who asks, and how: --dry-run and --force.
  v1::RequestOptions BuildRequestOptions() const;

  // Answers: the message as JSON or YAML, or for people what `table` renders.
  absl::Status Print(const google::protobuf::Message& message,
                     const std::function<std::string()>& table);

  // Answers what a change did, or would do with --dry-run. Its warnings go to Warn().
  absl::Status PrintChange(const v1::ApplyResponse& response);

  // Has the mutations of `batch` applied, with BuildRequestOptions(), and answers what they did.
  // Errors: those of Client::Apply.
  absl::Status Apply(v1::ApplyRequest batch);

  // A line beside the answer.
  void Warn(absl::string_view message);
  void Note(absl::string_view message);

  bool is_table() const { return output == "table"; }
  std::istream& in() { return environment_.in; }
  std::ostream& out() { return environment_.out; }
  const Environment& environment() const { return environment_; }

 private:
  const Environment& environment_;
  std::unique_ptr<Client> client_;
};

}  // namespace autopxe::ctl
