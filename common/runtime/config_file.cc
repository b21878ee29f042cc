#include "common/runtime/config_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "yaml-cpp/yaml.h"

namespace autopxe {
namespace {

constexpr size_t kMaxBytes = 1 << 20;

absl::Status ErrorAt(absl::string_view name, const YAML::Mark& mark, absl::string_view what) {
  // yaml-cpp counts lines from 0, and knows none for an empty document.
  return absl::InvalidArgumentError(
      absl::StrCat(name, ":", mark.is_null() ? 1 : mark.line + 1, ": ", what));
}

absl::StatusOr<ConfigEntry> ParseEntry(const std::string& key, const YAML::Node& value,
                                       absl::string_view name) {
  ConfigEntry entry;
  entry.line = value.Mark().is_null() ? 0 : value.Mark().line + 1;
  const std::string quoted = absl::StrCat("\"", absl::CEscape(key), "\"");
  switch (value.Type()) {
    case YAML::NodeType::Scalar:
      entry.values.push_back(value.Scalar());
      return entry;
    case YAML::NodeType::Sequence:
      entry.is_list = true;
      for (const YAML::Node& item : value) {
        if (!item.IsScalar()) {
          return ErrorAt(name, item.Mark(), absl::StrCat(quoted, ": expected a list of values"));
        }
        entry.values.push_back(item.Scalar());
      }
      return entry;
    case YAML::NodeType::Map:
      return ErrorAt(name, value.Mark(),
                     absl::StrCat(quoted, ": keys don't nest; expected a value or a list"));
    default:
      return ErrorAt(name, value.Mark(), absl::StrCat(quoted, ": no value; leave the key out"));
  }
}

}  // namespace

absl::StatusOr<ConfigFile> ConfigFile::Parse(absl::string_view text, absl::string_view name) {
  ConfigFile file;
  file.name_ = std::string(name);
  // yaml-cpp reports by exceptions; none leaves this function.
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      return ErrorAt(name, documents[1].Mark(), "expected one YAML document");
    }
    if (documents.empty() || documents[0].IsNull()) return file;
    const YAML::Node& root = documents[0];
    if (!root.IsMap())
      return ErrorAt(name, root.Mark(), "expected lines of the form \"key: value\"");
    for (const auto& pair : root) {
      if (!pair.first.IsScalar()) return ErrorAt(name, pair.first.Mark(), "a key is not a word");
      const std::string key = pair.first.Scalar();
      absl::StatusOr<ConfigEntry> entry = ParseEntry(key, pair.second, name);
      if (!entry.ok()) return entry.status();
      entry->line = pair.first.Mark().line + 1;
      if (!file.entries_.emplace(key, *std::move(entry)).second) {
        return ErrorAt(name, pair.first.Mark(),
                       absl::StrCat("\"", absl::CEscape(key), "\" is there twice"));
      }
    }
  } catch (const YAML::Exception& e) {
    // It may quote a character of the file.
    return ErrorAt(name, e.mark, absl::CHexEscape(e.msg));
  }
  return file;
}

absl::StatusOr<ConfigFile> ConfigFile::Open(const std::string& path) {
  errno = 0;
  std::ifstream input(path, std::ios::binary);
  if (!input) {
    const int error = errno;
    const std::string message = absl::StrCat("config file \"", path, "\": ", strerror(error));
    return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
  }
  std::string text(kMaxBytes + 1, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (input.bad() || (input.gcount() == 0 && !input.eof())) {
    return absl::UnavailableError(absl::StrCat("config file \"", path, "\" can't be read"));
  }
  text.resize(static_cast<size_t>(input.gcount()));
  if (text.size() > kMaxBytes) {
    return absl::UnavailableError(absl::StrCat("config file \"", path, "\": larger than 1 MiB"));
  }
  return Parse(text, path);
}

std::string ConfigFile::Where(const ConfigEntry& entry) const {
  return absl::StrCat(name_, ":", entry.line);
}

}  // namespace autopxe
