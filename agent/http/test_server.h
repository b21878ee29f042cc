#pragma once

#include <fcntl.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "agent/catalog/test_tree.h"
#include "agent/content/content.h"
#include "agent/content/path_resolver.h"
#include "agent/http/server.h"
#include "agent/http/test_client.h"
#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"

namespace autopxe::agent {

// For tests: an HTTP server on the loopback that offers what it is told to.
class HttpServerTest : public ::testing::Test {
 protected:
  // 127.0.0.1 and any port, and what `resolve_` finds.
  void Start(HttpServer::Options options = {}) {
    if (options.listen.empty()) options.listen = {*IpEndpoint::Parse("127.0.0.1:0")};
    if (options.threads == 0) options.threads = 2;
    auto server = HttpServer::Open(
        options, [this](const ContentRequest& request) { return Resolve(request); });
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  const IpEndpoint& endpoint() const { return server_->endpoints().at(0); }

  void Offer(const std::string& path, const std::string& bytes) {
    tree_.Write("file", bytes);
    Offer(path);
  }

  // The file that is called "file".
  void Offer(const std::string& path) {
    ResolvedContent found;
    found.content =
        *Content::FromFile(open((tree_.folder() + "/file").c_str(), O_RDONLY | O_CLOEXEC));
    found.path = path.substr(1);
    found.result = "kernel";
    found.cacheable = true;
    found.on_fetch = [this] { ++fetches_; };
    absl::MutexLock lock(&mutex_);
    answers_.insert_or_assign(path, found);
  }

  // One that nobody has written to for long: nothing but time makes a file's ctime old, so that it
  // is one of the system's.
  void OfferSettled(const std::string& path) {
    tree_.Link("file", "/bin/sh");
    Offer(path);
  }

  void OfferText(const std::string& path, const std::string& text) {
    ResolvedContent found;
    found.content = Content::FromText(text);
    found.path = path.substr(1);
    found.host = *MacAddress::Parse("52:54:00:12:34:56");
    found.result = "menu";
    absl::MutexLock lock(&mutex_);
    answers_.insert_or_assign(path, found);
  }

  absl::StatusOr<ResolvedContent> Resolve(const ContentRequest& request) {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(request);
    const auto found = answers_.find(request.path);
    if (found == answers_.end()) return absl::NotFoundError("no such file");
    return found->second;
  }

  std::vector<ContentRequest> Requests() {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }

  // One request on a connection of its own. `fields` end in "\r\n" each.
  HttpTestClient::Answer Ask(const std::string& target, const std::string& fields = "",
                             const std::string& method = "GET") {
    HttpTestClient client(endpoint());
    client.Send(absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: x\r\n", fields, "\r\n"));
    return client.Read(method != "HEAD");
  }

  TestTree tree_;
  std::atomic<int> fetches_ = 0;  // Of files.
  absl::Mutex mutex_;
  std::map<std::string, absl::StatusOr<ResolvedContent>> answers_;
  std::vector<ContentRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> server_;
};

}  // namespace autopxe::agent
