#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "agent/net/unique_fd.h"
#include "bench/http_response.h"
#include "bench/load.h"
#include "bench/loss.h"
#include "bench/reference.h"
#include "bench/tftp_read.h"

namespace autopxe::bench {

// What the places of a load have in common.
struct Course {
  Course(const LoadOptions& options, int epoll);

  const LoadOptions& options;
  const int epoll;
  std::vector<Reference> references;  // Of the steps that are the same for all.
  Loss loss;
  std::vector<char> buffer;  // For what comes; used by one place at a time.
  uint32_t next_host = 0;
  LoadResult result;
};

// Where one host after another fetches what it boots with. It has one socket at a time.
class Place {
 public:
  using TimePoint = TftpRead::TimePoint;

  // `number` is its own among the places, and its name for epoll.
  Place(Course& course, uint32_t number) : course_(course), number_(number) {}

  // Takes the next host, and opens what its first step needs; Begin() sends. False: no host is
  // left.
  bool Prepare();
  void Begin(TimePoint now);

  // Its socket has something, or can be written.
  void OnEvent(uint32_t events, TimePoint now);
  // To be called every few milliseconds.
  void OnTick(TimePoint now);

 private:
  const Step& step() const { return course_.options.steps[step_]; }
  const Reference& reference() const;

  void OpenStep();
  absl::Status OpenTftp();
  absl::Status OpenHttp();
  absl::Status Register(uint32_t events);

  void OnTftp(TimePoint now);
  void AfterTftp(TimePoint now);
  void SendTftp(absl::string_view packet);
  void SendHttp(TimePoint now);
  void OnHttp(TimePoint now);

  void FallSilent();
  void OnStepDone(TimePoint now);
  // Begins the step once more, if that may help and is allowed.
  void OnStepFailed(const absl::Status& status, TimePoint now);

  Course& course_;
  const uint32_t number_;
  bool busy_ = false;  // It has a host that is neither done nor silent.
  // The next host's turn is at the next tick: when all fail, none after the other at once.
  bool has_failed_ = false;
  uint32_t host_ = 0;
  size_t step_ = 0;
  int attempts_ = 0;
  TimePoint begun_;
  Reference own_reference_;

  agent::UniqueFd socket_;
  absl::optional<IpEndpoint> connected_to_;  // By HTTP.
  absl::Status opened_;
  absl::optional<TimePoint> again_at_;  // When a step is to be begun again.

  absl::optional<TftpRead> read_;
  bool has_peer_ = false;
  int packets_ = 0;

  absl::optional<HttpResponse> response_;
  bool is_reused_ = false;  // The connection has served another request before.
  TimePoint deadline_;
};

}  // namespace autopxe::bench
