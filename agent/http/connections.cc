#include "agent/http/connections.h"

#include <utility>

#include "common/runtime/clock.h"

namespace autopxe::agent {

Connections::Connections(const Limits& limits, Socket socket)
    : limits_(limits), socket_(std::move(socket)) {}

void Connections::Enter(Connection& connection, Phase phase, absl::Duration now) {
  std::list<int>& to = phases_[phase];
  to.splice(to.end(), phases_[connection.phase], connection.place);
  connection.phase = phase;
  connection.since = now;
}

void Connections::Cut(int fd, Connection& connection) {
  // Its owner is told by the socket itself, and calls Closed().
  socket_.cut(fd);
  Enter(connection, kCut, connection.since);
}

void Connections::MakeRoom() {
  if (connections_.size() - phases_[kCut].size() < limits_.crowded) return;
  for (const Phase phase : {kFresh, kKept, kHead}) {
    if (phases_[phase].empty()) continue;
    const int fd = phases_[phase].front();
    Cut(fd, connections_.at(fd));
    ++cuts_.crowded;
    return;
  }
}

void Connections::Opened(int fd, const IpAddress& peer, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  MakeRoom();
  Connection connection{.peer = peer, .since = now};
  connection.place = phases_[kFresh].insert(phases_[kFresh].end(), fd);
  connections_.insert_or_assign(fd, std::move(connection));
  if (draining_) Cut(fd, connections_.at(fd));
}

void Connections::RequestLineCame(int fd, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  Connection& connection = connections_.at(fd);
  if (connection.phase == kKept) Enter(connection, kHead, now);
}

Connections::Admission Connections::RequestBegan(int fd, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  Connection& connection = connections_.at(fd);
  if (connection.phase != kCut) Enter(connection, kBegun, now);
  ++requests_;
  size_t& of_address = requests_by_address_[connection.peer];
  ++of_address;
  if (draining_) return Admission::kDraining;
  return of_address > limits_.requests_per_address ? Admission::kTooManyOfAddress
                                                   : Admission::kWelcome;
}

bool Connections::IsTooSlow(int fd) const {
  absl::MutexLock lock(&mutex_);
  return connections_.at(fd).too_slow;
}

void Connections::RequestEnded(int fd, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  Connection& connection = connections_.at(fd);
  --requests_;
  const auto of_address = requests_by_address_.find(connection.peer);
  if (--of_address->second == 0) requests_by_address_.erase(of_address);
  if (draining_ && requests_ == 0) none_under_way_.Notify();
  if (connection.phase == kCut) return;
  Enter(connection, kKept, now);
  if (draining_) socket_.end_reading(fd);
}

void Connections::Closed(int fd) {
  absl::MutexLock lock(&mutex_);
  const auto found = connections_.find(fd);
  phases_[found->second.phase].erase(found->second.place);
  connections_.erase(found);
}

size_t Connections::CutOlder(Phase phase, absl::Duration limit, absl::Duration now) {
  size_t cut = 0;
  while (!phases_[phase].empty()) {
    const int fd = phases_[phase].front();
    Connection& connection = connections_.at(fd);
    if (now - connection.since < limit) break;
    Cut(fd, connection);
    ++cut;
  }
  return cut;
}

void Connections::Measure(absl::Duration now) {
  while (!phases_[kBegun].empty()) {
    const int fd = phases_[kBegun].front();
    Connection& connection = connections_.at(fd);
    connection.acknowledged = socket_.acknowledged_bytes(fd);
    Enter(connection, kUnderWay, now);
  }
}

size_t Connections::CutSlow(absl::Duration now) {
  size_t cut = 0;
  while (!phases_[kUnderWay].empty()) {
    const int fd = phases_[kUnderWay].front();
    Connection& connection = connections_.at(fd);
    if (now - connection.since < limits_.progress_interval) break;
    const uint64_t acknowledged = socket_.acknowledged_bytes(fd);
    if (acknowledged - connection.acknowledged >= limits_.progress_bytes) {
      Enter(connection, kUnderWay, now);
      connection.acknowledged = acknowledged;
    } else {
      connection.too_slow = true;
      Cut(fd, connection);
      ++cut;
    }
  }
  return cut;
}

void Connections::CutExpired(absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  cuts_.head += CutOlder(kFresh, limits_.head, now) + CutOlder(kHead, limits_.head, now);
  cuts_.idle += CutOlder(kKept, limits_.idle, now);
  cuts_.slow += CutSlow(now);
  Measure(now);
}

void Connections::Drain() {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  for (const Phase phase : {kFresh, kKept, kHead}) {
    while (!phases_[phase].empty()) {
      const int fd = phases_[phase].front();
      Connection& connection = connections_.at(fd);
      // Its last answer may still be on its way out of the kernel.
      socket_.end_reading(fd);
      Enter(connection, kCut, connection.since);
    }
  }
}

size_t Connections::AwaitRequests(absl::Duration limit) {
  const SystemClock clock;
  const absl::Duration end = clock.Monotonic() + limit;
  while (true) {
    const absl::Duration left = end - clock.Monotonic();
    {
      absl::MutexLock lock(&mutex_);
      if (requests_ == 0 || left <= absl::ZeroDuration()) return requests_;
    }
    none_under_way_.WaitFor(left);
  }
}

Connections::Cuts Connections::TakeCuts() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(cuts_, {});
}

size_t Connections::size() const {
  absl::MutexLock lock(&mutex_);
  return connections_.size();
}

}  // namespace autopxe::agent
