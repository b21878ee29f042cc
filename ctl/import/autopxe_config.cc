#include "ctl/import/autopxe_config.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/model/quote.h"
#include "yaml-cpp/yaml.h"

namespace autopxe::ctl {
namespace {

int LineOf(const YAML::Mark& mark) { return mark.line + 1; }

// A mapping's keys with their values in the order of the file; a key that stands twice stands here
// twice.
struct Entry {
  int line;
  std::string key;
  YAML::Node value;
};

// Errors: INVALID_ARGUMENT: a key is no scalar.
absl::StatusOr<std::vector<Entry>> EntriesOf(const YAML::Node& mapping) {
  std::vector<Entry> entries;
  for (const auto& pair : mapping) {
    if (!pair.first.IsScalar()) return absl::InvalidArgumentError("a key is not a plain word");
    entries.push_back({LineOf(pair.first.Mark()), pair.first.Scalar(), pair.second});
  }
  return entries;
}

// A distro as AutoPXE writes it. It has no declared ones: there a word by itself is a mistake.
absl::StatusOr<Distro> ParseDistro(absl::string_view text) {
  absl::StatusOr<Distro> distro = Distro::Parse(text);
  if (distro.ok() && distro->kind() == Distro::Kind::kDeclared) {
    return absl::InvalidArgumentError(
        absl::StrCat("distro ", Quote(text), ": 1 part; expected name/release/kernel/profile"));
  }
  return distro;
}

class Reader {
 public:
  void Read(const std::vector<Entry>& top) {
    static const std::map<absl::string_view, void (Reader::*)(const Entry&)> kKeys = {
        {"version", &Reader::ReadVersion},
        {"DefaultDistro", &Reader::ReadDefaultDistro},
        {"RootfsPath", &Reader::ReadRootfsPath},
        {"Env", &Reader::ReadEnv},
        {"CmdlineTemplates", &Reader::ReadTemplates},
        {"HostDefaults", &Reader::ReadHosts},
    };
    std::set<std::string> seen;
    for (const Entry& entry : top) {
      const auto key = kKeys.find(entry.key);
      if (key == kKeys.end()) {
        import_.unknown.push_back({entry.line, entry.key, UnknownOutcome(entry.key)});
      } else if (!seen.insert(entry.key).second) {
        Refuse(entry, "this key stands twice in the file");
      } else {
        (this->*key->second)(entry);
      }
    }
  }

  Import Take() {
    for (auto* group : {&profiles_, &settings_, &hosts_}) {
      for (auto& [key, mutation] : *group) {
        import_.mutation_keys.push_back(std::move(key));
        import_.mutations.push_back(std::move(mutation));
      }
    }
    return std::move(import_);
  }

 private:
  using Group = std::vector<std::pair<ImportedKey, Mutation>>;

  // AutoPXE's keys are case-sensitive, and a slip there is the likeliest reason for an unknown one.
  static std::string UnknownOutcome(const std::string& key) {
    for (const char* known :
         {"version", "DefaultDistro", "RootfsPath", "Env", "CmdlineTemplates", "HostDefaults"}) {
      if (absl::EqualsIgnoreCase(key, known)) {
        return absl::StrCat("not taken: unknown key; did you mean ", known, "?");
      }
    }
    return "not taken: unknown key";
  }

  void Refuse(const Entry& entry, absl::string_view why) {
    import_.refused.push_back({entry.line, entry.key, std::string(why)});
  }

  void Take(Group& group, const Entry& entry, std::string outcome, Mutation mutation) {
    ImportedKey key{entry.line, entry.key, std::move(outcome)};
    import_.keys.push_back(key);
    group.emplace_back(std::move(key), std::move(mutation));
  }

  // The text of a scalar; an empty value is an empty text, as AutoPXE reads it. Null after a
  // refusal.
  const std::string* Text(const Entry& entry) {
    static const std::string kEmpty;
    if (entry.value.IsNull()) return &kEmpty;
    if (!entry.value.IsScalar()) {
      Refuse(entry, "expected a single value");
      return nullptr;
    }
    return &entry.value.Scalar();
  }

  // Calls read(entry) for every key of a section, under the name "Section.key".
  template <typename Read>
  void ReadSection(const Entry& section, Read read) {
    if (section.value.IsNull()) {
      import_.keys.push_back({section.line, section.key, "empty: nothing to take"});
      return;
    }
    if (!section.value.IsMap()) {
      Refuse(section, "expected a mapping");
      return;
    }
    const absl::StatusOr<std::vector<Entry>> entries = EntriesOf(section.value);
    if (!entries.ok()) {
      Refuse(section, entries.status().message());
      return;
    }
    std::set<std::string> seen;
    for (const Entry& entry : *entries) {
      const Entry full{entry.line, absl::StrCat(section.key, ".", entry.key), entry.value};
      if (!seen.insert(entry.key).second) {
        Refuse(full, "this key stands twice in the file");
      } else if (const std::string* text = Text(full); text != nullptr) {
        read(full, entry.key, *text);
      }
    }
  }

  void ReadVersion(const Entry& entry) {
    import_.keys.push_back({entry.line, entry.key, "1: AutoPXE's format"});
  }

  void ReadDefaultDistro(const Entry& entry) {
    const std::string* text = Text(entry);
    if (text == nullptr) return;
    absl::StatusOr<Distro> distro = ParseDistro(*text);
    if (!distro.ok()) return Refuse(entry, distro.status().message());
    UpdateSettings update;
    update.default_distro = absl::optional<Distro>(*distro);
    update.allow_missing = true;
    Take(settings_, entry, absl::StrCat("default-distro = ", *text), std::move(update));
  }

  void ReadRootfsPath(const Entry& entry) {
    const std::string* text = Text(entry);
    if (text == nullptr) return;
    absl::string_view path = *text;
    while (path.size() > 1 && absl::ConsumeSuffix(&path, "/")) {
    }
    absl::StatusOr<RootfsPathPrefix> prefix = RootfsPathPrefix::Parse(path);
    if (!prefix.ok()) return Refuse(entry, prefix.status().message());
    UpdateSettings update;
    update.rootfs_path_prefix = absl::optional<RootfsPathPrefix>(*prefix);
    Take(settings_, entry, absl::StrCat("rootfs-path-prefix = ", path), std::move(update));
  }

  void ReadEnv(const Entry& section) {
    ReadSection(
        section, [this](const Entry& entry, const std::string& key, const std::string& text) {
          absl::StatusOr<VariableName> name = VariableName::Parse(key);
          if (!name.ok()) return Refuse(entry, name.status().message());
          absl::StatusOr<VariableValue> value = VariableValue::Parse(text);
          if (!value.ok()) return Refuse(entry, value.status().message());
          UpdateSettings update;
          update.set_variables.emplace(*name, *value);
          Take(settings_, entry, absl::StrCat("variables.", key, " = ", text), std::move(update));
        });
  }

  void ReadTemplates(const Entry& section) {
    ReadSection(
        section, [this](const Entry& entry, const std::string& key, const std::string& text) {
          absl::StatusOr<ProfileName> name = ProfileName::Parse(key);
          if (!name.ok()) return Refuse(entry, name.status().message());
          absl::StatusOr<CommandLineTemplate> command_line = CommandLineTemplate::Parse(text);
          if (!command_line.ok()) return Refuse(entry, command_line.status().message());
          Take(profiles_, entry, absl::StrCat("profile ", key, " = ", text),
               SetProfile{*name, *command_line});
        });
  }

  void ReadHosts(const Entry& section) {
    std::map<MacAddress, int> lines;  // Where each host was named first.
    ReadSection(section, [this, &lines](const Entry& entry, const std::string& key,
                                        const std::string& text) {
      absl::StatusOr<MacAddress> mac = MacAddress::Parse(key);
      if (!mac.ok()) return Refuse(entry, mac.status().message());
      const auto [first, is_new] = lines.emplace(*mac, entry.line);
      if (!is_new) {
        return Refuse(entry, absl::StrCat("host ", mac->Format(), " stands in line ", first->second,
                                          " already, in another spelling"));
      }
      absl::StatusOr<Distro> distro = ParseDistro(text);
      if (!distro.ok()) return Refuse(entry, distro.status().message());
      Take(hosts_, entry, absl::StrCat("host ", mac->Format(), " boots ", text),
           Assign{*mac, *distro, /*allow_missing=*/true});
    });
  }

  Import import_;
  Group profiles_;
  Group settings_;
  Group hosts_;
};

absl::Status ErrorAt(absl::string_view name, int line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(name, ":", line, ": ", what));
}

}  // namespace

absl::StatusOr<Import> ParseAutopxeConfig(absl::string_view text, absl::string_view name) {
  YAML::Node root;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      return ErrorAt(name, LineOf(documents[1].Mark()), "a second document: expected only one");
    }
    if (!documents.empty()) root = documents.front();
  } catch (const YAML::Exception& e) {
    return ErrorAt(name, e.mark.is_null() ? 1 : LineOf(e.mark), absl::StrCat("no YAML: ", e.msg));
  }
  if (!root.IsMap()) {
    return ErrorAt(name, 1, "expected keys such as \"version: 1\" and \"DefaultDistro: ...\"");
  }
  absl::StatusOr<std::vector<Entry>> top = EntriesOf(root);
  if (!top.ok()) return ErrorAt(name, LineOf(root.Mark()), top.status().message());

  const Entry* version = nullptr;
  for (const Entry& entry : *top) {
    if (entry.key == "version" && version == nullptr) version = &entry;
  }
  if (version == nullptr) {
    return ErrorAt(name, 1, "no \"version: 1\": not a config.yaml of AutoPXE");
  }
  if (!version->value.IsScalar() || version->value.Scalar() != "1") {
    return ErrorAt(
        name, version->line,
        absl::StrCat("version \"", version->value.IsScalar() ? version->value.Scalar() : "",
                     "\": only version 1 can be imported"));
  }

  Reader reader;
  reader.Read(*top);
  return reader.Take();
}

}  // namespace autopxe::ctl
