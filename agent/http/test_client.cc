#include "agent/http/test_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "agent/net/socket_address.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

constexpr int kPatienceMs = 60'000;  // How long a test waits before it gives an answer up.

}  // namespace

HttpTestClient::HttpTestClient(const IpEndpoint& server, const Options& options) {
  const SocketAddress address(server);
  fd_.Reset(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (options.receive_buffer > 0) {
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer,
               sizeof options.receive_buffer);
  }
  if (options.max_segment > 0) {
    setsockopt(fd_.get(), IPPROTO_TCP, TCP_MAXSEG, &options.max_segment,
               sizeof options.max_segment);
  }
  if (!options.address.empty()) {
    const SocketAddress from({*IpAddress::Parse(options.address), 0});
    EXPECT_EQ(bind(fd_.get(), from.get(), from.size()), 0);
  }
  EXPECT_EQ(connect(fd_.get(), address.get(), address.size()), 0);
}

void HttpTestClient::Send(absl::string_view bytes) {
  EXPECT_EQ(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

bool HttpTestClient::SendWhatIsTaken(absl::string_view bytes) {
  return send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

void HttpTestClient::EndSending() { shutdown(fd_.get(), SHUT_WR); }

void HttpTestClient::Reset() {
  const linger now = {1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.Reset();
}

HttpTestClient::Answer HttpTestClient::Read(bool has_body) {
  Answer answer;
  size_t end;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return answer;
  }
  const std::vector<std::string> lines = absl::StrSplit(pending_.substr(0, end), "\r\n");
  const std::vector<std::string> words = absl::StrSplit(lines[0], ' ');
  EXPECT_TRUE(words.size() > 1 && absl::SimpleAtoi(words[1], &answer.status)) << lines[0];
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> field =
        absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    answer.fields[absl::AsciiStrToLower(field.first)] = field.second;
  }
  pending_.erase(0, end + 4);
  size_t length = 0;
  if (!has_body || answer.status == 304) return answer;
  EXPECT_TRUE(absl::SimpleAtoi(answer.fields["content-length"], &length)) << lines[0];
  while (pending_.size() < length && ReadMore()) {
  }
  answer.body = pending_.substr(0, length);
  pending_.erase(0, length);
  return answer;
}

std::string HttpTestClient::ReadToEnd() {
  while (ReadMore()) {
  }
  return std::exchange(pending_, "");
}

bool HttpTestClient::ReadMore(size_t limit) {
  pollfd waiting = {fd_.get(), POLLIN, 0};
  if (poll(&waiting, 1, kPatienceMs) != 1) {
    ADD_FAILURE() << "no answer";
    return false;
  }
  std::string bytes(limit, '\0');
  const ssize_t count = recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (count > 0) pending_.append(bytes, 0, static_cast<size_t>(count));
  return count > 0;
}

bool HttpTestClient::IsClosed(int patience_ms) {
  pollfd waiting = {fd_.get(), POLLIN, 0};
  if (poll(&waiting, 1, patience_ms) != 1) return false;
  char byte;
  return recv(fd_.get(), &byte, 1, MSG_PEEK) <= 0;
}

}  // namespace autopxe::agent
