#include "ctl/import/host_yaml.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "ctl/import/host_record.h"
#include "yaml-cpp/yaml.h"

namespace autopxe::ctl {
namespace {

Place PlaceOf(const YAML::Mark& mark) {
  return mark.is_null() ? Place{1, 1} : Place{mark.line + 1, mark.column + 1};
}

class Reader {
 public:
  explicit Reader(HostTable* table) : table_(*table) {}

  void Read(const YAML::Node& list) {
    if (!list.IsSequence()) {
      return Refuse(list, "expected a list of hosts: \"- name: web1\" and so on");
    }
    for (const YAML::Node& host : list) {
      if (!host.IsMap()) {
        Refuse(host, "expected a host: keys such as \"name: web1\"");
        continue;
      }
      table_.rows.push_back({PlaceOf(host.Mark()), {}});
      ReadHost(host);
    }
  }

 private:
  void Refuse(const YAML::Node& node, std::string message) {
    table_.problems.push_back({PlaceOf(node.Mark()), std::move(message)});
  }

  // Calls read(key, value) for each key of a mapping.
  template <typename Read>
  void ReadKeys(const YAML::Node& mapping, Read read) {
    std::set<std::string> seen;
    for (const auto& pair : mapping) {
      if (!pair.first.IsScalar()) {
        Refuse(pair.first, "a key is not a plain word");
      } else if (!seen.insert(pair.first.Scalar()).second) {
        Refuse(pair.first, absl::StrCat(Quote(pair.first.Scalar()), " stands twice"));
      } else {
        read(pair.first, pair.second);
      }
    }
  }

  void ReadHost(const YAML::Node& host) {
    ReadKeys(host, [this](const YAML::Node& key, const YAML::Node& value) {
      const std::string& name = key.Scalar();
      if (name == "labels") {
        ReadMapping(key, value, kLabelField);
      } else if (name == "variables") {
        ReadMapping(key, value, kVariableField);
      } else if (name == kMacsField && value.IsSequence()) {
        for (const YAML::Node& mac : value) Add(name, mac);
      } else if (!CheckHostField(name).ok() || name.find('.') != std::string::npos) {
        Refuse(key, absl::StrCat("key ", Quote(name),
                                 ": expected name, macs, labels, variables, distro or note"));
      } else if (!value.IsNull()) {
        Add(name, value);
      }
    });
  }

  void ReadMapping(const YAML::Node& key, const YAML::Node& mapping, const char* prefix) {
    if (mapping.IsNull()) return;
    if (!mapping.IsMap())
      return Refuse(mapping, absl::StrCat(key.Scalar(), ": expected a mapping"));
    ReadKeys(mapping, [&](const YAML::Node& name, const YAML::Node& value) {
      const std::string field = absl::StrCat(prefix, name.Scalar());
      const absl::Status status = CheckHostField(field);
      if (!status.ok()) return Refuse(name, std::string(status.message()));
      // What is empty stays as it is on the server, as in CSV.
      if (value.IsNull() || (value.IsScalar() && value.Scalar().empty())) return;
      Add(field, value);
    });
  }

  void Add(const std::string& field, const YAML::Node& value) {
    if (!value.IsScalar() && !value.IsNull()) {
      return Refuse(value, absl::StrCat(field, ": expected a single value"));
    }
    table_.rows.back().cells.push_back(
        {PlaceOf(value.Mark()), field, value.IsNull() ? "" : value.Scalar()});
  }

  HostTable& table_;
};

}  // namespace

HostTable ParseHostYaml(absl::string_view text) {
  HostTable table;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() == 1) {
      Reader(&table).Read(documents.front());
    } else {
      table.problems.push_back({{1, 1}, "expected one document: a list of hosts"});
    }
  } catch (const YAML::Exception& e) {
    table.problems.push_back({PlaceOf(e.mark), absl::StrCat("no YAML: ", e.msg)});
  }
  return table;
}

}  // namespace autopxe::ctl
