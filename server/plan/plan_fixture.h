#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/plan/plan.h"

// For tests of plans: words become values, and the test ends if they can't.
namespace autopxe::server {

inline void PrintTo(const Difference& d, std::ostream* os) {
  *os << d.kind << " " << d.name << " " << d.field << ": " << d.before.value_or("(none)") << " -> "
      << d.after.value_or("(none)");
}

inline constexpr char kOverlayfs[] = "debian/bookworm/latest/overlayfs";
inline constexpr char kNfsrw[] = "debian/bookworm/latest/nfsrw";
inline constexpr char kMac1[] = "52:54:00:00:00:01";
inline constexpr char kMac2[] = "52:54:00:00:00:02";
inline constexpr char kMac3[] = "52:54:00:00:00:03";

inline Distro D(absl::string_view text) { return *Distro::Parse(text); }
inline MacAddress Mac(absl::string_view text) { return *MacAddress::Parse(text); }
inline HostReference Ref(absl::string_view text) { return *ParseHostReference(text); }
inline ProfileName P(absl::string_view text) { return *ProfileName::Parse(text); }
inline VariableName V(absl::string_view text) { return *VariableName::Parse(text); }
inline VariableValue Value(absl::string_view text) { return *VariableValue::Parse(text); }
inline CommandLineTemplate T(absl::string_view text) { return *CommandLineTemplate::Parse(text); }

inline Assign AssignTo(absl::string_view host, absl::string_view distro,
                       bool allow_missing = false) {
  return {.host = Ref(host), .distro = D(distro), .allow_missing = allow_missing};
}

inline CreateHost Create(absl::string_view name, std::vector<MacAddress> macs) {
  return {.name = *HostName::Parse(name), .macs = std::move(macs)};
}

inline CatalogKernel Kernel(absl::string_view name) {
  return {.name = std::string(name),
          .version = "6.1.0-25-amd64",
          .kernel_path = "boot/vmlinuz-6.1.0-25-amd64",
          .initrd_path = "boot/initrd.img-6.1.0-25-amd64"};
}

inline UpdateAgentSettings UpdateOf(absl::string_view agent) {
  return {.agent = *AgentId::Parse(agent),
          .default_distro = {},
          .set_variables = {},
          .unset_variables = {},
          .rootfs_path_prefix = {}};
}

inline Catalogs CatalogsOf(std::vector<CatalogRelease> releases) {
  auto catalog = std::make_shared<Catalog>();
  catalog->distros.push_back({.name = "debian", .releases = std::move(releases)});
  return {{*AgentId::Parse("lab"), catalog}};
}

// Plans against a configuration that starts empty, and one agent, "lab", that offers
// debian/bookworm and debian/trixie.
class PlanTest : public testing::Test {
 protected:
  PlanTest()
      : catalogs_(CatalogsOf({{.name = "bookworm",
                               .alias_of = "",
                               .kernels = {Kernel("latest"), Kernel("6.1.0-25-amd64")}},
                              {.name = "trixie", .alias_of = "", .kernels = {Kernel("latest")}}})),
        snapshot_(Snapshot::Empty(Revision{})) {}

  std::variant<Plan, Refusal> Build(std::vector<Mutation> mutations,
                                    std::vector<ExpectedEtag> etags = {}) {
    return BuildPlan(*snapshot_, catalogs_,
                     {.mutations = std::move(mutations), .expected_etags = std::move(etags)},
                     HostId{next_host_id_}, now_);
  }

  Plan Accepted(std::vector<Mutation> mutations, std::vector<ExpectedEtag> etags = {}) {
    auto outcome = Build(std::move(mutations), std::move(etags));
    if (const Refusal* refusal = std::get_if<Refusal>(&outcome)) {
      ADD_FAILURE() << "refused: " << refusal->message;
      return {};
    }
    return std::get<Plan>(outcome);
  }

  Refusal Refused(std::vector<Mutation> mutations, std::vector<ExpectedEtag> etags = {}) {
    auto outcome = Build(std::move(mutations), std::move(etags));
    if (std::holds_alternative<Plan>(outcome)) {
      ADD_FAILURE() << "accepted";
      return {.code = absl::StatusCode::kOk, .message = "", .problems = {Problem{}}};
    }
    return std::get<Refusal>(outcome);
  }

  // Makes what is planned the current configuration.
  Plan Commit(std::vector<Mutation> mutations) {
    Plan plan = Accepted(std::move(mutations));
    for (const auto& host : plan.change.hosts) {
      next_host_id_ = std::max(next_host_id_, static_cast<int64_t>(host->id) + 1);
    }
    if (plan.change.empty()) return plan;
    plan.change.revision.id.tag = 1;
    auto next = autopxe::Apply(*snapshot_, plan.change);
    EXPECT_TRUE(next.ok()) << next.status();
    snapshot_ = *next;
    return plan;
  }

  void SetUpProfiles() {
    UpdateSettings update;
    update.set_variables = {{V("nfs-server"), Value("172.25.2.11")}};
    Commit({update,
            SetProfile{P("overlayfs"), T("root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path}")},
            SetProfile{P("nfsrw"), T("root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} rw")}});
  }

  Catalogs catalogs_;
  std::shared_ptr<const Snapshot> snapshot_;
  int64_t next_host_id_ = 1;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
};

}  // namespace autopxe::server
