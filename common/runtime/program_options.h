#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "common/runtime/config_file.h"

namespace autopxe {

// When another value of an option takes effect on a daemon that runs. It is said where the option
// is added, and --help, the reload and its log follow from it.
enum class TakesEffect { kAtStart, kOnReload };

// An option's value, however it was given, as text that parses to it.
struct OptionValue {
  std::string name;
  std::string text;
  TakesEffect takes_effect = TakesEffect::kAtStart;
};

// The options of a daemon: each under one name as a flag (`--http-listen`), an environment variable
// (`AUTOPXE_AGENT_HTTP_LISTEN` for the program `autopxe-agent`) and a key of the YAML file that
// `--config` names (`http-listen`). A flag beats the environment, which beats the file, which beats
// the default. Reading them again for SIGHUP is a new ProgramOptions over the same arguments.
//
//   Config config;                                   // Holds the defaults.
//   ProgramOptions options("autopxe-server", "Keeps which host boots what.", "Examples:\n  ...");
//   options.AddText("database", &config.database, "FILE", "the database");
//   ASSIGN_OR_RETURN(absl::optional<std::string> print, options.Parse(args));
//   if (print.has_value()) ...                       // --help or --version: print it to stdout and
//   exit with 0.
class ProgramOptions {
 public:
  // The value of an environment variable, or nothing.
  using Environment = std::function<absl::optional<std::string>(const std::string& name)>;

  // `footer` is printed below the options by --help.
  ProgramOptions(absl::string_view program, absl::string_view description,
                 absl::string_view footer);

  // Each adds an option whose default is what `*value` holds; Parse writes there. `placeholder`
  // stands for the value in --help. `value` outlives this object. The name is of [a-z0-9-].
  void AddText(absl::string_view name, std::string* value, absl::string_view placeholder,
               absl::string_view description, TakesEffect takes_effect = TakesEffect::kAtStart);
  // May be given more than once, or with commas; the first value given replaces the defaults.
  void AddList(absl::string_view name, std::vector<std::string>* value,
               absl::string_view placeholder, absl::string_view description,
               TakesEffect takes_effect = TakesEffect::kAtStart);
  // A number with its unit, such as 10s, 1m30s or 90d (see ParseDurationText), from `least` to
  // `most`.
  void AddDuration(absl::string_view name, absl::Duration* value, absl::Duration least,
                   absl::Duration most, absl::string_view description,
                   TakesEffect takes_effect = TakesEffect::kAtStart);
  // `--name` and `--no-name`; in the environment and the file true, false, yes, no, on, off, 1 or
  // 0.
  void AddSwitch(absl::string_view name, bool* value, absl::string_view description,
                 TakesEffect takes_effect = TakesEffect::kAtStart);

  // Reads the arguments (without the program's name), the environment and the file. Returns what to
  // print instead of running, for --help and --version. Errors: INVALID_ARGUMENT: an unknown flag
  // or key, a value missing or malformed, an empty text, naming where it stands ("--listen",
  // "AUTOPXE_SERVER_LISTEN", "/etc/autopxe/server.yaml:3"); those of ConfigFile::Open.
  absl::StatusOr<absl::optional<std::string>> Parse(absl::Span<const std::string> args,
                                                    const Environment& environment);
  // With the process's environment.
  absl::StatusOr<absl::optional<std::string>> Parse(absl::Span<const std::string> args);

  // Where the option's value came from: "--listen", "AUTOPXE_SERVER_LISTEN",
  // "/etc/autopxe/server.yaml:3 (listen)" or "default of --listen": the beginning of a message
  // about the value.
  std::string Source(absl::string_view name) const;

  // Every option but --config with the value that Parse found.
  std::vector<OptionValue> Values() const;

  // INVALID_ARGUMENT: `status`'s message after the option's source.
  absl::Status ErrorIn(absl::string_view name, const absl::Status& status) const;

 private:
  struct Option {
    std::string name;
    std::string placeholder;
    std::string description;
    std::string variable;  // Of the environment.
    std::string source;
    std::string default_text;
    bool is_list = false;
    bool is_switch = false;
    TakesEffect takes_effect = TakesEffect::kAtStart;
    std::function<absl::Status(absl::Span<const std::string>)> set;
    std::function<std::string()> text;  // What the value is now.
  };

  void Add(Option option);
  // What --help says below the options.
  std::string Footer() const;
  absl::Status Set(Option& option, absl::Span<const std::string> values, std::string source);
  absl::Status ApplyFile(const ConfigFile& file);

  std::string program_;
  std::string description_;
  std::string footer_;
  std::string config_;  // The path of the file.
  std::vector<Option> options_;
};

}  // namespace autopxe
