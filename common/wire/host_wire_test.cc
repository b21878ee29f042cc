#include "common/wire/host_wire.h"

#include <string>

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

v1::Host Good() {
  v1::Host host;
  host.set_id(7);
  host.set_name("rack1");
  host.add_macs("52:54:00:12:34:56");
  host.add_macs("52:54:00:12:34:57");
  host.set_distro("debian/bookworm/latest/overlayfs");
  host.set_etag(3);
  return host;
}

TEST(HostWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const Host host = random.AnyHost();
    EXPECT_THAT(FromProto(ToProto(host)), IsOkAndHolds(host));
  }
}

TEST(HostWireTest, RefusesEachInvalidFieldByItsName) {
  ASSERT_THAT(FromProto(Good()), IsOk());
  const auto refused = [](const char* error, auto change) {
    v1::Host host = Good();
    change(host);
    EXPECT_THAT(FromProto(host), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  refused("id: \"0\"", [](v1::Host& h) { h.set_id(0); });
  refused("id: \"-5\"", [](v1::Host& h) { h.set_id(-5); });
  refused("name: host name \"\"", [](v1::Host& h) { h.clear_name(); });
  refused("name: host name \"a b\"", [](v1::Host& h) { h.set_name("a b"); });
  refused("macs: \"0 MACs\"", [](v1::Host& h) { h.clear_macs(); });
  refused("macs[1]: mac \"x\"", [](v1::Host& h) { h.set_macs(1, "x"); });
  refused("macs[1]: \"52:54:00:12:34:56\"",
          [](v1::Host& h) { h.set_macs(1, "52:54:00:12:34:56"); });
  refused("macs[1]: \"52:54:00:12:34:55\"",
          [](v1::Host& h) { h.set_macs(1, "52:54:00:12:34:55"); });
  refused("macs: \"65 MACs\": expected 1 to 64", [](v1::Host& h) {
    h.clear_macs();
    for (int i = 0; i < 65; ++i) h.add_macs(MacAddress::FromNumber(0x020000000000 + i).Format());
  });
  refused("distro: distro \"debian/x\"", [](v1::Host& h) { h.set_distro("debian/x"); });
  refused("next_boot.distro: distro \"x/y\"", [](v1::Host& h) {
    h.mutable_next_boot()->set_distro("x/y");
    h.mutable_next_boot()->set_token(1);
  });
  refused("next_boot.token: \"0\"",
          [](v1::Host& h) { h.mutable_next_boot()->set_distro("local"); });
  refused("timed.distro: distro \"\"", [](v1::Host& h) { h.mutable_timed(); });
  refused("timed.until: ", [](v1::Host& h) {
    h.mutable_timed()->set_distro("local");
    h.mutable_timed()->mutable_until()->set_nanos(-1);
  });
  refused("labels.a b: ", [](v1::Host& h) { (*h.mutable_labels())["a b"] = ""; });
  refused("labels: ", [](v1::Host& h) {
    for (int i = 0; i < 65; ++i) (*h.mutable_labels())["k" + std::to_string(i)] = "";
  });
  refused("variables.a: variable value \"${b}\"",
          [](v1::Host& h) { (*h.mutable_variables())["a"] = "${b}"; });
  refused("variables: ", [](v1::Host& h) {
    for (int i = 0; i < 65; ++i) (*h.mutable_variables())["v" + std::to_string(i)] = "";
  });
  refused("note: ", [](v1::Host& h) { h.set_note("two\nlines"); });
  refused("etag: \"-1\"", [](v1::Host& h) { h.set_etag(-1); });
}

TEST(HostWireTest, DamagedMessagesNeverCrash) {
  DamageEverywhere(Good(), [](const v1::Host& host) { return FromProto(host); });
}

}  // namespace
}  // namespace autopxe
