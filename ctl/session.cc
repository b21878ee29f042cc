#include "ctl/session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/runtime/random_id.h"
#include "common/status/status_macros.h"
#include "ctl/change_text.h"
#include "ctl/json_text.h"
#include "ctl/terminal_text.h"
#include "ctl/yaml_text.h"

namespace autopxe::ctl {
namespace {

// Whoever sits behind sudo, rather than root.
std::string ClaimedUser(const Environment& environment) {
  for (const char* name : {"SUDO_USER", "USER", "LOGNAME"}) {
    const absl::optional<std::string> value = environment.variables(name);
    if (value.has_value() && !value->empty()) {
      return absl::StrCat(*value, "@", environment.host_name);
    }
  }
  // A job of cron's or of a container has no such variable.
  return environment.login_name.empty()
             ? ""
             : absl::StrCat(environment.login_name, "@", environment.host_name);
}

}  // namespace

absl::StatusOr<Client*> Session::OpenClient() {
  if (client_ == nullptr) {
    ASSIGN_OR_RETURN(std::string address,
                     ChooseServer(server, environment_.variables, environment_.system_file));
    client_ = std::make_unique<Client>(std::move(address));
  }
  return client_.get();
}

v1::RequestOptions Session::BuildRequestOptions() const {
  v1::RequestOptions options;
  options.set_request_id(BuildRandomId());
  options.set_user(user.has_value() ? *user : ClaimedUser(environment_));
  options.set_validate_only(dry_run);
  options.set_force(force);
  return options;
}

absl::Status Session::Print(const google::protobuf::Message& message,
                            const std::function<std::string()>& table) {
  if (output == "json") {
    ASSIGN_OR_RETURN(const std::string text, JsonText(message));
    out() << text;
  } else if (output == "yaml") {
    ASSIGN_OR_RETURN(const std::string text, YamlText(message));
    out() << text;
  } else {
    out() << table();
  }
  return absl::OkStatus();
}

absl::Status Session::PrintChange(const v1::ApplyResponse& response) {
  for (const std::string& warning : response.warnings()) Warn(warning);
  return Print(response, [&] { return ChangeText(response, dry_run); });
}

absl::Status Session::Apply(v1::ApplyRequest batch) {
  *batch.mutable_options() = BuildRequestOptions();
  ASSIGN_OR_RETURN(Client* const client, OpenClient());
  ASSIGN_OR_RETURN(const v1::ApplyResponse response, client->Apply(batch, nullptr));
  return PrintChange(response);
}

void Session::Warn(absl::string_view message) { Note(absl::StrCat("warning: ", message)); }

void Session::Note(absl::string_view message) {
  environment_.err << TerminalMessage(message) << '\n';
}

}  // namespace autopxe::ctl
