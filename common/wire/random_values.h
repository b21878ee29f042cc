#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/model/agent_status.h"
#include "common/model/catalog.h"
#include "common/model/declared_distro.h"
#include "common/model/mutation.h"
#include "common/model/snapshot.h"
#include "common/wire/random_words.h"
#include "google/protobuf/stubs/logging.h"
#include "gtest/gtest.h"

namespace autopxe {

// Valid values of the model, the same ones for the same seed.
class RandomValues : public RandomWords {
 public:
  using RandomWords::RandomWords;

  RevisionId Id();
  Revision AnyRevision();
  Host AnyHost();
  Profile AnyProfile();
  DeclaredDistro AnyDeclaredDistro();
  Group AnyGroup();
  Settings AnySettings();
  AgentSettings AnyAgentSettings();
  Mutation AnyMutation();
  ExpectedEtag AnyExpectedEtag();
  Catalog AnyCatalog();
  AgentStatus AnyAgentStatus();
  Change AnyChange();
  // Hosts with the ids 1 to `hosts`, no two of which share anything.
  std::shared_ptr<const Snapshot> AnySnapshot(size_t hosts);

 private:
  // What the settings of the whole server and those of an agent have in common.
  template <typename Update>
  void FillCommonSettings(Update& update);
  int64_t Etag() { return static_cast<int64_t>(Number(1000)); }
};

// Cuts the serialized `message` at every length, and changes each of its octets, and hands what
// still parses to `from_proto`, which must refuse it as INVALID_ARGUMENT or make a value of it.
template <typename Message, typename FromProtoFn>
void DamageEverywhere(const Message& message, FromProtoFn from_proto) {
  const std::string bytes = message.SerializeAsString();
  std::vector<std::string> damaged;
  for (size_t length = 0; length < bytes.size(); ++length)
    damaged.push_back(bytes.substr(0, length));
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char flip : {'\x01', '\x20', '\x7f', '\xff'}) {
      damaged.push_back(bytes);
      damaged.back()[at] = static_cast<char>(damaged.back()[at] ^ flip);
    }
  }
  google::protobuf::LogSilencer silencer;  // It logs each text that is not UTF-8.
  size_t parsed = 0;
  for (const std::string& text : damaged) {
    Message cut;
    if (!cut.ParseFromString(text)) continue;
    ++parsed;
    const auto value = from_proto(cut);
    if (value.ok()) continue;
    EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument) << value.status();
  }
  EXPECT_GT(parsed, 0u);
}

}  // namespace autopxe
