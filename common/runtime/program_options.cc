#include "common/runtime/program_options.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/model/duration_text.h"
#include "common/runtime/version.h"

namespace autopxe {
namespace {

constexpr char kConfig[] = "config";

std::string Quote(absl::string_view text) { return absl::StrCat("\"", absl::CEscape(text), "\""); }

absl::Status CheckOneValue(absl::Span<const std::string> values) {
  if (values.size() != 1) return absl::InvalidArgumentError("expected one value");
  if (values[0].empty()) return absl::InvalidArgumentError("expected a value, got an empty one");
  return absl::OkStatus();
}

std::string VariableName(absl::string_view program, absl::string_view option) {
  return absl::AsciiStrToUpper(
      absl::StrReplaceAll(absl::StrCat(program, "-", option), {{"-", "_"}}));
}

absl::StatusOr<bool> ParseSwitch(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "true" || lower == "yes" || lower == "on" || lower == "1") return true;
  if (lower == "false" || lower == "no" || lower == "off" || lower == "0") return false;
  return absl::InvalidArgumentError(absl::StrCat(Quote(text), ": expected true or false"));
}

absl::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return absl::nullopt;
  return std::string(value);
}

}  // namespace

ProgramOptions::ProgramOptions(absl::string_view program, absl::string_view description,
                               absl::string_view footer)
    : program_(program), description_(description), footer_(footer) {
  AddText(kConfig, &config_, "FILE", "YAML file with the same names as keys");
}

void ProgramOptions::AddText(absl::string_view name, std::string* value,
                             absl::string_view placeholder, absl::string_view description,
                             TakesEffect takes_effect) {
  Option option;
  option.name = std::string(name);
  option.placeholder = std::string(placeholder);
  option.description = std::string(description);
  option.takes_effect = takes_effect;
  option.set = [value](absl::Span<const std::string> values) -> absl::Status {
    if (absl::Status status = CheckOneValue(values); !status.ok()) return status;
    *value = values[0];
    return absl::OkStatus();
  };
  option.text = [value] { return *value; };
  Add(std::move(option));
}

void ProgramOptions::AddList(absl::string_view name, std::vector<std::string>* value,
                             absl::string_view placeholder, absl::string_view description,
                             TakesEffect takes_effect) {
  Option option;
  option.name = std::string(name);
  option.placeholder = std::string(placeholder);
  option.description = std::string(description);
  option.takes_effect = takes_effect;
  option.is_list = true;
  option.set = [value](absl::Span<const std::string> values) -> absl::Status {
    std::vector<std::string> parsed;
    for (const std::string& text : values) {
      for (absl::string_view part : absl::StrSplit(text, ',')) {
        part = absl::StripAsciiWhitespace(part);
        if (part.empty()) {
          return absl::InvalidArgumentError(
              absl::StrCat(Quote(text), ": expected a value, got an empty one"));
        }
        parsed.emplace_back(part);
      }
    }
    if (parsed.empty()) return absl::InvalidArgumentError("expected a value, got an empty list");
    *value = std::move(parsed);
    return absl::OkStatus();
  };
  option.text = [value] { return absl::StrJoin(*value, ","); };
  Add(std::move(option));
}

void ProgramOptions::AddDuration(absl::string_view name, absl::Duration* value,
                                 absl::Duration least, absl::Duration most,
                                 absl::string_view description, TakesEffect takes_effect) {
  Option option;
  option.name = std::string(name);
  option.placeholder = "DURATION";
  option.description = std::string(description);
  option.takes_effect = takes_effect;
  option.set = [value, least, most](absl::Span<const std::string> values) -> absl::Status {
    if (absl::Status status = CheckOneValue(values); !status.ok()) return status;
    const absl::optional<absl::Duration> parsed = ParseDurationText(values[0]);
    if (!parsed.has_value() || *parsed < least || *parsed > most) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quote(values[0]), ": expected a duration from ", absl::FormatDuration(least),
                       " to ", absl::FormatDuration(most), ", such as \"10s\""));
    }
    *value = *parsed;
    return absl::OkStatus();
  };
  option.text = [value] { return absl::FormatDuration(*value); };
  Add(std::move(option));
}

void ProgramOptions::AddSwitch(absl::string_view name, bool* value, absl::string_view description,
                               TakesEffect takes_effect) {
  Option option;
  option.name = std::string(name);
  option.description = std::string(description);
  option.takes_effect = takes_effect;
  option.is_switch = true;
  option.set = [value](absl::Span<const std::string> values) -> absl::Status {
    if (values.size() != 1) return absl::InvalidArgumentError("expected one value");
    absl::StatusOr<bool> parsed = ParseSwitch(values[0]);
    if (!parsed.ok()) return parsed.status();
    *value = *parsed;
    return absl::OkStatus();
  };
  option.text = [value] { return std::string(*value ? "true" : "false"); };
  Add(std::move(option));
}

void ProgramOptions::Add(Option option) {
  option.variable = VariableName(program_, option.name);
  option.source = absl::StrCat("default of --", option.name);
  option.default_text = option.text();
  options_.push_back(std::move(option));
}

std::string ProgramOptions::Footer() const {
  std::vector<std::string> reloaded;
  for (const Option& option : options_) {
    if (option.takes_effect == TakesEffect::kOnReload) reloaded.push_back(option.name);
  }
  if (reloaded.empty()) return footer_;
  std::sort(reloaded.begin(), reloaded.end());
  return absl::StrCat(
      footer_, footer_.empty() || footer_.back() == '\n' ? "" : "\n",
      "SIGHUP reads the configuration again and takes over: ", absl::StrJoin(reloaded, ", "),
      ".\nEvery other change takes a restart; the log names it.");
}

absl::Status ProgramOptions::Set(Option& option, absl::Span<const std::string> values,
                                 std::string source) {
  option.source = std::move(source);
  if (absl::Status status = option.set(values); !status.ok()) return ErrorIn(option.name, status);
  return absl::OkStatus();
}

absl::StatusOr<absl::optional<std::string>> ProgramOptions::Parse(
    absl::Span<const std::string> args) {
  return Parse(args, ProcessEnvironment);
}

absl::StatusOr<absl::optional<std::string>> ProgramOptions::Parse(
    absl::Span<const std::string> args, const Environment& environment) {
  CLI::App app(description_, program_);
  app.footer(Footer());
  app.set_help_flag("-h,--help", "print this and exit");
  app.set_version_flag("--version", absl::StrCat(program_, " ", kVersion),
                       "print the version and exit");
  app.allow_extras();  // Their own message names them out of order.
  std::vector<CLI::Option*> flags;
  for (const Option& option : options_) {
    // Const: CLI11 takes a flag's description that is not for a variable to write the value to.
    const std::string description = absl::StrCat(
        option.description, " [$", option.variable, "]",
        option.default_text.empty() ? "" : absl::StrCat(" (default: ", option.default_text, ")"));
    CLI::Option* flag;
    if (option.is_switch) {
      flag = app.add_flag(absl::StrCat("--", option.name, ",!--no-", option.name), description);
      flag->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    } else {
      flag = app.add_option(absl::StrCat("--", option.name))->description(description);
      flag->type_name(option.placeholder)->type_size(1);
      // Each use takes one value: the word after it is never swallowed as a second one.
      flag->expected(1)->multi_option_policy(option.is_list ? CLI::MultiOptionPolicy::TakeAll
                                                            : CLI::MultiOptionPolicy::Throw);
    }
    flags.push_back(flag);
  }

  // CLI11 reports by exceptions; none leaves this function. It takes its arguments last one first.
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::CallForHelp&) {
    return absl::make_optional(app.help());
  } catch (const CLI::CallForVersion& version) {
    return absl::make_optional(absl::StrCat(version.what(), "\n"));
  } catch (const CLI::ParseError& e) {
    return absl::InvalidArgumentError(absl::StrCat(e.what(), "; see ", program_, " --help"));
  }

  if (const std::vector<std::string> extras = app.remaining(); !extras.empty()) {
    const auto flag = std::find_if(extras.begin(), extras.end(),
                                   [](const std::string& word) { return word.rfind("-", 0) == 0; });
    return absl::InvalidArgumentError(
        flag != extras.end()
            ? absl::StrCat(Quote(*flag), ": no such option; see ", program_, " --help")
            : absl::StrCat(Quote(extras[0]), ": expected an option; see ", program_, " --help"));
  }
  for (size_t i = 0; i < options_.size(); ++i) {
    Option& option = options_[i];
    absl::Status status;
    if (flags[i]->count() > 0) {
      status = Set(option, flags[i]->reduced_results(), absl::StrCat("--", option.name));
    } else if (absl::optional<std::string> value = environment(option.variable);
               value.has_value() && !value->empty()) {
      status = Set(option, {*value}, option.variable);
    }
    if (!status.ok()) return status;
  }
  if (!config_.empty()) {
    absl::StatusOr<ConfigFile> file = ConfigFile::Open(config_);
    if (!file.ok()) return file.status();
    if (absl::Status status = ApplyFile(*file); !status.ok()) return status;
  }
  return absl::optional<std::string>();
}

absl::Status ProgramOptions::ApplyFile(const ConfigFile& file) {
  for (const auto& [key, entry] : file.entries()) {
    const auto option =
        std::find_if(options_.begin(), options_.end(), [&key = key](const Option& candidate) {
          return candidate.name == key && candidate.name != kConfig;
        });
    if (option == options_.end()) {
      std::vector<std::string> known;
      for (const Option& candidate : options_) {
        if (candidate.name != kConfig) known.push_back(candidate.name);
      }
      std::sort(known.begin(), known.end());
      return absl::InvalidArgumentError(absl::StrCat(file.Where(entry), ": unknown key ",
                                                     Quote(key),
                                                     "; known: ", absl::StrJoin(known, ", ")));
    }
    const std::string source = absl::StrCat(file.Where(entry), " (", key, ")");
    if (entry.is_list && !option->is_list) {
      return absl::InvalidArgumentError(absl::StrCat(source, ": expected one value, got a list"));
    }
    const bool overridden = option->source != absl::StrCat("default of --", option->name);
    if (overridden) continue;
    if (absl::Status status = Set(*option, entry.values, source); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string ProgramOptions::Source(absl::string_view name) const {
  for (const Option& option : options_) {
    if (option.name == name) return option.source;
  }
  return absl::StrCat("--", name);
}

std::vector<OptionValue> ProgramOptions::Values() const {
  std::vector<OptionValue> values;
  for (const Option& option : options_) {
    if (option.name == kConfig) continue;
    values.push_back({option.name, option.text(), option.takes_effect});
  }
  return values;
}

absl::Status ProgramOptions::ErrorIn(absl::string_view name, const absl::Status& status) const {
  return absl::InvalidArgumentError(absl::StrCat(Source(name), ": ", status.message()));
}

}  // namespace autopxe
